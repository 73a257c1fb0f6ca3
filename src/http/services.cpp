// SPDX-License-Identifier: MIT
#include "icpi/http/service.hpp"

#include <optional>
#include <string>

#include <fmt/format.h>

#include "icpi/core/error.hpp"

namespace icpi::http {

const std::vector<Service>& services() {
  static const std::vector<Service> all{
      {.name = "openai",
       .base_url = "https://api.openai.com/v1",
       .key_variable = "OPENAI_API_KEY",
       .max_tokens_field = "max_completion_tokens",
       .highest_temperature = 2,
       .most_stops = 4,
       .choices = ChoiceForm::json_schema,
       .prompt_cache = PromptCache::key},
      // They draw at temperature 1 and refuse to be told otherwise.
      {.name = "openai-reasoning",
       .base_url = "https://api.openai.com/v1",
       .key_variable = "OPENAI_API_KEY",
       .max_tokens_field = "max_completion_tokens",
       .omit = {"temperature", "top_p", "seed", "logprobs"},
       .most_stops = 4,
       .choices = ChoiceForm::json_schema,
       .thinking_off = R"({"reasoning_effort":"none"})",
       .prompt_cache = PromptCache::key},
      // Its newer models draw as they like, and refuse to be told otherwise.
      {.name = "anthropic",
       .base_url = "https://api.anthropic.com/v1",
       .key_variable = "ANTHROPIC_API_KEY",
       .dialect = Dialect::anthropic,
       .omit = {"temperature", "top_p", "seed", "logprobs"},
       .highest_temperature = 1,
       .choices = ChoiceForm::json_schema,
       .thinking_off = R"({"thinking":{"type":"disabled"}})",
       .starts_quiet = true},
      {.name = "gemini",
       .base_url = "https://generativelanguage.googleapis.com/v1beta/openai",
       .key_variable = "GEMINI_API_KEY",
       .omit = {"seed"},
       .highest_temperature = 2,
       .choices = ChoiceForm::json_schema,
       .thinking_off = R"({"reasoning_effort":"none"})"},
      {.name = "mistral",
       .base_url = "https://api.mistral.ai/v1",
       .key_variable = "MISTRAL_API_KEY",
       .rename = "seed=random_seed",
       .highest_temperature = 1.5,
       .choices = ChoiceForm::json_schema,
       .thinking_off = R"({"reasoning_effort":"none"})",
       .prompt_cache = PromptCache::key},
      // While it thinks, temperature and top_p do nothing.
      {.name = "deepseek",
       .base_url = "https://api.deepseek.com/v1",
       .key_variable = "DEEPSEEK_API_KEY",
       .omit = {"seed"},
       .highest_temperature = 2,
       .most_stops = 16,
       .choices = ChoiceForm::json_object,
       .thinking_off = R"({"thinking":{"type":"disabled"}})",
       .starts_quiet = true},
      {.name = "azure",
       .key_variable = "AZURE_OPENAI_API_KEY",
       .max_tokens_field = "max_completion_tokens",
       .api_key_header = "api-key",
       .highest_temperature = 2,
       .most_stops = 4,
       .choices = ChoiceForm::json_schema,
       .thinking_off = R"({"reasoning_effort":"none"})"},
      // Without require_parameters what a provider does not know is dropped in silence.
      {.name = "openrouter",
       .base_url = "https://openrouter.ai/api/v1",
       .key_variable = "OPENROUTER_API_KEY",
       .omit = {"seed"},
       .extra = R"({"provider":{"require_parameters":true}})",
       .highest_temperature = 2,
       .most_stops = 4,
       .choices = ChoiceForm::json_schema,
       .thinking_off = R"({"reasoning":{"enabled":false}})",
       .prompt_cache = PromptCache::key},
      {.name = "litellm",
       .base_url = "http://127.0.0.1:4000/v1",
       .key_variable = "LITELLM_API_KEY",
       .omit = {"seed"},
       .highest_temperature = 2,
       .most_stops = 4,
       .choices = ChoiceForm::json_schema,
       .thinking_off = R"({"reasoning_effort":"none"})"},
      // Refuses temperature 0 and top_p 1.
      {.name = "tgi",
       .base_url = "http://127.0.0.1:8080/v1",
       .lowest_temperature = 0.01,
       .most_stops = 4,
       .choices = ChoiceForm::response_regex,
       .choices_after_thought = false},
      {.name = "vllm",
       .base_url = "http://127.0.0.1:8000/v1",
       .dialect = Dialect::completions,
       .server = ServerKind::vllm,
       .most_stops = 4,
       .thinking_off = R"({"chat_template_kwargs":{"enable_thinking":false}})"},
      {.name = "sglang",
       .base_url = "http://127.0.0.1:30000/v1",
       .dialect = Dialect::completions,
       .server = ServerKind::sglang,
       .choices_after_thought = false,
       .thinking_off = R"({"chat_template_kwargs":{"enable_thinking":false}})"},
      {.name = "llama-server",
       .base_url = "http://127.0.0.1:8080/v1",
       .dialect = Dialect::completions,
       .server = ServerKind::llama_server,
       .choices_after_thought = false,
       .thinking_off = R"({"chat_template_kwargs":{"enable_thinking":false}})"},
      {.name = "ollama",
       .base_url = "http://127.0.0.1:11434/v1",
       .dialect = Dialect::completions,
       .choices = ChoiceForm::json_schema,
       .choices_after_thought = false,
       .thinking_off = R"({"reasoning_effort":"none"})"},
      {.name = "generic", .dialect = Dialect::completions, .server = ServerKind::automatic},
  };
  return all;
}

const Service& find_service(std::string_view name) {
  std::string known;
  for (const Service& each : services()) {
    if (each.name == name) return each;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", each.name);
  }
  throw InvalidArgument(fmt::format("service '{}' is not known; choose one of {}", name, known));
}

Options for_service(const Service& service, Options options) {
  if (!service.base_url.empty()) options.base_urls = {std::string(service.base_url)};
  options.api_key_env = service.key_variable;
  options.dialect = service.dialect;
  options.server = service.server;
  options.chat_max_tokens_field = service.max_tokens_field;
  RequestShape& request = options.request;
  request.omit.assign(service.omit.begin(), service.omit.end());
  request.rename.clear();
  if (const std::size_t sign = service.rename.find('='); sign != std::string_view::npos)
    request.rename.emplace_back(service.rename.substr(0, sign), service.rename.substr(sign + 1));
  request.extra = service.extra;
  request.api_key_header = service.api_key_header;
  request.lowest_temperature = service.lowest_temperature;
  request.highest_temperature = service.highest_temperature;
  request.most_stops = service.most_stops;
  request.thinking_off = service.thinking_off;
  request.prompt_cache = service.prompt_cache;
  options.choice_form = service.choices;
  options.choices_after_thought = service.choices_after_thought;
  options.thinking_tokens = service.starts_quiet ? std::optional<int>(0) : std::nullopt;
  return options;
}

}  // namespace icpi::http
