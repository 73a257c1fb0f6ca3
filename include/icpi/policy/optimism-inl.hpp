// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "icpi/core/check_option.hpp"
#include "icpi/policy/optimism.hpp"

namespace icpi {

static_assert(Explores<Optimism> && AdjustsValues<Optimism>);

namespace detail {

/// What is known of all actions, as far as hope depends on it.
struct OptimisticView {
  std::vector<ActionExperience> actions;
  double repeated = 0;  ///< observations and actions that came more than once
  double unequal = 0;   ///< of these, those that did not always come out the same
  bool chance = false;  ///< equal steps have had unequal rewards or terminations
  bool random = false;  ///< anything of equal steps was unequal
  bool whole = true;    ///< every action was done
  bool found = false;   ///< the highest reward was gained
  Hope gained{ActionExperience::none, ActionExperience::none};

  OptimisticView(const DecisionContext& context, std::optional<double> bound) {
    for (std::size_t action = 0; action < context.actions; ++action) {
      const ActionExperience& known = actions.emplace_back(context.experience(action));
      repeated += static_cast<double>(known.repeated);
      unequal += static_cast<double>(known.unequal);
      chance = chance || known.chance_reward || known.chance_termination;
      random = random || known.chance();
      whole = whole && known.observations > 0;
      gained.step = std::max(gained.step, known.highest_going_on);
      gained.last = std::max(gained.last, known.highest_ending);
    }
    found = bound ? highest() >= *bound : highest() > 0;
  }

  [[nodiscard]] double highest() const noexcept { return std::max(gained.step, gained.last); }
  /// See ActionExperience.
  [[nodiscard]] bool recurs() const noexcept { return actions[0].recurs(); }
  /// Whether there is no reason to hope for more, unless the episode goes in a circle; see Optimism.
  [[nodiscard]] bool settled() const noexcept { return found && whole && !chance; }
};

}  // namespace detail

ICPI_INLINE Hope Optimism::hope(const DecisionContext& context, std::span<const PlannedStep> steps,
                                std::span<double> unknown) const {
  const detail::OptimisticView view(context, reward_bound);
  const bool settled = sparing && view.settled();
  if (settled && !context.repeats) {
    std::fill(unknown.begin(), unknown.end(), 0.0);
    return {};
  }
  const double usual_chance = (view.unequal + 1) / (view.repeated + 2);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const ActionExperience& action = view.actions[steps[i].action];
    const auto times = static_cast<double>(context.outcomes(steps[i]).times);
    if (times > 0) {
      const double chance =
          (static_cast<double>(action.unequal) + usual_chance) / (static_cast<double>(action.repeated) + 1);
      unknown[i] = chance * trials / (trials + times);
    } else if (settled && !view.random) {
      unknown[i] = 0.5;
    } else if (view.found && !view.recurs() && action.observations > 0) {
      const double surprise = 1 / (static_cast<double>(action.observations) + 2);
      unknown[i] = 1 - (1 - surprise) * (doubt ? steps[i].probability : 1);
    } else {
      unknown[i] = 1;
    }
  }
  if (view.found) return view.gained;
  if (reward_bound) return {*reward_bound, *reward_bound};
  return {view.gained.step, view.gained.last, true};
}

ICPI_INLINE void Optimism::adjust(const DecisionContext& context, std::span<double> values) const {
  if (!sparing || context.kind == EpisodeKind::evaluation) return;
  const detail::OptimisticView view(context, reward_bound);
  if (!view.settled() || context.repeats) return;
  for (std::size_t action = 0; action < values.size(); ++action)
    if (!context.tried(action)) values[action] += 0.001 * std::abs(view.highest());
}

ICPI_INLINE std::string Optimism::description() const {
  return fmt::format("optimism(reward_bound={}, trials={}, doubt={}{})",
                     reward_bound ? fmt::to_string(*reward_bound) : "none", trials, doubt,
                     sparing ? ", sparing=true" : "");
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
