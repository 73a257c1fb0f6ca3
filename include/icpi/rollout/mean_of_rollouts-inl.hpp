// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "icpi/core/check_option.hpp"
#include "icpi/rollout/mean_of_rollouts.hpp"

namespace icpi {

static_assert(EstimatesValues<MeanOfRollouts>);

ICPI_INLINE std::string MeanOfRollouts::description() const {
  return fmt::format(
      "mean_of_rollouts(step_limit={}, rollouts_per_action={}, attempts={}, speculate={}, random_action_rate={})",
      options.step_limit, options.rollouts_per_action, options.attempts, options.speculate, options.random_action_rate);
}

ICPI_INLINE void MeanOfRollouts::check() const {
  check_option(options.step_limit >= 1, "step_limit", options.step_limit, "at least 1");
  constexpr int most_rollouts = (1 << 24) - 1;  // their number is part of CompletionRequest::sample_index
  check_option(options.rollouts_per_action >= 1 && options.rollouts_per_action <= most_rollouts, "rollouts_per_action",
               options.rollouts_per_action, "1 to 16777215");
  check_option(options.attempts >= 1 && options.attempts <= 255, "attempts", options.attempts, "1 to 255");
  check_option(options.random_action_rate >= 0 && options.random_action_rate <= 1, "random_action_rate",
               options.random_action_rate, "0 to 1");
}

ICPI_INLINE void MeanOfRollouts::estimate(const Imagination& imagination, std::span<const DecisionTask> tasks,
                                          std::span<DecisionResult> results) {
  engine.get().run(imagination.model(), tasks, options, results, imagination.until());
}

ICPI_INLINE std::vector<PlannedStep> MeanOfRollouts::imagined(std::size_t task) const {
  std::vector<PlannedStep> steps;
  const auto all = rollouts();
  const std::size_t tasks = all.empty() ? 0 : std::size_t{all.back().start().prompt_context} + 1;
  if (task >= tasks) return steps;
  for (const Rollout& rollout : all) {
    if (rollout.start().prompt_context != task) continue;
    const auto& made = rollout.steps();
    for (std::size_t i = 0; i < made.size(); ++i) {
      const bool goes_on = i + 1 < made.size();
      steps.push_back({made[i].observation, made[i].action, true, made[i].terminated, made[i].reward, goes_on,
                       goes_on ? made[i + 1].observation : 0});
    }
  }
  return steps;
}

ICPI_INLINE std::span<const Rollout> MeanOfRollouts::rollouts() const noexcept {
  const RolloutEngine* used = engine.peek();
  return used == nullptr ? std::span<const Rollout>() : used->rollouts();
}

#if !defined(ICPI_HEADER_ONLY)
template struct HeldStrategy<ValueEstimatorCalls, ValueEstimatorCalls::Of<MeanOfRollouts>, MeanOfRollouts>;
template struct ValueEstimatorCalls::Of<MeanOfRollouts>;
#endif

}  // namespace icpi
