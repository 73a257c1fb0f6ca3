// SPDX-License-Identifier: MIT
#include "icpi/http/options.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "icpi/core/error.hpp"
#include "json_text.hpp"
#include "url.hpp"

namespace icpi::http {

namespace {

void require(bool holds, std::string_view field, std::string_view rule) {
  if (!holds) throw InvalidArgument(fmt::format("http::Options::{} must be {}", field, rule));
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

}  // namespace

Options with_environment(Options defaults) {
  if (defaults.base_urls == Options{}.base_urls && is_set("OPENAI_BASE_URL")) {
    defaults.base_urls = {std::getenv("OPENAI_BASE_URL")};
  }
  if (defaults.api_key_env.empty() && is_set("OPENAI_API_KEY")) defaults.api_key_env = "OPENAI_API_KEY";
  return defaults;
}

void validate(const Options& options) {
  using namespace std::chrono_literals;
  require(!options.base_urls.empty(), "base_urls", "at least one URL");
  for (const std::string& url : options.base_urls) static_cast<void>(parse_base_url(url));
  require(options.concurrency > 0 && options.concurrency <= 4096, "concurrency", "in 1 .. 4096");
  require(options.prompts_per_request > 0, "prompts_per_request", "> 0");
  require(std::isfinite(options.requests_per_minute) && options.requests_per_minute >= 0, "requests_per_minute",
          "finite and >= 0");
  require(options.retries.attempts > 0, "retries.attempts", "> 0");
  require(options.retries.patience >= 0ms, "retries.patience", ">= 0");
  require(options.retries.first_backoff > 0ms, "retries.first_backoff", "> 0");
  require(options.retries.longest_backoff >= options.retries.first_backoff, "retries.longest_backoff",
          ">= first_backoff");
  require(options.attempt_timeout > 0ms, "attempt_timeout", "> 0");
  require(options.connect_timeout > 0ms, "connect_timeout", "> 0");
  require(options.max_response_bytes > 0, "max_response_bytes", "> 0");
  require(options.probe || !options.model.empty(), "model", "set when probe is off");
  require(!find_invalid_utf8(options.model) && !find_invalid_utf8(options.system_message), "model and system_message",
          "UTF-8");
  require(!options.chat_max_tokens_field.empty(), "chat_max_tokens_field", "set");
  require(options.api_key_env.empty() || is_set(options.api_key_env.c_str()), "api_key_env",
          "the name of an environment variable that is set");
}

}  // namespace icpi::http
