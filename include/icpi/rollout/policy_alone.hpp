// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "icpi/core/export.hpp"
#include "icpi/rollout/decision_task.hpp"
#include "icpi/rollout/value_estimator.hpp"

namespace icpi {

/// Value estimator that makes no values: one action question each, as the rollout policy would act. The paper's baseline
/// without argmax. A uniformly random action where no answer is valid.
struct ICPI_API PolicyAlone {
  static constexpr bool needs_world_model = false;  ///< it asks for actions alone

  int attempts = 3;  ///< how often the question is put until its answer is valid; >= 1

  /// Name and parameters.
  [[nodiscard]] ICPI_API std::string description() const;
  /// Throws InvalidArgument for options out of range.
  ICPI_API void check() const;
  /// See EstimatesValues.
  ICPI_API void estimate(const Imagination& imagination, std::span<const DecisionTask> tasks,
                         std::span<DecisionResult> results) const;
};

#if !defined(ICPI_HEADER_ONLY)
// Compiled once, in the library.
extern template struct HeldStrategy<ValueEstimatorCalls, ValueEstimatorCalls::Of<PolicyAlone>, PolicyAlone>;
extern template struct ValueEstimatorCalls::Of<PolicyAlone>;
#endif

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/rollout/policy_alone-inl.hpp"
#endif
