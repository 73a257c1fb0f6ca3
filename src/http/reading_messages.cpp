// SPDX-License-Identifier: MIT
// The answers of Anthropic's messages and of OpenAI's responses.
#include <algorithm>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reading.hpp"
#include "reading_parts.hpp"

namespace icpi::http {

namespace {

using JsonValue = nlohmann::json;

/// Whether the answer has a usage; both services name its counts in the same way.
bool begin_usage(const JsonValue* usage, Usage& counts) {
  const JsonValue* input = member(usage, "input_tokens");
  const JsonValue* output = member(usage, "output_tokens");
  if (!is_count(input) || (is_there(output) && !is_count(output))) return false;
  counts.prompt_tokens = count_of(input);
  counts.completion_tokens = count_of(output);
  return true;
}

/// What came of the service's cache, and what went into it, is not part of its input.
bool read_anthropic_usage(const JsonValue& answer, Usage& counts) {
  const JsonValue* usage = member(answer, "usage");
  if (!begin_usage(usage, counts)) return false;
  counts.cached_tokens = count_of(member(usage, "cache_read_input_tokens"));
  counts.written_tokens = count_of(member(usage, "cache_creation_input_tokens"));
  counts.prompt_tokens += counts.cached_tokens + counts.written_tokens;
  return true;
}

bool read_response_usage(const JsonValue& answer, Usage& counts) {
  const JsonValue* usage = member(answer, "usage");
  if (!begin_usage(usage, counts)) return false;
  const JsonValue* details = member(usage, "input_tokens_details");
  counts.cached_tokens = std::min(count_of(member(details, "cached_tokens")), counts.prompt_tokens);
  counts.written_tokens =
      std::min(count_of(member(details, "cache_write_tokens")), counts.prompt_tokens - counts.cached_tokens);
  return true;
}

/// An answer that has neither text nor usage is none, and is asked for again.
void refuse_without_content(Reading& reading, std::string problem) {
  reading.problem = std::move(problem);
  if (reading.has_usage) reading.outcome = Reading::Outcome::refused;
}

/// The thoughts and texts of a response's items.
Content content_of_items(const JsonValue& items) {
  Content content;
  for (const JsonValue& item : items) {
    const bool thought = text_of(member(item, "type")) == "reasoning";
    for (const std::string_view key : {"summary", "content"}) {
      const JsonValue* part = member(item, key);
      if (part == nullptr) continue;
      if (part->is_array()) read_part(*part, thought, 0, content);
      if (!part->is_string()) continue;
      (thought ? content.thought : content.text) += part->get_ref<const std::string&>();
      content.present = content.present || !thought;
    }
  }
  return content;
}

/// Why a response ends before its end; empty: at its limit of tokens.
std::string find_interruption(const JsonValue& answer) {
  const std::string_view reason = text_of(member(member(answer, "incomplete_details"), "reason"));
  if (reason == "content_filter") return "the server's content filter removed text";
  if (reason.empty() || reason == "max_output_tokens") return {};
  return fmt::format("the response is not complete: {}", reason);
}

void finish_message(Content content, const CompletionRequest& request, Reading& reading) {
  if (take_content(std::move(content), request, reading)) settle_reading(request, false, reading);
}

}  // namespace

void read_anthropic(const JsonValue& answer, const CompletionRequest& request, Reading& reading) {
  Completion& completion = reading.completion;
  reading.has_usage = read_anthropic_usage(answer, completion.usage);
  const JsonValue* parts = member(answer, "content");
  if (parts == nullptr || !parts->is_array()) return refuse_without_content(reading, "the answer has no content");
  const std::string_view reason = text_of(member(answer, "stop_reason"));
  if (reason == "refusal") return refuse(reading, "the model refuses to answer");
  const bool cut = reason == "max_tokens" || reason == "model_context_window_exceeded" || reason == "pause_turn";
  completion.finish = cut ? FinishReason::length : FinishReason::stop;
  Content content;
  read_part(*parts, false, 0, content);
  finish_message(std::move(content), request, reading);
}

void read_response(const JsonValue& answer, const CompletionRequest& request, Reading& reading) {
  Completion& completion = reading.completion;
  reading.has_usage = read_response_usage(answer, completion.usage);
  const JsonValue* items = member(answer, "output");
  if (items == nullptr || !items->is_array()) return refuse_without_content(reading, "the answer has no output");
  const std::string_view status = text_of(member(answer, "status"));
  const bool incomplete = status == "incomplete";
  if (!incomplete && status != "completed" && !status.empty())
    return refuse(reading, fmt::format("the response is '{}', not completed", status));
  if (incomplete) {
    if (std::string problem = find_interruption(answer); !problem.empty()) return refuse(reading, std::move(problem));
  }
  completion.finish = incomplete ? FinishReason::length : FinishReason::stop;
  finish_message(content_of_items(*items), request, reading);
}

}  // namespace icpi::http
