// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

namespace icpi {

/// What an environment answers to an action. `terminated` and `truncated` as in Gymnasium: a time limit truncates and
/// is never a termination.
template <class Observation>
struct Step {
  Observation observation;  ///< what is seen next
  double reward = 0;        ///< finite
  bool terminated = false;  ///< the task is over
  bool truncated = false;   ///< the episode was broken off

  friend bool operator==(const Step&, const Step&) = default;
};

/// One step as experience: what was seen, done, and what came of it.
template <class Observation, class Action>
struct Transition {
  Observation observation;       ///< what was seen
  Action action;                 ///< what was done
  double reward = 0;             ///< what was gained
  bool terminated = false;       ///< the task was over
  bool truncated = false;        ///< the episode was broken off
  Observation next_observation;  ///< what was seen then

  friend bool operator==(const Transition&, const Transition&) = default;
};

/// An episode, first step first.
template <class Observation, class Action>
using Trajectory = std::vector<Transition<Observation, Action>>;

}  // namespace icpi
