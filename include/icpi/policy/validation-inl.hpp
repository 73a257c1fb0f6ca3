// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <string_view>

#include "icpi/core/check_option.hpp"
#include "icpi/core/error.hpp"
#include "icpi/policy/validation.hpp"

namespace icpi {

ICPI_INLINE void check_options(const PolicyIterationOptions& options) {
  const auto& sampling = options.queries.sampling;
  const double temperature = sampling.temperature.value_or(0);
  check_option(temperature >= 0 && std::isfinite(temperature), "temperature", temperature, "finite, 0 or more");
  const double top_p = sampling.top_p.value_or(1);
  check_option(top_p > 0 && top_p <= 1, "top_p", top_p, "above 0, at most 1");
  const int max_tokens = sampling.max_tokens.value_or(1);
  check_option(max_tokens > 0, "max_tokens", max_tokens, "at least 1");
  const double policy = options.queries.policy_temperature.value_or(0);
  check_option(policy >= 0 && std::isfinite(policy), "policy_temperature", policy, "finite, 0 or more");
  check_option(options.queries.chunk >= 1, "chunk", options.queries.chunk, "at least 1");
  const auto threads = options.queries.threads;
  check_option(threads >= 1 && threads <= 1024, "threads", threads, "1 to 1024");
  options.prompts.examples->check();
  options.prompts.trajectories->check();
  check_option(options.prompts.context_tokens > 0, "context_tokens", options.prompts.context_tokens, "at least 1");
  const auto timeout = options.queries.timeout.count();
  check_option(timeout >= 0, "timeout in milliseconds", timeout, "0 or more");
}

ICPI_INLINE void check_context_fits(LanguageModelRef model, const PolicyIterationOptions& options) {
  const std::size_t limit = model.context_limit();
  const std::size_t answers = options.prompts.transition_questions == TransitionQuestions::whole ? 3 : 1;
  const auto answer = answers * static_cast<std::size_t>(options.queries.sampling.max_tokens.value_or(0));
  if (limit > 0 && (answer > limit || options.prompts.context_tokens > limit - answer)) {
    throw InvalidArgument(
        fmt::format("context_tokens {} and max_tokens {} together exceed the model's context of {} tokens",
                    options.prompts.context_tokens, answer, limit));
  }
}

ICPI_INLINE TokenCounter token_counter(LanguageModelRef model) {
  if (model.capabilities().counts_tokens) return [model](std::string_view text) { return model.count_tokens(text); };
  return [](std::string_view text) { return estimated_tokens(text); };
}

}  // namespace icpi
