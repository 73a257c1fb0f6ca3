// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "icpi/core/check_option.hpp"
#include "icpi/prompt/example_selection.hpp"

namespace icpi {

ICPI_INLINE std::string BalancedExamples::description() const { return fmt::format("balanced(balance={})", balance); }

ICPI_INLINE std::string AppendOnlyExamples::description() const {
  return fmt::format("append_only(balance={}, rebuild_fraction={}, policy_prompts={}{}{}{})", balance, rebuild_fraction,
                     policy_prompts, balance_chance ? "" : ", balance_chance=false",
                     bootstrap ? ", bootstrap=true" : "", growth == 0 ? "" : fmt::format(", growth={}", growth));
}

ICPI_INLINE void AppendOnlyExamples::check() const {
  check_option(policy_prompts > 0 && policy_prompts <= 10000, "policy_prompts", policy_prompts, "1 to 10000");
  check_option(rebuild_fraction > 0 && rebuild_fraction < 1, "rebuild_fraction", rebuild_fraction, "above 0, below 1");
  check_option(growth >= 0 && std::isfinite(growth), "growth", growth, "0 or more");
}

ICPI_INLINE std::string AlikeExamples::description() const {
  return fmt::format("alike(count={}, stem_tokens={}, policy_prompts={})", count, stem_tokens, policy_prompts);
}

ICPI_INLINE void AlikeExamples::check() const {
  check_option(count > 0 && count <= 1000, "count", count, "1 to 1000");
  check_option(policy_prompts > 0 && policy_prompts <= 10000, "policy_prompts", policy_prompts, "1 to 10000");
}

}  // namespace icpi
