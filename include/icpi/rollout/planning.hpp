// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "icpi/core/export.hpp"
#include "icpi/core/strategy.hpp"
#include "icpi/rollout/decision_task.hpp"
#include "icpi/rollout/planner.hpp"
#include "icpi/rollout/value_estimator.hpp"

namespace icpi {

/// Value estimator: values planned on the imagined MDP; see Planner. Beyond the paper. Best with AppendOnlyExamples and
/// temperature 0.
/// Thread-safety: one object by one thread at a time.
struct Planning {
  PlanningOptions options{};         ///< how far it looks
  WorkingMemory<Planner> planner{};  ///< what plans

  /// Name and parameters.
  [[nodiscard]] ICPI_API std::string description() const;
  /// Throws InvalidArgument for options out of range.
  ICPI_API void check() const;
  /// See EstimatesValues.
  ICPI_API void estimate(const Imagination& imagination, std::span<const DecisionTask> tasks,
                         std::span<DecisionResult> results);
  /// See Planner.
  [[nodiscard]] ICPI_API std::vector<PlannedStep> imagined(std::size_t task) const;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/rollout/planning-inl.hpp"
#endif
