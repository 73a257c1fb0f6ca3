// SPDX-License-Identifier: MIT
#include "icpi/http/service.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include <fmt/format.h>

#include "icpi/core/error.hpp"

namespace icpi::http {

namespace {

constexpr double any_temperature = std::numeric_limits<double>::infinity();
constexpr std::size_t any_number = std::numeric_limits<std::size_t>::max();
constexpr std::string_view older = "max_tokens";
constexpr std::string_view newer = "max_completion_tokens";

}  // namespace

const std::vector<Service>& services() {
  using enum Dialect;
  using enum ServerKind;
  static const std::vector<Service> all{
      {"openai", "https://api.openai.com/v1", "OPENAI_API_KEY", chat, generic, newer, {}, "", "", "", 0, 2, 4},
      // They draw at temperature 1 and refuse to be told otherwise.
      {"openai-reasoning",
       "https://api.openai.com/v1",
       "OPENAI_API_KEY",
       chat,
       generic,
       newer,
       {"temperature", "top_p", "seed", "logprobs"},
       "",
       "",
       "",
       0,
       any_temperature,
       4},
      {"anthropic",
       "https://api.anthropic.com/v1",
       "ANTHROPIC_API_KEY",
       chat,
       generic,
       older,
       {"seed", "logprobs"},
       "",
       "",
       "",
       0,
       1,
       any_number},
      {"gemini",
       "https://generativelanguage.googleapis.com/v1beta/openai",
       "GEMINI_API_KEY",
       chat,
       generic,
       older,
       {"seed"},
       "",
       "",
       "",
       0,
       2,
       any_number},
      {"mistral",
       "https://api.mistral.ai/v1",
       "MISTRAL_API_KEY",
       chat,
       generic,
       older,
       {},
       "seed=random_seed",
       "",
       "",
       0,
       1.5,
       any_number},
      // While it thinks, temperature and top_p do nothing.
      {"deepseek",
       "https://api.deepseek.com/v1",
       "DEEPSEEK_API_KEY",
       chat,
       generic,
       older,
       {"seed"},
       "",
       R"({"thinking":{"type":"disabled"}})",
       "",
       0,
       2,
       16},
      {"azure", "", "AZURE_OPENAI_API_KEY", chat, generic, newer, {}, "", "", "api-key", 0, 2, 4},
      // Without require_parameters what a provider does not know is dropped in silence.
      {"openrouter",
       "https://openrouter.ai/api/v1",
       "OPENROUTER_API_KEY",
       chat,
       generic,
       older,
       {"seed"},
       "",
       R"({"provider":{"require_parameters":true}})",
       "",
       0,
       2,
       4},
      {"litellm", "http://127.0.0.1:4000/v1", "LITELLM_API_KEY", chat, generic, older, {"seed"}, "", "", "", 0, 2, 4},
      // Refuses temperature 0 and top_p 1.
      {"tgi", "http://127.0.0.1:8080/v1", "", chat, generic, older, {}, "", "", "", 0.01, any_temperature, 4},
      {"vllm", "http://127.0.0.1:8000/v1", "", completions, vllm, older, {}, "", "", "", 0, any_temperature, 4},
      {"sglang",
       "http://127.0.0.1:30000/v1",
       "",
       completions,
       sglang,
       older,
       {},
       "",
       "",
       "",
       0,
       any_temperature,
       any_number},
      {"llama-server",
       "http://127.0.0.1:8080/v1",
       "",
       completions,
       llama_server,
       older,
       {},
       "",
       "",
       "",
       0,
       any_temperature,
       any_number},
      {"ollama",
       "http://127.0.0.1:11434/v1",
       "",
       completions,
       generic,
       older,
       {},
       "",
       "",
       "",
       0,
       any_temperature,
       any_number},
      {"generic", "", "", completions, automatic, older, {}, "", "", "", 0, any_temperature, any_number},
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
  return options;
}

}  // namespace icpi::http
