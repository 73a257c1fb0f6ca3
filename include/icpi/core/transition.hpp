// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

namespace icpi {

/// What an environment answers to an action. `terminated` and `truncated` as in Gymnasium: a time limit truncates and
/// is never a termination.
template <class Observation>
struct Step {
  Observation observation;
  double reward = 0;
  bool terminated = false;
  bool truncated = false;

  friend bool operator==(const Step&, const Step&) = default;
};

/// One step as experience: what was seen, done, and what came of it.
template <class Observation, class Action>
struct Transition {
  Observation observation;
  Action action;
  double reward = 0;
  bool terminated = false;
  bool truncated = false;
  Observation next_observation;

  friend bool operator==(const Transition&, const Transition&) = default;
};

/// An episode, first step first.
template <class Observation, class Action>
using Trajectory = std::vector<Transition<Observation, Action>>;

}  // namespace icpi
