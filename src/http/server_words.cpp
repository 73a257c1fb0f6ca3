// SPDX-License-Identifier: MIT
#include "server_words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "durations.hpp"
#include "json_text.hpp"

namespace icpi::http {

namespace {

using JsonValue = nlohmann::json;
using Next = HttpFailure::Next;

constexpr std::size_t longest_message = 300;
constexpr std::size_t short_answer = 65536;
constexpr int deepest_answer = 32;
constexpr int deepest_words = 8;
constexpr std::size_t most_words = 3;  // of a list

/// The member; nullptr: there is none, it is null, or what should have it is no object.
const JsonValue* given(const JsonValue& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
  return result;
}

/// The last name in a path such as ["body", "seed"].
std::string last_name(const JsonValue& path) {
  if (path.is_string()) return path.get<std::string>();
  std::string name;
  if (!path.is_array()) return name;
  for (const JsonValue& part : path) {
    if (part.is_string()) name = part.get<std::string>();
  }
  return name;
}

std::string find_message(const JsonValue& value, int depth);

std::string message_of_list(const JsonValue& list, int depth) {
  std::string all;
  std::size_t taken = 0;
  for (const JsonValue& each : list) {
    const std::string words = find_message(each, depth + 1);
    if (words.empty()) continue;
    if (taken++ == most_words) return all + "; ...";
    all += (all.empty() ? "" : "; ") + words;
  }
  return all;
}

std::string message_of_object(const JsonValue& object, int depth) {
  const JsonValue* error = given(object, "error");
  if (error != nullptr && error->is_structured()) {
    if (std::string words = find_message(*error, depth + 1); !words.empty()) return words;
  }
  for (const std::string_view key : {"message", "detail", "msg", "error_message", "error_description", "error",
                                     "errors", "description", "details", "title", "reason"}) {
    const JsonValue* found = given(object, key);
    std::string words = found == nullptr ? std::string() : find_message(*found, depth + 1);
    if (words.empty()) continue;
    const JsonValue* place = given(object, "loc");
    if (place != nullptr && !last_name(*place).empty()) return last_name(*place) + ": " + words;
    // A gateway repeats what the service behind it said.
    const JsonValue* metadata = given(object, "metadata");
    const JsonValue* raw = metadata == nullptr ? nullptr : given(*metadata, "raw");
    if (raw != nullptr && raw->is_string()) words += ": " + raw->get<std::string>();
    return words;
  }
  return {};
}

std::string find_message(const JsonValue& value, int depth) {
  if (depth > deepest_words) return {};
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) return message_of_list(value, depth);
  return value.is_object() ? message_of_object(value, depth) : std::string();
}

std::optional<long> status_of(const JsonValue& value) {
  long status = 0;
  if (value.is_number()) status = static_cast<long>(std::clamp(value.get<double>(), 0.0, 1000.0));
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    std::from_chars(text.data(), text.data() + text.size(), status);
  }
  return status >= 400 && status < 600 ? std::optional(status) : std::nullopt;
}

/// The words for programs, wherever they stand.
void collect(const JsonValue& value, ServerWords& words, int depth) {
  if (depth > deepest_words) return;
  if (value.is_array()) {
    for (const JsonValue& each : value) collect(each, words, depth + 1);
  }
  if (!value.is_object()) return;
  for (const auto& [key, content] : value.items()) {
    if (content.is_structured() && key != "loc") collect(content, words, depth + 1);
    const bool code = key == "type" || key == "code" || key == "status" || key == "statusCode" || key == "error_type" ||
                      key == "error_code" || key == "reason" || key == "quotaId";
    if (code && content.is_string()) words.codes += lower(content.get_ref<const std::string&>()) + " ";
    if (code && words.status == 0) words.status = status_of(content).value_or(0);
    if (key == "param" || key == "loc") {
      if (std::string name = last_name(content); !name.empty()) words.fields.push_back(std::move(name));
    }
    if ((key == "retryDelay" || lower(key) == "retry-after" || key == "retry_after") && words.wait_seconds <= 0)
      words.wait_seconds = parse_wait(content.is_string() ? content.get<std::string>() : content.dump()).value_or(0);
    if (lower(key) == "x-ratelimit-reset" && words.wait_seconds <= 0)
      words.wait_seconds = parse_reset(content.is_string() ? content.get<std::string>() : content.dump()).value_or(0);
  }
}

/// The beginning of a body without words of a known kind: of a page, what stands between its tags.
std::string beginning_of(const std::string& body) {
  std::string text;
  bool in_tag = false;
  for (const char c : std::string_view(body).substr(0, 16 * longest_message)) {
    const bool blank = c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '>';
    if (c == '<') in_tag = true;
    if (!in_tag && !blank) text += c;
    if (blank && !text.empty() && text.back() != ' ') text += ' ';
    if (c == '>') in_tag = false;
  }
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

bool any_in(const std::string& text, std::span<const std::string_view> needles) {
  return std::any_of(needles.begin(), needles.end(),
                     [&](std::string_view needle) { return text.find(needle) != std::string::npos; });
}

bool tells_overflow(const ServerWords& words) {
  constexpr std::array<std::string_view, 2> codes{"exceed_context_size", "context_length_exceeded"};
  constexpr std::array<std::string_view, 4> phrases{"context length", "context size", "maximum context",
                                                    "prompt is too long"};
  return any_in(words.codes, codes) || any_in(lower(words.message), phrases);
}

/// Whether there is no money for the request: waiting does not help then.
bool tells_no_money(long status, const ServerWords& words) {
  constexpr std::array<std::string_view, 7> codes{"insufficient_quota",
                                                  "credit_balance_exhausted",
                                                  "spend_limit_exceeded",
                                                  "organization_usage_limit_exceeded",
                                                  "budget_exceeded",
                                                  "billing_",
                                                  "enforced_spend_limit_reached"};
  constexpr std::array<std::string_view, 6> phrases{"credit balance",     "insufficient balance", "insufficient credit",
                                                    "insufficient funds", "spend limit",          "spending limit"};
  return status == 402 || (status < 500 && (any_in(words.codes, codes) || any_in(lower(words.message), phrases)));
}

}  // namespace

ServerWords read_server_words(const JsonValue& parsed, const std::string& body) {
  ServerWords words;
  if (parsed.is_structured()) {
    words.message = find_message(parsed, 0);
    collect(parsed, words, 0);
  }
  if (words.message.empty()) words.message = beginning_of(body);
  return words;
}

bool is_error(const JsonValue& answer) {
  const JsonValue& first = answer.is_array() && !answer.empty() ? answer.front() : answer;
  return given(first, "error") != nullptr && given(first, "choices") == nullptr;
}

long status_in(const ServerWords& words) {
  const auto says = [&](std::string_view word) { return words.codes.find(word) != std::string::npos; };
  if (says("overloaded")) return 529;
  if (says("rate_limit")) return 429;
  if (says("authentication")) return 401;
  return says("invalid") ? 400 : 500;
}

HttpFailure judge_status(long status, const ServerWords& words, const std::vector<std::string>& secrets) {
  HttpFailure failure;
  failure.error.message = fmt::format("status {}", status);
  if (!words.message.empty()) failure.error.message += ": " + shown_words(words.message, secrets);
  failure.error.retry_after_seconds = words.wait_seconds;
  const auto judge = [&](ErrorCategory category, Next next) {
    failure.error.category = category;
    failure.next = next;
    return failure;
  };
  if (tells_no_money(status, words)) return judge(ErrorCategory::budget_exhausted, Next::fail);
  switch (status) {
    case 401:
    case 403: return judge(ErrorCategory::authentication, Next::fail);
    case 408:
    case 504: return judge(ErrorCategory::timeout, Next::retry);
    case 409:
    case 425: return judge(ErrorCategory::transport, Next::retry);
    case 429:
      // A day is longer than any patience.
      return judge(ErrorCategory::rate_limited,
                   words.codes.find("perday") != std::string::npos ? Next::fail : Next::come_later);
    case 501: return judge(ErrorCategory::invalid_request, Next::fail);
    case 503:
    case 529: return judge(ErrorCategory::transport, Next::come_later);
    default: break;
  }
  if (status >= 500) return judge(ErrorCategory::transport, Next::retry);
  return judge(tells_overflow(words) ? ErrorCategory::context_overflow : ErrorCategory::invalid_request, Next::fail);
}

HttpFailure judge_status(long status, const std::string& body, const std::vector<std::string>& secrets) {
  return judge_status(status, read_server_words(parse_answer(body), body), secrets);
}

JsonValue parse_answer(const std::string& body) {
  const auto parse = [](std::string_view json) {
    if (json.size() <= short_answer) return JsonValue::parse(json, nullptr, false);
    const auto shallow = [](int depth, JsonValue::parse_event_t, JsonValue&) { return depth <= deepest_answer; };
    return JsonValue::parse(json, shallow, false);
  };
  JsonValue answer = parse(body);
  return answer.is_discarded() ? parse(mend_json(body)) : answer;
}

}  // namespace icpi::http
