// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include "icpi/concepts/language_model_ref.hpp"
#include "icpi/concepts/prompt_formatter.hpp"
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
