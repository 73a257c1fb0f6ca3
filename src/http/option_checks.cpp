// SPDX-License-Identifier: MIT
#include "icpi/http/options.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>

#include "body.hpp"
#include "dialect.hpp"
#include "icpi/core/error.hpp"
#include "json_text.hpp"
#include "url.hpp"

namespace icpi::http {

namespace {

void require(bool holds, std::string_view field, std::string_view rule) {
  if (!holds) throw InvalidArgument(fmt::format("http::Options::{} must be {}", field, rule));
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  for (std::size_t comma = 0; comma != std::string_view::npos;) {
    comma = list.find(',');
    parts.emplace_back(list.substr(0, comma));
    if (comma != std::string_view::npos) list.remove_prefix(comma + 1);
  }
  return parts;
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool is_header_name(std::string_view name) {
  return !name.empty() && name.find_first_not_of(
                              "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string_view::npos;
}

/// Headers that carry keys: their values are for no command line and no source file.
bool holds_key(std::string_view header) {
  std::string name(header);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
  const auto ends = [&](std::string_view word) { return name.ends_with(word); };
  return ends("authorization") || ends("key") || ends("token") || ends("secret") || ends("cookie");
}

void validate(const RequestShape& request) {
  for (const RequestSetting& header : request.headers) {
    require(is_header_name(header.name), "request.headers", "named by letters, digits and dashes");
    require(header.value.empty() || !holds_key(header.name), fmt::format("request.headers '{}'", header.name),
            "from the environment or a file, as it may hold a key");
  }
  for (const RequestSetting& part : request.query) require(!part.name.empty(), "request.query", "named");
  for (const auto* list : {&request.headers, &request.query}) {
    for (const RequestSetting& each : *list) {
      const int sources = (each.value.empty() ? 0 : 1) + (each.env.empty() ? 0 : 1) + (each.file.empty() ? 0 : 1);
      require(sources <= 1, fmt::format("request '{}'", each.name), "a value, a variable or a file");
    }
  }
  require(request.api_key_header.empty() || is_header_name(request.api_key_header), "request.api_key_header",
          "the name of a header");
  for (const std::string& field : request.omit) {
    require(!field.empty(), "request.omit", "names");
    require(field != "prompt" && field != "messages", "request.omit", "other fields than the prompt");
  }
  for (const auto& [field, name] : request.rename)
    require(!field.empty() && !name.empty(), "request.rename", "pairs of names");
  require(request.lowest_temperature >= 0 && request.lowest_temperature <= request.highest_temperature,
          "request.lowest_temperature", "in 0 .. highest_temperature");
  static_cast<void>(shape_of(request));
}

/// A value of these types may be any number, as it is when it comes from another language or an older program.
void validate_names(const Options& options) {
  require(options.dialect <= Dialect::responses, "dialect", "one of completions .. responses");
  require(options.server <= ServerKind::sglang, "server", "one of automatic .. sglang");
  require(options.chat_style <= ChatStyle::turns, "chat_style", "continuation or turns");
  require(options.choice_form <= ChoiceForm::grammar, "choice_form", "one of automatic .. grammar");
  require(options.vllm_choice_field <= VllmChoiceField::guided_choice, "vllm_choice_field",
          "structured_outputs or guided_choice");
}

void validate_thinking(const Options& options) {
  constexpr int least_bound = 1024;
  constexpr int most = 10'000'000;
  if (!options.thinking_tokens) return;
  const int tokens = *options.thinking_tokens;
  require(tokens >= 0 && tokens <= most, "thinking_tokens", "in 0 .. 10000000");
  require(tokens > 0 || options.effort.empty(), "effort", "empty while thinking_tokens is 0");
  const bool chat = options.dialect == Dialect::chat;
  require(tokens > 0 || !chat || !options.request.thinking_off.empty(), "thinking_tokens",
          "above 0, or request.thinking_off must say what switches thinking off");
  const bool bounded = options.dialect == Dialect::anthropic && tokens > 0 && options.effort.empty();
  require(!bounded || tokens >= least_bound, "thinking_tokens", "0 or at least 1024, unless effort is set");
}

}  // namespace

Options from_environment() {
  Options options;
  if (is_set("OPENAI_BASE_URL")) options.base_urls = split(std::getenv("OPENAI_BASE_URL"));
  if (is_set("OPENAI_API_KEY")) options.api_key_env = "OPENAI_API_KEY";
  for (const char* variable : {"SSL_CERT_FILE", "CURL_CA_BUNDLE"}) {
    if (is_set(variable)) options.ca_file = std::getenv(variable);
  }
  return options;
}

void validate(const Options& options) {
  using namespace std::chrono_literals;
  validate_names(options);
  require(!options.logprobs || strategy(options.dialect).logprobs(), "logprobs",
          fmt::format("off: the dialect {} has none", name(options.dialect)));
  require(!options.base_urls.empty(), "base_urls", "at least one URL");
  for (const std::string& url : options.base_urls) {
    const bool secure = parse_base_url(url).secure;
    const bool trusts = !secure || options.ca_file.empty() || std::ifstream(options.ca_file).good();
    require(trusts, fmt::format("ca_file '{}'", options.ca_file), "a file that can be read");
  }
  for (const std::string& url : options.moved_from) static_cast<void>(parse_base_url(url));
  require(options.concurrency > 0 && options.concurrency <= 4096, "concurrency", "in 1 .. 4096");
  require(options.prompts_per_request > 0, "prompts_per_request", "> 0");
  const double rate = options.requests_per_minute;
  require(std::isfinite(rate) && (rate == 0 || rate >= 0.001), "requests_per_minute", "0, or finite and >= 0.001");
  const double tokens = options.tokens_per_minute;
  require(std::isfinite(tokens) && (tokens == 0 || tokens >= 1), "tokens_per_minute", "0, or finite and >= 1");
  require(options.retries.attempts > 0, "retries.attempts", "> 0");
  require(options.retries.patience >= 0ms, "retries.patience", ">= 0");
  require(options.retries.first_backoff > 0ms, "retries.first_backoff", "> 0");
  require(options.retries.longest_backoff >= options.retries.first_backoff, "retries.longest_backoff",
          ">= first_backoff");
  require(options.attempt_timeout > 0ms, "attempt_timeout", "> 0");
  require(options.connect_timeout > 0ms, "connect_timeout", "> 0");
  require(options.max_response_bytes > 0, "max_response_bytes", "> 0");
  require(options.probe || !options.model.empty(), "model", "set when probe is off");
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
  require(std::none_of(options.model.begin(), options.model.end(), is_control), "model",
          "a name without control characters");
  for (const std::string* text : {&options.model, &options.system_message, &options.instruction, &options.effort})
    require(!find_invalid_utf8(*text), "model, system_message, instruction and effort", "UTF-8");
  validate_thinking(options);
  validate(options.request);
  const bool marks = options.request.prompt_cache == PromptCache::breakpoints;
  require(!marks || options.dialect == Dialect::chat, "request.prompt_cache",
          "none or key: only the dialect chat knows explicit breakpoints");
  require(!options.chat_max_tokens_field.empty(), "chat_max_tokens_field", "set");
  require(options.api_key_env.empty() || is_set(options.api_key_env.c_str()), "api_key_env",
          "the name of an environment variable that is set");
}

}  // namespace icpi::http
