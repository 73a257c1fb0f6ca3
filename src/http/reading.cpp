// SPDX-License-Identifier: MIT
#include "reading.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "json_text.hpp"

namespace icpi::http {

namespace {

using nlohmann::json;

constexpr std::size_t longest_message = 300;
constexpr std::size_t short_answer = 65536;
constexpr int deepest_answer = 32;
constexpr std::size_t shortest_secret = 8;

const json* member(const json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

const json* member(const json* object, std::string_view key) {
  return object == nullptr ? nullptr : member(*object, key);
}

/// A count of tokens; anything that cannot be one is 0.
std::uint64_t count_of(const json* number) {
  constexpr std::uint64_t plausible = std::uint64_t{1} << 40U;
  if (number == nullptr || !number->is_number()) return 0;
  const auto value = number->get<double>();  // some servers write 12.0
  return value >= 0 && value <= static_cast<double>(plausible) ? static_cast<std::uint64_t>(value) : 0;
}

bool read_usage(const json& answer, Usage& usage) {
  const json* object = member(answer, "usage");
  const json* prompt = member(object, "prompt_tokens");
  const json* completion = member(object, "completion_tokens");
  if (prompt == nullptr || !prompt->is_number() || prompt->get<double>() < 0) return false;
  usage.prompt_tokens = count_of(prompt);
  usage.completion_tokens = count_of(completion);
  const json* cached = member(member(object, "prompt_tokens_details"), "cached_tokens");
  usage.cached_tokens = std::min(count_of(cached), usage.prompt_tokens);
  return true;
}

bool append_token(Completion& completion, const json* token, const json* logprob) {
  if (token == nullptr || logprob == nullptr || !token->is_string() || !logprob->is_number()) return false;
  completion.tokens.push_back({token->get<std::string>(), logprob->get<double>()});
  return true;
}

/// The chat shape: a list of {token, logprob}. llama-server sends it from every route.
bool read_token_objects(const json* list, Completion& completion) {
  if (list == nullptr || !list->is_array()) return false;
  return std::all_of(list->begin(), list->end(), [&](const json& entry) {
    return append_token(completion, member(entry, "token"), member(entry, "logprob"));
  });
}

/// The legacy shape: two parallel lists.
bool read_token_lists(const json* logprobs, Completion& completion) {
  const json* tokens = member(logprobs, "tokens");
  const json* values = member(logprobs, "token_logprobs");
  if (tokens == nullptr || values == nullptr || !tokens->is_array() || !values->is_array()) return false;
  if (tokens->size() != values->size()) return false;
  for (std::size_t i = 0; i < tokens->size(); ++i) {
    if (!append_token(completion, &(*tokens)[i], &(*values)[i])) return false;
  }
  return true;
}

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

/// What was asked for beyond text must be there: the last step of every reading. An empty text has no tokens to tell of.
void settle(const CompletionRequest& request, bool logprobs_present, Reading& reading) {
  Completion& completion = reading.completion;
  completion.error = {};
  if (request.want_logprobs && !logprobs_present && !completion.text.empty()) {
    reading.outcome = Reading::Outcome::refused;
    reading.problem = "the server sends no log-probabilities";
    return;
  }
  if (!request.want_logprobs) completion.tokens.clear();
  cut_at_stop(request, completion);
  const auto& choices = request.choices;
  if (!choices.empty() && std::find(choices.begin(), choices.end(), completion.text) == choices.end()) {
    reading.outcome = Reading::Outcome::refused;
    reading.problem = "the server's answer is none of the given choices";
    return;
  }
  reading.outcome = Reading::Outcome::answer;
}

/// Servers that name no reason, or one of their own, stopped by themselves unless they used up every token.
FinishReason finish_of(const json* reason, const CompletionRequest& request, const Usage& usage) {
  if (reason != nullptr && reason->is_string()) return *reason == "length" ? FinishReason::length : FinishReason::stop;
  const bool used_up = usage.completion_tokens >= static_cast<std::uint64_t>(request.sampling.max_tokens);
  return used_up ? FinishReason::length : FinishReason::stop;
}

void read_choice(const json& choice, std::string_view text_field, const CompletionRequest& request, const Usage& usage,
                 Reading& reading) {
  const json* text = member(choice, text_field);
  if (text_field == "message") {
    const json* refusal = member(text, "refusal");
    text = member(text, "content");
    if (refusal != nullptr && refusal->is_string() && (text == nullptr || text->is_null())) {
      reading.outcome = Reading::Outcome::refused;
      reading.problem = "the model refuses to answer";
      return;
    }
  }
  if (text == nullptr || !text->is_string()) {
    reading.problem = "a choice has no text";
    return;
  }
  const json* reason = member(choice, "finish_reason");
  if (reason != nullptr && reason->is_string() && *reason == "content_filter") {
    reading.outcome = Reading::Outcome::refused;
    reading.problem = "the server's content filter removed text";
    return;
  }
  reading.completion.text = text->get<std::string>();
  reading.completion.finish = finish_of(reason, request, usage);
  const json* logprobs = member(choice, "logprobs");
  const bool present = request.want_logprobs && (read_token_objects(member(logprobs, "content"), reading.completion) ||
                                                 read_token_lists(logprobs, reading.completion));
  settle(request, present, reading);
}

/// The prompt that a choice belongs to; nullopt: none of ours.
std::optional<std::size_t> index_of(const json& choice, std::size_t prompts) {
  const json* index = member(choice, "index");
  if (index == nullptr && prompts == 1) return 0;
  if (index == nullptr || !index->is_number_unsigned()) return std::nullopt;
  const auto value = index->get<std::uint64_t>();
  if (value >= prompts) return std::nullopt;
  return static_cast<std::size_t>(value);
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

struct ServerWords {
  std::string message;
  std::string type;  ///< type and code together
};

ServerWords read_words(const json& parsed) {
  ServerWords words;
  const json* error = member(parsed, "error");
  const json* source = error != nullptr && error->is_object() ? error : &parsed;
  for (const std::string_view key : {"message", "detail"}) {
    const json* text = member(source, key);
    if (text != nullptr && text->is_string() && words.message.empty()) words.message = text->get<std::string>();
  }
  if (error != nullptr && error->is_string()) words.message = error->get<std::string>();
  for (const std::string_view key : {"type", "code"}) {
    const json* text = member(source, key);
    if (text != nullptr && text->is_string()) words.type += text->get<std::string>() + " ";
  }
  return words;
}

bool tells_overflow(const ServerWords& words) {
  if (words.type.find("exceed_context_size") != std::string::npos) return true;
  if (words.type.find("context_length_exceeded") != std::string::npos) return true;
  const std::string message = lower(words.message);
  return message.find("context length") != std::string::npos || message.find("context size") != std::string::npos ||
         message.find("maximum context") != std::string::npos;
}

}  // namespace

void read_choices(const json& answer, std::string_view text_field, std::span<const CompletionRequest* const> requests,
                  std::span<Reading> readings) {
  for (Reading& reading : readings) reading.problem = "the answer has no choice for this prompt";
  const json* choices = member(answer, "choices");
  if (choices == nullptr || !choices->is_array()) return;
  Usage usage;
  const bool has_usage = read_usage(answer, usage);
  bool usage_given = false;
  for (const json& choice : *choices) {
    const auto index = index_of(choice, requests.size());
    if (!index || readings[*index].outcome != Reading::Outcome::unreadable) continue;
    Reading& reading = readings[*index];
    reading.has_usage = has_usage;
    read_choice(choice, text_field, *requests[*index], usage, reading);
    if (reading.outcome == Reading::Outcome::unreadable || usage_given) continue;
    reading.completion.usage = usage;
    usage_given = true;
  }
}

void read_native(const json& answer, const CompletionRequest& request, Reading& reading) {
  const json* content = member(answer, "content");
  if (content == nullptr || !content->is_string()) {
    reading.problem = "the answer has no content";
    return;
  }
  Completion& completion = reading.completion;
  completion.text = content->get<std::string>();
  const json* stop = member(answer, "stop_type");
  completion.finish = stop != nullptr && *stop == "limit" ? FinishReason::length : FinishReason::stop;
  const json* evaluated = member(answer, "tokens_evaluated");
  reading.has_usage = evaluated != nullptr && evaluated->is_number() && evaluated->get<double>() >= 0;
  completion.usage.prompt_tokens = count_of(evaluated);
  completion.usage.completion_tokens = count_of(member(answer, "tokens_predicted"));
  const std::uint64_t cached = count_of(member(member(answer, "timings"), "cache_n"));
  completion.usage.cached_tokens = std::min(cached, completion.usage.prompt_tokens);
  const bool present =
      request.want_logprobs && read_token_objects(member(answer, "completion_probabilities"), completion);
  settle(request, present, reading);
}

std::string printable(std::string text) {
  if (text.size() > longest_message) text.resize(longest_message);
  while (const auto bad = find_invalid_utf8(text)) text.erase(*bad, 1);
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
  return text;
}

std::string redacted(std::string text, const std::string& key) {
  constexpr std::string_view mark = "[key]";
  if (key.size() < shortest_secret) return text;
  for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key, at + mark.size())) {
    text.replace(at, key.size(), mark);
  }
  return text;
}

json parse_answer(const std::string& body) {
  if (body.size() <= short_answer) return json::parse(body, nullptr, false);
  const auto shallow = [](int depth, json::parse_event_t, json&) { return depth <= deepest_answer; };
  return json::parse(body, shallow, false);
}

std::string words_of_error(const json& answer, const std::string& key) {
  if (member(answer, "error") == nullptr) return {};
  const std::string message = printable(redacted(read_words(answer).message, key));
  return message.empty() ? message : ": " + message;
}

HttpFailure judge_status(long status, const std::string& body, const std::string& key) {
  using Next = HttpFailure::Next;
  const ServerWords words = read_words(parse_answer(body));
  HttpFailure failure;
  failure.error.message = fmt::format("status {}", status);
  if (!words.message.empty()) failure.error.message += ": " + printable(redacted(words.message, key));
  const auto judge = [&](ErrorCategory category, Next next) {
    failure.error.category = category;
    failure.next = next;
    return failure;
  };
  switch (status) {
    case 401:
    case 403: return judge(ErrorCategory::authentication, Next::give_up);
    case 408:
    case 504: return judge(ErrorCategory::timeout, Next::retry);
    case 409:
    case 425: return judge(ErrorCategory::transport, Next::retry);
    case 429:
      if (words.type.find("insufficient_quota") != std::string::npos) {
        return judge(ErrorCategory::budget_exhausted, Next::give_up);
      }
      return judge(ErrorCategory::rate_limited, Next::come_later);
    case 501: return judge(ErrorCategory::invalid_request, Next::give_up);
    case 503: return judge(ErrorCategory::transport, Next::come_later);
    default: break;
  }
  if (status >= 500) return judge(ErrorCategory::transport, Next::retry);
  return judge(tells_overflow(words) ? ErrorCategory::context_overflow : ErrorCategory::invalid_request, Next::give_up);
}

}  // namespace icpi::http
