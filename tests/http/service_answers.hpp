// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "icpi/concepts/language_model.hpp"
#include "scripted_server.hpp"

namespace icpi_test {

namespace detail {

using nlohmann::json;

constexpr std::uint64_t hidden_thought_tokens = 7;
constexpr std::int64_t created = 1'790'000'000;

/// The object that OpenAI's two routes answer with.
inline json openai_answer(bool chat, const json& asked, const std::string& text, const icpi::Usage& usage) {
  json choice{{"index", 0}, {"finish_reason", "stop"}, {"logprobs", nullptr}};
  if (chat) {
    choice["message"] = {{"role", "assistant"}, {"content", text}};
  } else {
    choice["text"] = text;
  }
  return {{"id", chat ? "chatcmpl-1" : "cmpl-1"},
          {"object", chat ? "chat.completion" : "text_completion"},
          {"created", created},
          {"model", asked.at("model")},
          {"choices", {choice}},
          {"usage",
           {{"prompt_tokens", usage.prompt_tokens},
            {"completion_tokens", usage.completion_tokens},
            {"total_tokens", usage.prompt_tokens + usage.completion_tokens}}}};
}

inline json messages_answer(const json& asked, const std::string& text, const icpi::Usage& usage) {
  return {{"id", "msg_1"},
          {"type", "message"},
          {"role", "assistant"},
          {"model", asked.at("model")},
          {"content", {{{"type", "text"}, {"text", text}}}},
          {"stop_reason", "end_turn"},
          {"stop_sequence", nullptr},
          {"usage",
           {{"input_tokens", usage.prompt_tokens - usage.cached_tokens},
            {"cache_read_input_tokens", usage.cached_tokens},
            {"cache_creation_input_tokens", 0},
            {"output_tokens", usage.completion_tokens}}}};
}

/// What services say beyond OpenAI's answer.
inline void dress(std::string_view service, const icpi::Usage& counted, json& answer) {
  json& usage = answer["usage"];
  json& choice = answer["choices"][0];
  const json cached{{"cached_tokens", counted.cached_tokens}};
  if (service == "openai" || service == "openai-reasoning" || service == "azure") {
    usage["prompt_tokens_details"] = cached;
    usage["completion_tokens_details"] = {
        {"reasoning_tokens", service == "openai-reasoning" ? hidden_thought_tokens : 0}};
    choice["message"]["refusal"] = nullptr;
    answer["system_fingerprint"] = "fp_1";
  }
  if (service == "azure") {
    const json fine{{"hate", {{"filtered", false}, {"severity", "safe"}}}};
    choice["content_filter_results"] = fine;
    answer["prompt_filter_results"] = {{{"prompt_index", 0}, {"content_filter_results", fine}}};
  } else if (service == "mistral") {
    const std::string text = choice["message"]["content"];
    choice["message"]["content"] = {
        {{"type", "thinking"}, {"thinking", {{{"type", "text"}, {"text", "The record breaks off."}}}}},
        {{"type", "text"}, {"text", text}}};
    choice.erase("logprobs");
  } else if (service == "deepseek") {
    usage["prompt_cache_hit_tokens"] = counted.cached_tokens;
    usage["prompt_cache_miss_tokens"] = counted.prompt_tokens - counted.cached_tokens;
  } else if (service == "openrouter") {
    choice["message"]["reasoning"] = "The record breaks off.";
    choice["native_finish_reason"] = "end_turn";
    usage["prompt_tokens_details"] = cached;
    usage["cost"] = 0.00014;
    answer["provider"] = "somebody";
  } else if (service == "vllm") {
    choice["stop_reason"] = nullptr;
    usage["prompt_tokens_details"] = nullptr;
  } else if (service == "sglang") {
    choice["matched_stop"] = "\n";
    answer["metadata"] = {{"weight_version", "default"}};
  } else if (service == "llama-server") {
    usage["prompt_tokens_details"] = cached;
    answer["timings"] = {{"prompt_n", counted.prompt_tokens - counted.cached_tokens}, {"predicted_ms", 1.5}};
  }
}

/// Whether the service says which prompt tokens it had kept.
inline bool tells_cached(std::string_view service) {
  for (const std::string_view each :
       {"openai", "openai-reasoning", "azure", "deepseek", "openrouter", "llama-server", "anthropic"}) {
    if (service == each) return true;
  }
  return false;
}

/// What limits of a rate look like there; nothing is used up.
inline std::string rate_headers(std::string_view service) {
  if (service == "openai" || service == "openai-reasoning")
    return "x-ratelimit-limit-tokens: 30000000\r\nx-ratelimit-remaining-tokens: 29999000\r\n"
           "x-ratelimit-reset-tokens: 6ms\r\nx-ratelimit-remaining-requests: 9999\r\n";
  if (service == "anthropic")
    return "anthropic-ratelimit-tokens-limit: 8000000\r\nanthropic-ratelimit-tokens-remaining: 7999000\r\n"
           "anthropic-ratelimit-tokens-reset: 2026-11-26T00:00:00Z\r\n";
  return {};
}

}  // namespace detail

/// The tokens that the service says it took, where `asked` is what a prompt and its answer have.
inline icpi::Usage counted_by(std::string_view service, icpi::Usage asked) {
  asked.cached_tokens = detail::tells_cached(service) ? asked.prompt_tokens / 2 : 0;
  if (service == "openai-reasoning") asked.completion_tokens += detail::hidden_thought_tokens;
  return asked;
}

/// An answer in the service's own shape.
inline HttpReply answer_of(std::string_view service, const nlohmann::json& asked, const std::string& text,
                           const icpi::Usage& usage) {
  HttpReply reply;
  reply.headers = detail::rate_headers(service);
  if (service == "anthropic") {
    reply.body = detail::messages_answer(asked, text, usage).dump();
    return reply;
  }
  nlohmann::json answer = detail::openai_answer(asked.contains("messages"), asked, text, usage);
  detail::dress(service, usage, answer);
  // A queue that is waited in shows in empty lines.
  reply.body = (service == "deepseek" ? "\n\n" : "") + answer.dump();
  return reply;
}

/// A refusal of a field in the service's own shape.
inline HttpReply refusal_of(std::string_view service, const std::string& field) {
  using nlohmann::json;
  const std::string words = "unknown field " + field;
  const json plain{{"message", words}, {"type", "invalid_request_error"}, {"param", nullptr}, {"code", nullptr}};
  HttpReply reply;
  reply.status = 400;
  json body{{"error", plain}};
  if (service == "openai" || service == "openai-reasoning" || service == "azure") {
    body["error"]["param"] = field;
    body["error"]["code"] = "unsupported_parameter";
  } else if (service == "anthropic") {
    body = {
        {"type", "error"}, {"error", {{"type", "invalid_request_error"}, {"message", words}}}, {"request_id", "req_1"}};
  } else if (service == "gemini") {
    body = {{{"error", {{"code", 400}, {"message", words}, {"status", "INVALID_ARGUMENT"}}}}};
  } else if (service == "mistral") {
    reply.status = 422;
    const json detail{{{"type", "extra_forbidden"}, {"loc", {"body", field}}, {"msg", words}, {"input", 1}}};
    body = plain;
    body["object"] = "error";
    body["message"] = {{"detail", detail}};
  } else if (service == "openrouter") {
    body = {{"error", {{"code", 400}, {"message", words}, {"metadata", {{"provider_name", "somebody"}}}}}};
  } else if (service == "litellm") {
    body["error"]["code"] = "400";
  } else if (service == "tgi") {
    reply.status = 422;
    body = {{"error", words}, {"error_type", "validation"}};
  } else if (service == "vllm" || service == "llama-server") {
    body["error"]["code"] = 400;
  } else if (service == "sglang") {
    body = plain;
    body["object"] = "error";
  }
  reply.body = body.dump();
  return reply;
}

/// What Gemini says to somebody who asks too often: to come again after `delay`.
inline HttpReply limit_of_gemini(const std::string& delay) {
  using nlohmann::json;
  const json wait{{"@type", "type.googleapis.com/google.rpc.RetryInfo"}, {"retryDelay", delay}};
  const json error{
      {"code", 429}, {"message", "too many questions"}, {"status", "RESOURCE_EXHAUSTED"}, {"details", {wait}}};
  HttpReply reply;
  reply.status = 429;
  reply.body = json{{{"error", error}}}.dump();
  return reply;
}

}  // namespace icpi_test
