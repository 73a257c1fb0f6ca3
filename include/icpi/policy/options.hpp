// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "icpi/core/export.hpp"
#include "icpi/policy/action_selection.hpp"
#include "icpi/policy/exploration.hpp"
#include "icpi/policy/optimism.hpp"
#include "icpi/prompt/prompt_options.hpp"
#include "icpi/prompt/query_options.hpp"
#include "icpi/rollout/mean_of_rollouts.hpp"
#include "icpi/rollout/planning.hpp"
#include "icpi/rollout/policy_alone.hpp"
#include "icpi/rollout/value_estimator.hpp"

namespace icpi {

/// The recommended strategies: what PolicyIterationOptions begin with.
namespace recommended {
[[nodiscard]] ICPI_API ValueEstimator values();                  ///< Planning{{.outcomes = 8, .recall = true}}
[[nodiscard]] ICPI_API std::vector<Exploration> explorations();  ///< Optimism{.sparing = true}
[[nodiscard]] ICPI_API ActionSelection selection();              ///< Greedy{}
}  // namespace recommended

/// How an action is chosen. Defaults are the recommended set.
struct DecisionOptions {
  ValueEstimator values = recommended::values();  ///< what values are made of
  /// Tried in this order. The first that acts at random ends the decision; each may adjust the values.
  std::vector<Exploration> explorations = recommended::explorations();
  ActionSelection selection = recommended::selection();  ///< how values become an action
  bool update_within_episode = true;  ///< steps of the running episode enter the world model's prompts at once

  /// All of it in one line.
  [[nodiscard]] ICPI_API std::string description() const;

  friend bool operator==(const DecisionOptions&, const DecisionOptions&) = default;
};

/// Everything PolicyIteration can be told. Defaults are the recommended set, one for all environments: greedy answers from
/// prompts that only grow, and change when experience has grown by a tenth; the running episode's steps used at once; values
/// planned on the imagined MDP, which recalls what was seen and draws up to eight outcomes of what chance decides; hope for
/// what is unknown in place of random episodes. `scripts/measure ablations` says what each of them brings,
/// docs/environments.md what all of them do elsewhere; the embedded model's version is InductionVersion::calibrated there.
struct PolicyIterationOptions {
  std::uint64_t seed = 0;       ///< of everything random in agent and prompts; environments have their own
  DecisionOptions decisions{};  ///< how actions are chosen
  PromptOptions prompts{};      ///< what prompts show
  QueryOptions queries{};       ///< how the model is asked
};

/// The paper's options (section 3): one rollout per action, examples drawn anew for every question and balanced, the last
/// eight trajectories in policy prompts of 3,800 tokens, temperature 0.1, learning between episodes. What is reported of
/// them was measured with InductionVersion::first.
[[nodiscard]] ICPI_API PolicyIterationOptions paper_options();

/// The defaults.
[[deprecated("PolicyIterationOptions{} is the recommended set")]] [[nodiscard]] inline PolicyIterationOptions
recommended_options() {
  return {};
}

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/policy/options-inl.hpp"
#endif
