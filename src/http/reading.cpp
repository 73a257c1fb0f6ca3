// SPDX-License-Identifier: MIT
#include "reading.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reading_parts.hpp"
#include "server_words.hpp"

namespace icpi::http {

namespace {

using JsonValue = nlohmann::json;

bool read_usage(const JsonValue& answer, Usage& usage) {
  const JsonValue* object = member(answer, "usage");
  const JsonValue* prompt = member(object, "prompt_tokens");
  const JsonValue* completion = member(object, "completion_tokens");
  if (!is_count(prompt) || (is_there(completion) && !is_count(completion))) return false;
  usage.prompt_tokens = count_of(prompt);
  usage.completion_tokens = count_of(completion);
  const JsonValue* cached = member(member(object, "prompt_tokens_details"), "cached_tokens");
  if (cached == nullptr) cached = member(object, "prompt_cache_hit_tokens");  // DeepSeek
  usage.cached_tokens = std::min(count_of(cached), usage.prompt_tokens);
  const JsonValue* written = member(member(object, "prompt_tokens_details"), "cache_write_tokens");
  usage.written_tokens = std::min(count_of(written), usage.prompt_tokens - usage.cached_tokens);
  return true;
}

bool append_token(Completion& completion, const JsonValue* token, const JsonValue* logprob) {
  if (token == nullptr || logprob == nullptr || !token->is_string() || !logprob->is_number()) return false;
  completion.tokens.push_back({token->get<std::string>(), logprob->get<double>()});
  return true;
}

/// The chat shape: a list of {token, logprob}. llama-server sends it from every route.
bool read_token_objects(const JsonValue* list, Completion& completion) {
  if (list == nullptr || !list->is_array()) return false;
  return std::all_of(list->begin(), list->end(), [&](const JsonValue& entry) {
    return append_token(completion, member(entry, "token"), member(entry, "logprob"));
  });
}

/// The legacy shape: two parallel lists.
bool read_token_lists(const JsonValue* logprobs, Completion& completion) {
  const JsonValue* tokens = member(logprobs, "tokens");
  const JsonValue* values = member(logprobs, "token_logprobs");
  if (tokens == nullptr || values == nullptr || !tokens->is_array() || !values->is_array()) return false;
  if (tokens->size() != values->size()) return false;
  for (std::size_t i = 0; i < tokens->size(); ++i) {
    if (!append_token(completion, &(*tokens)[i], &(*values)[i])) return false;
  }
  return true;
}

/// Drops the tokens of what was taken off in front of the text.
void drop_tokens_before(Completion& completion) {
  std::string all;
  for (const TokenLogprob& each : completion.tokens) all += each.token;
  const std::size_t begin = all.find(completion.text);
  std::size_t passed = 0;
  std::size_t dropped = 0;
  while (begin != std::string::npos && dropped < completion.tokens.size() &&
         passed + completion.tokens[dropped].token.size() <= begin) {
    passed += completion.tokens[dropped++].token.size();
  }
  completion.tokens.erase(completion.tokens.begin(), completion.tokens.begin() + static_cast<std::ptrdiff_t>(dropped));
}

/// Servers that name no reason, or one of their own, stopped by themselves unless they used up every token.
FinishReason finish_of(const JsonValue* reason, const CompletionRequest& request, const Usage& usage) {
  if (reason != nullptr && reason->is_string()) return *reason == "length" ? FinishReason::length : FinishReason::stop;
  const auto& limit = request.sampling.max_tokens;
  const bool used_up = limit && usage.completion_tokens >= static_cast<std::uint64_t>(*limit);
  return used_up ? FinishReason::length : FinishReason::stop;
}

/// The status that an error inside a choice would have had; 0: it names none.
long status_of_failure(const JsonValue& choice) {
  const JsonValue* error = member(choice, "error");
  return error == nullptr ? 0 : read_server_words(*error, {}).status;
}

void read_choice(const JsonValue& choice, ChoiceShape shape, const CompletionRequest& request, const Usage& usage,
                 Reading& reading) {
  const JsonValue* reason = member(choice, "finish_reason");
  const bool named = reason != nullptr && reason->is_string();
  const JsonValue* error = member(choice, "error");
  if ((named && *reason == "error") || (error != nullptr && !error->is_null())) {
    reading.outcome = Reading::Outcome::broken_off;
    reading.status = status_of_failure(choice);
    if (error != nullptr) reading.problem = read_server_words(*error, {}).message;
    if (reading.problem.empty() || error == nullptr) reading.problem = "the model broke off with an error";
    return;
  }
  if (named && *reason == "content_filter") return refuse(reading, "the server's content filter removed text");
  reading.completion.finish = finish_of(reason, request, usage);
  if (shape == ChoiceShape::message) {
    if (!take_content(content_of(member(choice, "message")), request, reading)) return;
  } else {
    const JsonValue* text = member(choice, "text");
    if (text == nullptr || !text->is_string()) return refuse(reading, "the choice has no text");
    reading.completion.text = text->get<std::string>();
  }
  const JsonValue* logprobs = member(choice, "logprobs");
  const bool present = request.want_logprobs && (read_token_objects(member(logprobs, "content"), reading.completion) ||
                                                 read_token_lists(logprobs, reading.completion));
  if (present && shape == ChoiceShape::message) drop_tokens_before(reading.completion);
  settle_reading(request, present, reading);
}

/// The prompt that a choice belongs to; nullopt: none of ours.
std::optional<std::size_t> index_of(const JsonValue& choice, std::size_t prompts) {
  const JsonValue* index = member(choice, "index");
  if (prompts == 1 && (index == nullptr || index->is_null())) return 0;
  if (index == nullptr || !index->is_number_unsigned()) return std::nullopt;
  const auto value = index->get<std::uint64_t>();
  if (value >= prompts) return std::nullopt;
  return static_cast<std::size_t>(value);
}

}  // namespace

void read_choices(const JsonValue& answer, ChoiceShape shape, std::span<const CompletionRequest* const> requests,
                  std::span<Reading> readings) {
  for (Reading& reading : readings) reading.problem = "the answer has no choice for this prompt";
  Usage usage;
  const bool has_usage = read_usage(answer, usage);
  const JsonValue* choices = member(answer, "choices");
  const bool listed = choices != nullptr && choices->is_array();
  if (listed) {
    for (const JsonValue& choice : *choices) {
      const auto index = index_of(choice, requests.size());
      if (!index || readings[*index].outcome != Reading::Outcome::unreadable) continue;
      read_choice(choice, shape, *requests[*index], usage, readings[*index]);
    }
  }
  for (Reading& reading : readings) reading.has_usage = has_usage;
  readings.front().completion.usage = usage;
  if (readings.size() > 1 || readings.front().outcome != Reading::Outcome::unreadable) return;
  if ((listed && !choices->empty()) || has_usage) readings.front().outcome = Reading::Outcome::refused;
}

void read_native(const JsonValue& answer, const CompletionRequest& request, Reading& reading) {
  const JsonValue* content = member(answer, "content");
  Completion& completion = reading.completion;
  const JsonValue* stop = member(answer, "stop_type");
  completion.finish = stop != nullptr && *stop == "limit" ? FinishReason::length : FinishReason::stop;
  const JsonValue* evaluated = member(answer, "tokens_evaluated");
  reading.has_usage = is_count(evaluated);
  completion.usage.prompt_tokens = count_of(evaluated);
  completion.usage.completion_tokens = count_of(member(answer, "tokens_predicted"));
  const std::uint64_t cached = count_of(member(member(answer, "timings"), "cache_n"));
  completion.usage.cached_tokens = std::min(cached, completion.usage.prompt_tokens);
  if (content == nullptr || !content->is_string()) {
    reading.problem = "the answer has no content";
    if (reading.has_usage) reading.outcome = Reading::Outcome::refused;
    return;
  }
  completion.text = content->get<std::string>();
  const bool present =
      request.want_logprobs && read_token_objects(member(answer, "completion_probabilities"), completion);
  settle_reading(request, present, reading);
}

}  // namespace icpi::http
