// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace icpi_test {

/// What a real service takes. Whatever is not named here, it refuses.
struct ServiceRules {
  using Fields = std::set<std::string>;
  /// The field whose value is wrong; empty: none.
  using Fault = std::string (*)(const nlohmann::json& body);

  Fields fields;                                                   ///< of the body
  std::string path = "/v1/chat/completions";                       ///< of questions
  std::string header = "authorization: bearer service-key-12345";  ///< that must be there; empty: none
  Fault fault = nullptr;                                           ///< a value out of its range
  std::string other_header{};                                      ///< that does in place of `header`; empty: none

  /// Whether `headers`, raw and in small letters, say who asks.
  [[nodiscard]] bool admits(const std::string& headers) const {
    const auto has = [&](const std::string& line) { return headers.find("\r\n" + line) != std::string::npos; };
    return has(header) || (!other_header.empty() && has(other_header));
  }

  /// Why a request is refused: the field, or what is missing; empty: it is taken.
  [[nodiscard]] std::string refused_field(const nlohmann::json& body) const {
    for (const auto& [field, value] : body.items()) {
      if (!fields.contains(field)) return field;
    }
    return fault == nullptr ? "" : fault(body);
  }
};

namespace detail {

using Fields = ServiceRules::Fields;

inline Fields with(Fields fields, const Fields& more) {
  fields.insert(more.begin(), more.end());
  return fields;
}

inline Fields chat_fields(const Fields& more) {
  return with({"model", "messages", "temperature", "top_p", "stop", "response_format"}, more);
}

inline Fields completion_fields(const Fields& more) {
  return with({"model", "prompt", "max_tokens", "temperature", "top_p", "stop", "seed", "presence_penalty",
               "frequency_penalty"},
              more);
}

inline double temperature(const nlohmann::json& body) { return body.value("temperature", 1.0); }

template <int tenths>
std::string warmer_than(const nlohmann::json& body) {
  return temperature(body) > tenths / 10.0 ? "temperature" : "";
}

inline std::string more_than_four_stops(const nlohmann::json& body) {
  return body.value("stop", nlohmann::json::array()).size() > 4 ? "stop" : "";
}

/// Services that are asked over chat.
inline ServiceRules chat_rules(std::string_view service) {
  ServiceRules rules{chat_fields({"max_tokens"})};
  if (service == "openai") {
    rules.fields = chat_fields({"max_tokens", "max_completion_tokens", "seed", "prompt_cache_key"});
    rules.fault = warmer_than<20>;
  } else if (service == "openai-reasoning") {
    rules.fields = {
        "model",    "messages", "max_completion_tokens", "reasoning_effort", "response_format", "prompt_cache_key",
        "verbosity"};
  } else if (service == "mistral") {
    rules.fields.insert({"random_seed", "prompt_cache_key", "stream"});
    rules.fault = warmer_than<15>;
  } else if (service == "deepseek") {
    rules.fields.insert("thinking");
    rules.fault = [](const nlohmann::json& body) -> std::string {
      const nlohmann::json disabled{{"type", "disabled"}};
      return body.value("thinking", nlohmann::json()) == disabled ? "" : "thinking";
    };
  } else if (service == "azure") {
    rules.fields = chat_fields({"max_completion_tokens", "seed"});
    rules.header = "api-key: service-key-12345";
  } else if (service == "openrouter") {
    rules.fields.insert({"provider", "prompt_cache_key"});
    rules.fault = [](const nlohmann::json& body) -> std::string {
      const nlohmann::json strict{{"require_parameters", true}};
      return body.value("provider", nlohmann::json()) == strict ? "" : "provider";
    };
  } else if (service == "tgi") {
    rules.fields.insert("seed");
    rules.header.clear();
    rules.fault = [](const nlohmann::json& body) -> std::string {
      if (temperature(body) <= 0) return "temperature";
      return body.value("top_p", 0.5) >= 1 ? "top_p" : "";
    };
  }
  return rules;
}

/// Anthropic's own route, which is none of OpenAI's.
inline ServiceRules messages_rules() {
  return {{"model", "messages", "max_tokens", "system", "stop_sequences", "thinking", "output_config", "cache_control"},
          "/v1/messages",
          "x-api-key: service-key-12345",
          [](const nlohmann::json& body) -> std::string {
            if (!body.contains("max_tokens")) return "max_tokens";
            const nlohmann::json turns = body.value("messages", nlohmann::json::array());
            return !turns.empty() && turns.back().value("role", "") == "user" ? "" : "messages";
          },
          "authorization: bearer service-key-12345"};
}

/// Server software that continues texts.
inline ServiceRules completion_rules(std::string_view service) {
  ServiceRules rules{completion_fields({}), "/v1/completions", ""};
  if (service == "llama-server") {
    rules.fields = completion_fields({"top_k", "min_p", "typical_p", "top_n_sigma", "repeat_penalty", "repeat_last_n",
                                      "dynatemp_range", "xtc_probability", "dry_multiplier", "mirostat", "cache_prompt",
                                      "grammar"});
  } else if (service == "vllm") {
    rules.fields = completion_fields({"top_k", "min_p", "repetition_penalty", "structured_outputs"});
    rules.fault = more_than_four_stops;
  } else if (service == "sglang") {
    rules.fields = completion_fields({"top_k", "min_p", "repetition_penalty", "regex"});
  }
  return rules;
}

}  // namespace detail

/// What the service of this name takes, as its documentation says.
inline ServiceRules rules_of(std::string_view service) {
  if (service == "anthropic") return detail::messages_rules();
  for (const std::string_view text_server : {"llama-server", "vllm", "sglang", "ollama", "generic"}) {
    if (service == text_server) return detail::completion_rules(service);
  }
  return detail::chat_rules(service);
}

}  // namespace icpi_test
