// SPDX-License-Identifier: MIT
#pragma once

#include "icpi/policy/options.hpp"

namespace icpi {

/// Options that make PolicyIteration the paper's baseline "no argmax": it acts as its rollout policy would, with prompts
/// that hold only trajectories whose undiscounted return is above `success_threshold`, and at random until it has as
/// many of them as the warm-up wants.
[[nodiscard]] inline PolicyIterationOptions no_argmax_options(PolicyIterationOptions options,
                                                              double success_threshold) {
  options.decisions.rule = ActionRule::rollout_policy;
  options.decisions.warm_up.abrupt = true;
  options.prompts.success_threshold = success_threshold;
  return options;
}

}  // namespace icpi
