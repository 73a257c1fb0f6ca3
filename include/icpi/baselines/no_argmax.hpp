// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "icpi/policy/options.hpp"

namespace icpi {

/// Options that make PolicyIteration the paper's baseline "no argmax": it acts as its rollout policy would, with prompts
/// that hold only trajectories whose undiscounted return is above `success_threshold`, and at random until it has as
/// many of them as the warm-up of `options` wants. Attempts and recency are those of `options`, where the library's own
/// strategies have them.
[[nodiscard]] inline PolicyIterationOptions no_argmax_options(PolicyIterationOptions options,
                                                              double success_threshold) {
  PolicyAlone alone;
  if (const auto* rollouts = options.decisions.values.get_if<MeanOfRollouts>())
    alone.attempts = rollouts->options.attempts;
  if (const auto* planning = options.decisions.values.get_if<Planning>()) alone.attempts = planning->options.attempts;
  WarmUp warm_up;
  for (const Exploration& each : options.decisions.explorations)
    if (const auto* given = each.get_if<WarmUp>()) warm_up = *given;
  warm_up.abrupt = true;
  TrajectoriesAboveReturn successes{.threshold = success_threshold};
  if (const auto* last = options.prompts.trajectories.get_if<LastTrajectories>()) successes.recency = last->recency;
  options.decisions.values = alone;
  options.decisions.explorations = {warm_up};
  options.prompts.trajectories = successes;
  return options;
}

}  // namespace icpi
