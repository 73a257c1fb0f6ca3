// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

#include "icpi/core/json_line.hpp"
#include "icpi/prompt/prompt_options.hpp"

namespace icpi {

ICPI_INLINE ExampleSelection recommended::examples() {
  return AppendOnlyExamples{.rebuild_fraction = 0.8, .balance_chance = false, .growth = 0.1};
}
ICPI_INLINE TrajectorySelection recommended::trajectories() { return LastTrajectories{}; }

ICPI_INLINE std::size_t estimated_tokens(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::ceil(0.38 * static_cast<double>(text.size())));
}

ICPI_INLINE std::string PromptOptions::description() const {
  std::string quoted;
  if (!task.empty()) append_json_string(task, quoted);
  // Separate questions go without saying, as in records of versions that knew nothing else.
  return fmt::format("examples={}, trajectories={}, context_tokens={}, constraints={}{}{}{}", examples.description(),
                     trajectories.description(), context_tokens, constraints,
                     transition_questions == TransitionQuestions::whole ? ", transition_questions=whole" : "",
                     task.empty() ? "" : ", task=", quoted);
}

}  // namespace icpi
