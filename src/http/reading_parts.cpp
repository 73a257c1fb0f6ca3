// SPDX-License-Identifier: MIT
#include "reading_parts.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "choices.hpp"

namespace icpi::http {

namespace {

using JsonValue = nlohmann::json;

/// Cuts text and tokens before the first stop string: some servers leave it in, some models are not sent any.
void cut_at_stop(const CompletionRequest& request, Completion& completion) {
  std::size_t end = std::string::npos;
  for (const std::string_view stop : request.stop) end = std::min(end, completion.text.find(stop));
  if (end != std::string::npos) {
    completion.text.resize(end);
    completion.finish = FinishReason::stop;
  }
  std::size_t covered = 0;
  std::size_t kept = 0;
  while (kept < completion.tokens.size() && covered < completion.text.size()) {
    covered += completion.tokens[kept++].token.size();
  }
  completion.tokens.resize(kept);
}

bool among(std::span<const std::string_view> choices, std::string_view text) {
  return std::find(choices.begin(), choices.end(), text) != choices.end();
}

/// The arguments of the first call of a tool; empty: there is none.
std::string call_of(const JsonValue* message) {
  const JsonValue* calls = member(message, "tool_calls");
  if (calls == nullptr || !calls->is_array() || calls->empty()) return {};
  const JsonValue* arguments = member(member(calls->front(), "function"), "arguments");
  if (arguments == nullptr) return {};
  return arguments->is_string() ? arguments->get<std::string>() : arguments->dump();
}

/// What took all tokens, so that no answer came; empty: nothing did. Some servers do not show the thought that did.
std::string_view find_culprit(const Content& content, const Completion& completion) {
  const bool cut = completion.finish == FinishReason::length;
  const bool blank = content.text.find_first_not_of(" \t\r\n") == std::string::npos;
  if (blank && !completion.thought.empty() && (cut || !content.present)) return "the model's thought";
  return cut && content.text.empty() ? "the model, perhaps with a thought that is not shown," : "";
}

}  // namespace

const JsonValue* member(const JsonValue& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

const JsonValue* member(const JsonValue* object, std::string_view key) {
  return object == nullptr ? nullptr : member(*object, key);
}

std::string_view text_of(const JsonValue* value) {
  if (value == nullptr || !value->is_string()) return {};
  return value->get_ref<const std::string&>();
}

bool is_there(const JsonValue* value) { return value != nullptr && !value->is_null(); }

bool is_count(const JsonValue* number) {
  constexpr double most = 0x1p40;
  return number != nullptr && number->is_number() && number->get<double>() >= 0 && number->get<double>() <= most;
}

std::uint64_t count_of(const JsonValue* number) {
  return is_count(number) ? static_cast<std::uint64_t>(number->get<double>()) : 0;  // some servers write 12.0
}

void read_part(const JsonValue& part, bool thinking, int depth, Content& content) {
  constexpr int deepest_part = 4;
  if (depth > deepest_part) return;
  if (part.is_array()) {
    for (const JsonValue& each : part) read_part(each, thinking, depth + 1, content);
    return;
  }
  const std::string_view type = text_of(member(part, "type"));
  if (type == "refusal") content.refusal = true;
  if (type == "tool_use" && member(part, "input") != nullptr) {
    content.text += member(part, "input")->dump();
    content.present = true;
    return;
  }
  thinking = thinking || type == "thinking" || type == "reasoning";
  for (const std::string_view key : {"text", "thinking", "reasoning"}) {
    const JsonValue* text = member(part, key);
    if (text == nullptr) continue;
    if (text->is_array()) read_part(*text, thinking || key != "text", depth + 1, content);
    if (!text->is_string()) continue;
    (thinking || key != "text" ? content.thought : content.text) += text->get_ref<const std::string&>();
    content.present = content.present || (!thinking && key == "text");
  }
}

Content content_of(const JsonValue* message) {
  Content content;
  for (const std::string_view key : {"reasoning_content", "reasoning"}) {
    if (content.thought.empty()) content.thought = text_of(member(message, key));
  }
  const JsonValue* refusal = member(message, "refusal");
  content.refusal = refusal != nullptr && refusal->is_string();
  if (std::string call = call_of(message); !call.empty()) {
    content.text = std::move(call);
    content.present = true;
    return content;
  }
  const JsonValue* text = member(message, "content");
  if (text == nullptr) return content;
  if (text->is_array()) read_part(*text, false, 0, content);
  if (!text->is_string()) return content;
  ChatText parts = split_thought(text->get_ref<const std::string&>());
  content.thought += parts.thought;
  content.text = std::move(parts.answer);
  content.present = !parts.unfinished;
  return content;
}

bool take_content(Content content, const CompletionRequest& request, Reading& reading) {
  Completion& completion = reading.completion;
  completion.thought = std::move(content.thought);
  const auto& limit = request.sampling.max_tokens;
  if (const std::string_view culprit = find_culprit(content, completion); !culprit.empty()) {
    refuse(reading,
           fmt::format("{} used up its {}tokens before an answer came: raise max_tokens or thinking_tokens, or "
                       "switch thinking off",
                       culprit, limit ? fmt::format("{} ", *limit) : std::string()));
    return false;
  }
  if (!content.present) {
    refuse(reading, content.refusal ? "the model refuses to answer" : "the message has no text");
    return false;
  }
  const bool wrapped = !request.choices.empty() && !among(request.choices, content.text);
  if (std::optional<std::string> choice = wrapped ? unwrap_choice(content.text) : std::nullopt) {
    completion.text = *std::move(choice);
    completion.finish = FinishReason::stop;  // it came whole
    return true;
  }
  const bool chosen = !wrapped && !request.choices.empty();
  completion.text = chosen ? std::move(content.text) : clean_answer(content.text, request, reading.cleaning);
  if (reading.cleaning.stopped) completion.finish = FinishReason::stop;
  return true;
}

void settle_reading(const CompletionRequest& request, bool logprobs_present, Reading& reading) {
  Completion& completion = reading.completion;
  completion.error = {};
  if (request.want_logprobs && !logprobs_present && !completion.text.empty())
    return refuse(reading, "the server sends no log-probabilities");
  if (!request.want_logprobs) completion.tokens.clear();
  cut_at_stop(request, completion);
  reading.off_choices = !request.choices.empty() && !among(request.choices, completion.text);
  reading.outcome = Reading::Outcome::answer;
}

void refuse(Reading& reading, std::string problem) {
  reading.outcome = Reading::Outcome::refused;
  reading.problem = std::move(problem);
}

}  // namespace icpi::http
