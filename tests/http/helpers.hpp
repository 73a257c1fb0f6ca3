// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "icpi/http/language_model.hpp"
#include "scripted_server.hpp"

namespace icpi_test {

/// Options that fail fast: milliseconds between attempts.
inline icpi::http::Options quick_options(const std::vector<std::string>& urls) {
  using namespace std::chrono_literals;
  icpi::http::Options options;
  options.base_urls = urls;
  options.model = "scripted";
  options.probe = false;
  options.retries = {.attempts = 3, .patience = 300ms, .first_backoff = 2ms, .longest_backoff = 20ms};
  options.attempt_timeout = 2s;
  return options;
}

/// The body of a well-formed completion.
inline std::string completion_body(const std::string& text, const std::string& finish = "stop") {
  const nlohmann::json body{
      {"object", "text_completion"},
      {"choices", {{{"index", 0}, {"text", text}, {"finish_reason", finish}, {"logprobs", nullptr}}}},
      {"usage", {{"prompt_tokens", 11}, {"completion_tokens", 3}, {"prompt_tokens_details", {{"cached_tokens", 10}}}}}};
  return body.dump();
}

/// What a deterministic model says to a prompt.
inline std::string echo_text(const std::string& prompt) {
  std::size_t hash = 1469598103934665603U;
  for (const char c : prompt) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return fmt::format(" value {}.", hash % 1000);
}

/// An answer that depends on the prompt and the sampling alone.
inline HttpReply echo_reply(const HttpRequest& request) {
  HttpReply reply;
  reply.body = completion_body(echo_text(nlohmann::json::parse(request.body).at("prompt").get<std::string>()));
  return reply;
}

/// Keeps the last body and answers with a fixed text.
struct Recorder {
  explicit Recorder(std::string answer)
      : server([this, answer](const HttpRequest& request) {
          const std::lock_guard lock(mutex);
          path = request.path;
          headers = request.headers;
          sent = nlohmann::json::parse(request.body);
          HttpReply reply;
          reply.body = answer;
          return reply;
        }) {}
  std::mutex mutex;
  std::string path;
  std::string headers;
  nlohmann::json sent;
  ScriptedServer server;
};

/// Asks one question.
inline icpi::Completion ask(icpi::http::HttpLanguageModel& model, const icpi::CompletionRequest& request) {
  icpi::Completion completion;
  model.complete({&request, 1}, {&completion, 1});
  return completion;
}

inline icpi::CompletionRequest plain_request(std::string_view query = "the cat sat on the mat") {
  icpi::CompletionRequest request;
  request.query = query;
  return request;
}

}  // namespace icpi_test
