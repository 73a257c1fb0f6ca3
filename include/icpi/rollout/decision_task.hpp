// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "icpi/concepts/legal_actions.hpp"
#include "icpi/concepts/rollout_model.hpp"
#include "icpi/core/costs.hpp"
#include "icpi/core/random.hpp"
#include "icpi/rollout/return_table.hpp"

namespace icpi {

/// What one prompt context wants to know: the value of every action at an observation.
struct DecisionTask {
  std::uint32_t prompt_context = 0;  ///< which agent decides
  ObservationId observation = 0;     ///< where it stands
  std::uint32_t actions = 0;         ///< how many there are
  double discount = 1;               ///< for later rewards
  RandomKey key;                     ///< of this decision
  LegalActions legal{};              ///< which of them it may choose from; empty: all
};

/// What came of a task. Reused from decision to decision: clear() first.
struct DecisionResult {
  /// Actions x rollouts per action: discounted sums of predicted rewards; NaN: not known. Those of illegal actions count
  /// for nothing.
  ReturnTable returns;
  std::vector<double> values;  ///< by action, NaN: not known; empty: the means of the known `returns`
  /// The action itself, from an estimator that makes no values.
  std::optional<std::uint32_t> action;
  bool cut_short = false;  ///< the time was up: values are the best so far, NaN where nothing is known
  Costs costs;             ///< rounds, retries and waste; the rollout model counts its own calls

  /// Nothing came yet. Memory is kept.
  void clear() {
    returns.resize(0, 0);
    values.clear();
    action.reset();
    cut_short = false;
    costs = {};
  }
};

/// An imagined step that was asked about: an edge of the imagined MDP.
struct PlannedStep {
  ObservationId observation = 0;  ///< where it starts
  std::uint32_t action = 0;       ///< what is done
  bool known = false;             ///< whether termination and reward could be predicted
  bool terminated = false;        ///< whether it is predicted to end
  double reward = 0;              ///< what is predicted to be gained
  bool goes_on = false;           ///< whether `next` was predicted
  ObservationId next = 0;         ///< what is predicted to be seen then
  /// How likely the model holds all of it, where it was asked and tells; else 1.
  double probability = 1;
};

}  // namespace icpi
