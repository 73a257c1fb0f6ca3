// SPDX-License-Identifier: MIT
#include "event_stream.hpp"

#include <nlohmann/json.hpp>

#include "server_words.hpp"

namespace icpi::http {

namespace {

using JsonValue = nlohmann::json;

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

constexpr int deepest_piece = 8;

/// Strings grow, whatever else there is replaces what was there.
void add_to(JsonValue& whole, const JsonValue& piece, int depth = 0) {
  for (const auto& [key, value] : piece.items()) {
    if (value.is_null()) continue;
    JsonValue& place = whole[key];
    if (place.is_string() && value.is_string() && key != "role" && key != "finish_reason") {
      place.get_ref<std::string&>() += value.get_ref<const std::string&>();
    } else if (place.is_object() && value.is_object() && depth < deepest_piece) {
      add_to(place, value, depth + 1);
    } else if (place.is_array() && value.is_array()) {
      place.insert(place.end(), value.begin(), value.end());
    } else {
      place = value;
    }
  }
}

void add_choice(JsonValue& choices, JsonValue choice) {
  if (!choice.is_object()) return;
  if (choice.contains("delta") && choice["delta"].is_object()) {
    choice["message"] = std::move(choice["delta"]);
    choice.erase("delta");
  }
  const JsonValue index = choice.value("index", JsonValue(0));
  for (JsonValue& known : choices) {
    if (known.value("index", JsonValue(0)) == index) return add_to(known, choice);
  }
  choices.push_back(std::move(choice));
}

/// Whether every choice says why it ends.
bool complete(const JsonValue& choices) {
  for (const JsonValue& choice : choices) {
    if (!choice.contains("finish_reason") || choice["finish_reason"].is_null()) return false;
  }
  return !choices.empty();
}

}  // namespace

bool is_event_stream(std::string_view body) {
  while (!body.empty()) {
    const std::string_view line = take_line(body);
    if (line.empty()) continue;
    return line.starts_with("data:") || line.starts_with("event:") || line.starts_with(':');
  }
  return false;
}

JsonValue join_event_stream(std::string_view body) {
  JsonValue answer = JsonValue::object();
  JsonValue choices = JsonValue::array();
  bool ended = false;
  while (!body.empty() && !ended) {
    std::string_view line = take_line(body);
    if (!line.starts_with("data:")) continue;
    line.remove_prefix(5);
    while (line.starts_with(' ')) line.remove_prefix(1);
    if (line == "[DONE]") {
      ended = true;
      continue;
    }
    const JsonValue piece = parse_answer(std::string(line));
    if (!piece.is_object()) return {JsonValue::value_t::discarded};
    if (piece.contains("choices") && piece["choices"].is_array()) {
      for (const JsonValue& choice : piece["choices"]) add_choice(choices, choice);
    }
    for (const auto& [key, value] : piece.items()) {
      if (key != "choices" && !value.is_null()) answer[key] = value;
    }
  }
  if (answer.contains("error")) return answer;
  if (!ended && !complete(choices)) return {JsonValue::value_t::discarded};
  answer["choices"] = std::move(choices);
  return answer;
}

}  // namespace icpi::http
