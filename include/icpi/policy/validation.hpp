// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "icpi/concepts/language_model_ref.hpp"
#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/prompt_lines.hpp"
#include "icpi/core/export.hpp"
#include "icpi/policy/options.hpp"
#include "icpi/prompt/prompt_options.hpp"

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

/// Texts of a formatter, and whether it reads them back.
struct ReadBack {
  /// One of them.
  struct Text {
    std::string text;        ///< with its stop string
    bool read_back = false;  ///< as what was written
  };
  std::vector<Text> actions;           ///< in the environment's order
  std::array<Text, 2> terminations{};  ///< going on, ended
};

/// Throws InvalidArgument when two actions have the same text, there are none, or something is not read back.
ICPI_API void check_read_back(const ReadBack& texts);

/// Throws InvalidArgument when two actions have the same text, or an action or termination is not read back: agents
/// would act on misunderstandings. icpi::testing::check_formatter examines a formatter in full.
template <Environment Env, PromptFormatter<Env> Formatter>
void check_formatter_reads_back(const Env& env, const Formatter& formatter) {
  ReadBack texts;
  for (const auto& action : env.actions()) {
    std::string text(formatter.action(action));
    const auto read = formatter.parse_action(without_stop(text, formatter.stop(QueryKind::action)));
    texts.actions.push_back({std::move(text), read && *read == action});
  }
  for (const bool ended : {false, true}) {
    std::string text(formatter.termination(ended));
    const auto read = formatter.parse_termination(without_stop(text, formatter.stop(QueryKind::termination)));
    texts.terminations[ended ? 1 : 0] = {std::move(text), read && *read == ended};
  }
  check_read_back(texts);
}

/// Throws InvalidArgument naming the option, its value and what is allowed.
ICPI_API void check_options(const PolicyIterationOptions& options);

/// Throws InvalidArgument when a prompt and its completion, as long as the options allow, exceed what the model reads.
ICPI_API void check_context_fits(LanguageModelRef model, const PolicyIterationOptions& options);

/// Counts as `model` does, which must outlive the counter; as estimated_tokens() where it does not.
[[nodiscard]] ICPI_API TokenCounter token_counter(LanguageModelRef model);

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/policy/validation-inl.hpp"
#endif
