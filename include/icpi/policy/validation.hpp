// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <string>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/core/check_option.hpp"
#include "icpi/core/error.hpp"
#include "icpi/policy/options.hpp"
#include "icpi/prompt/known_answers.hpp"

namespace icpi {

/// Formatter(env) where that exists, else Formatter().
template <class Formatter, Environment Env>
[[nodiscard]] Formatter make_formatter(const Env& env) {
  if constexpr (std::constructible_from<Formatter, const Env&>) {
    return Formatter(env);
  } else {
    return Formatter();
  }
}

/// Throws InvalidArgument when two actions have the same text, or an action or termination is not read back: agents
/// would act on misunderstandings. icpi::testing::check_formatter examines a formatter in full.
template <Environment Env, PromptFormatter<Env> Formatter>
void check_formatter_reads_back(const Env& env, const Formatter& formatter) {
  std::vector<std::string> texts;
  for (const auto& action : env.actions()) {
    texts.emplace_back(formatter.action(action));
    for (std::size_t i = 0; i + 1 < texts.size(); ++i) {
      if (texts[i] == texts.back()) {
        throw InvalidArgument(fmt::format("formatter: actions {} and {} have the same text \"{}\"; texts must differ",
                                          i, texts.size() - 1, without_stop(texts[i], "\n")));
      }
    }
  }
  check_option(!texts.empty(), "number of the environment's actions", 0, "at least 1");
  std::size_t number = 0;
  for (const auto& action : env.actions()) {
    const auto read = formatter.parse_action(without_stop(texts[number], formatter.stop(QueryKind::action)));
    if (!read || !(*read == action)) {
      throw InvalidArgument(fmt::format("formatter: the text \"{}\" of action {} is not read back as that action",
                                        without_stop(texts[number], "\n"), number));
    }
    ++number;
  }
  for (const bool ended : {false, true}) {
    const std::string text(formatter.termination(ended));
    const auto read = formatter.parse_termination(without_stop(text, formatter.stop(QueryKind::termination)));
    if (!read || *read != ended) {
      throw InvalidArgument(
          fmt::format("formatter: the termination text \"{}\" is not read back", without_stop(text, "\n")));
    }
  }
}

/// Throws InvalidArgument naming the option, its value and what is allowed.
inline void check_options(const PolicyIterationOptions& options) {
  const auto& sampling = options.queries.sampling;
  check_option(sampling.temperature >= 0 && std::isfinite(sampling.temperature), "temperature", sampling.temperature,
               "finite, 0 or more");
  check_option(sampling.top_p > 0 && sampling.top_p <= 1, "top_p", sampling.top_p, "above 0, at most 1");
  check_option(sampling.max_tokens > 0, "max_tokens", sampling.max_tokens, "at least 1");
  const double policy = options.queries.policy_temperature.value_or(0);
  check_option(policy >= 0 && std::isfinite(policy), "policy_temperature", policy, "finite, 0 or more");
  check_option(options.prompts.recency > 0, "recency", options.prompts.recency, "at least 1");
  const auto threads = options.queries.threads;
  check_option(threads >= 1 && threads <= 1024, "threads", threads, "1 to 1024");
  check_option(options.prompts.policy_prompts > 0 && options.prompts.policy_prompts <= 10000, "policy_prompts",
               options.prompts.policy_prompts, "1 to 10000");
  check_option(options.prompts.context_tokens > 0, "context_tokens", options.prompts.context_tokens, "at least 1");
  const double threshold = options.prompts.success_threshold.value_or(0);
  check_option(!std::isnan(threshold), "success_threshold", threshold, "numbers");
  const auto timeout = options.queries.timeout.count();
  check_option(timeout >= 0, "timeout in milliseconds", timeout, "0 or more");
  const double fraction = options.prompts.rebuild_fraction;
  check_option(fraction > 0 && fraction < 1, "rebuild_fraction", fraction, "above 0, below 1");
}

/// Throws InvalidArgument when a prompt and its completion, as long as the options allow, exceed what the model reads.
template <LanguageModel LM>
void check_context_fits(const LM& model, const PolicyIterationOptions& options) {
  if constexpr (HasContextLimit<LM>) {
    const auto limit = static_cast<std::size_t>(model.context_limit());
    const auto wanted = options.prompts.context_tokens + static_cast<std::size_t>(options.queries.sampling.max_tokens);
    if (limit > 0 && wanted > limit) {
      throw InvalidArgument(
          fmt::format("context_tokens {} and max_tokens {} together exceed the model's context of {} tokens",
                      options.prompts.context_tokens, options.queries.sampling.max_tokens, limit));
    }
  }
}

}  // namespace icpi
