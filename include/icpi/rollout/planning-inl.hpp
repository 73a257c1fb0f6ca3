// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "icpi/core/check_option.hpp"
#include "icpi/rollout/planning.hpp"

namespace icpi {

static_assert(EstimatesValues<Planning>);

ICPI_INLINE std::string Planning::description() const {
  std::string text = fmt::format("planning(step_limit={}, attempts={}, node_limit={}", options.step_limit,
                                 options.attempts, options.node_limit);
  if (options.outcomes > 1) text += fmt::format(", outcomes={}", options.outcomes);
  if (options.recall) text += ", recall=true";
  return text + ')';
}

ICPI_INLINE void Planning::check() const {
  check_option(options.step_limit >= 1, "step_limit", options.step_limit, "at least 1");
  check_option(options.attempts >= 1 && options.attempts <= 255, "attempts", options.attempts, "1 to 255");
  check_option(options.outcomes >= 1, "outcomes", options.outcomes, "at least 1");
  check_option(options.node_limit >= 1, "node_limit", options.node_limit, "at least 1");
}

ICPI_INLINE void Planning::estimate(const Imagination& imagination, std::span<const DecisionTask> tasks,
                                    std::span<DecisionResult> results) {
  planner.get().run(imagination, tasks, options, results);
}

ICPI_INLINE std::vector<PlannedStep> Planning::imagined(std::size_t task) const {
  const Planner* used = planner.peek();
  return used == nullptr ? std::vector<PlannedStep>() : used->imagined(task);
}

#if !defined(ICPI_HEADER_ONLY)
template struct HeldStrategy<ValueEstimatorCalls, ValueEstimatorCalls::Of<Planning>, Planning>;
template struct ValueEstimatorCalls::Of<Planning>;
#endif

}  // namespace icpi
