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
struct ICPI_API Planning {
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

#if !defined(ICPI_HEADER_ONLY)
// Compiled once, in the library.
extern template struct HeldStrategy<ValueEstimatorCalls, ValueEstimatorCalls::Of<Planning>, Planning>;
extern template struct ValueEstimatorCalls::Of<Planning>;
#endif

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/rollout/planning-inl.hpp"
#endif
