// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "icpi/core/check_option.hpp"
#include "icpi/policy/optimism.hpp"

namespace icpi {

static_assert(Explores<Optimism>);

ICPI_INLINE Hope Optimism::hope(const DecisionContext& context, std::span<const PlannedStep> steps,
                                std::span<double> unknown) const {
  std::vector<ActionExperience> actions;
  double repeated = 0;
  double unequal = 0;
  Hope hope{ActionExperience::none, ActionExperience::none};
  for (std::size_t action = 0; action < context.actions; ++action) {
    actions.push_back(context.experience(action));
    repeated += static_cast<double>(actions.back().repeated);
    unequal += static_cast<double>(actions.back().unequal);
    hope.step = std::max(hope.step, actions.back().highest_going_on);
    hope.last = std::max(hope.last, actions.back().highest_ending);
  }
  const bool recurs = actions[0].places * 2 <= actions[0].steps;
  const double highest = std::max(hope.step, hope.last);
  const bool found = reward_bound ? highest >= *reward_bound : highest > 0;
  if (!found && reward_bound) hope = {*reward_bound, *reward_bound};
  hope.boundless = !found && !reward_bound;
  const double usual_chance = (unequal + 1) / (repeated + 2);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const ActionExperience& action = actions[steps[i].action];
    const auto times = static_cast<double>(context.outcomes(steps[i]).times);
    if (times > 0) {
      const double chance =
          (static_cast<double>(action.unequal) + usual_chance) / (static_cast<double>(action.repeated) + 1);
      unknown[i] = chance * trials / (trials + times);
    } else if (found && !recurs && action.observations > 0) {
      const double surprise = 1 / (static_cast<double>(action.observations) + 2);
      unknown[i] = 1 - (1 - surprise) * (doubt ? steps[i].probability : 1);
    } else {
      unknown[i] = 1;
    }
  }
  return hope;
}

ICPI_INLINE std::string Optimism::description() const {
  return fmt::format("optimism(reward_bound={}, trials={}, doubt={})",
                     reward_bound ? fmt::to_string(*reward_bound) : "none", trials, doubt);
}

ICPI_INLINE void Optimism::check() const {
  if (reward_bound)
    check_option(std::isfinite(*reward_bound), "optimism.reward_bound", *reward_bound, "finite numbers");
  check_option(trials >= 0 && std::isfinite(trials), "optimism.trials", trials, "0 or more");
}

#if !defined(ICPI_HEADER_ONLY)
template struct HeldStrategy<ExplorationCalls, ExplorationCalls::Of<Optimism>, Optimism>;
template struct ExplorationCalls::Of<Optimism>;
#endif

}  // namespace icpi
