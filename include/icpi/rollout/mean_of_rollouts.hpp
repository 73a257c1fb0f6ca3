// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "icpi/core/export.hpp"
#include "icpi/core/strategy.hpp"
#include "icpi/rollout/decision_task.hpp"
#include "icpi/rollout/engine.hpp"
#include "icpi/rollout/rollout.hpp"
#include "icpi/rollout/value_estimator.hpp"

namespace icpi {

/// Value estimator: the mean return of imagined rollouts that begin with the action and go on as the rollout policy does.
/// With one rollout per action, that of the paper (section 3).
/// Thread-safety: one object by one thread at a time.
struct ICPI_API MeanOfRollouts {
  RolloutOptions options{};               ///< shape of the rollouts
  WorkingMemory<RolloutEngine> engine{};  ///< what rolls them out

  /// Name and parameters.
  [[nodiscard]] ICPI_API std::string description() const;
  /// Throws InvalidArgument for options out of range.
  ICPI_API void check() const;
  /// See EstimatesValues.
  ICPI_API void estimate(const Imagination& imagination, std::span<const DecisionTask> tasks,
                         std::span<DecisionResult> results);
  /// The steps of the rollouts of prompt context number `task` of the last call, in their order.
  [[nodiscard]] ICPI_API std::vector<PlannedStep> imagined(std::size_t task) const;
  /// The rollouts of the last call, by task, then action, then sample.
  [[nodiscard]] ICPI_API std::span<const Rollout> rollouts() const noexcept;
};

#if !defined(ICPI_HEADER_ONLY)
// Compiled once, in the library.
extern template struct HeldStrategy<ValueEstimatorCalls, ValueEstimatorCalls::Of<MeanOfRollouts>, MeanOfRollouts>;
extern template struct ValueEstimatorCalls::Of<MeanOfRollouts>;
#endif

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/rollout/mean_of_rollouts-inl.hpp"
#endif
