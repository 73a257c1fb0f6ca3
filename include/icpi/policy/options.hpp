// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "icpi/prompt/prompt_options.hpp"
#include "icpi/prompt/query_options.hpp"
#include "icpi/rollout/rollout.hpp"

namespace icpi {

/// How the agent comes to act.
enum class ActionRule : std::uint8_t {
  rollouts,       ///< argmax of the mean return of imagined rollouts (paper, with one rollout per action)
  planning,       ///< argmax of values planned on the imagined MDP (see Planner)
  rollout_policy  ///< as the rollout policy would: the paper's baseline without argmax
};

/// When the agent stops acting at random. It acts by its rule with probability 1 / (1 + exp(slope (successes - n))),
/// n = trajectories its policy prompts may draw from, at most the recency.
struct WarmUp {
  double successes = 3;  ///< n at which the probability is one half
  double slope = 2;      ///< how suddenly it rises
  bool abrupt = false;   ///< at random until n >= successes, never afterwards

  /// Of acting by the rule, with this many trajectories.
  [[nodiscard]] double probability(std::size_t trajectories) const noexcept {
    const auto n = static_cast<double>(trajectories);
    if (abrupt) return n >= successes ? 1 : 0;
    return 1 / (1 + std::exp(slope * (successes - n)));
  }

  friend bool operator==(const WarmUp&, const WarmUp&) = default;
};

/// How an action is chosen. Defaults are the paper's.
struct DecisionOptions {
  ActionRule rule = ActionRule::rollouts;  ///< what values are made of
  RolloutOptions rollouts{};               ///< shape of the rollouts
  std::size_t node_limit = 600;            ///< planning: observations expanded per decision
  /// Added to the value of actions that were never tried at the current observation: above 0 but below all differences
  /// of values it is a tie-break.
  double novelty_bonus = 0;
  WarmUp warm_up{};     ///< when it stops acting at random
  bool online = false;  ///< steps of the running episode enter the world model's prompts at once

  friend bool operator==(const DecisionOptions&, const DecisionOptions&) = default;
};

/// Everything PolicyIteration can be told. Defaults are the paper's.
struct PolicyIterationOptions {
  std::uint64_t seed = 0;       ///< of everything random in agent and prompts; environments have their own
  DecisionOptions decisions{};  ///< how actions are chosen
  PromptOptions prompts{};      ///< what prompts show
  QueryOptions queries{};       ///< how the model is asked
};

/// The recommended options: beyond the paper, one set for all environments. Greedy answers from prompts that only grow,
/// values planned on the imagined MDP, the running episode's steps used at once, untried actions preferred among equals,
/// and an earlier end of the warm-up. `scripts/measure ablations` says what each of them brings.
[[nodiscard]] inline PolicyIterationOptions recommended_options() {
  PolicyIterationOptions options;
  options.decisions.rule = ActionRule::planning;
  options.decisions.novelty_bonus = 0.001;
  options.decisions.warm_up.successes = 1;
  options.decisions.online = true;
  options.prompts.mode = PromptMode::stable;
  options.prompts.rebuild_fraction = 0.8;
  options.queries.sampling.temperature = 0;
  return options;
}

}  // namespace icpi
