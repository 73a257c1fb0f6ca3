// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/domains/domain.hpp"

namespace icpi {

/// Exact optimal values of an environment whose dynamics can be listed, by dynamic programming over the states that
/// are reached from where it is asked. Time limits count: what lies beyond them is worth nothing. What was computed is
/// kept, so asking again costs a look-up.
///
/// Without a time limit every way must lead to a termination without coming back to a state; a state that returns is
/// reported as InvalidArgument. Recurses as deep as an episode is long. Not for concurrent use of one object.
template <Enumerable Env>
class Solver {
 public:
  using Observation = typename Env::Observation;  ///< the whole state
  using Action = typename Env::Action;            ///< of the environment

  /// `discount` of the return that is optimised, in (0, 1].
  Solver(Env env, double discount) : env_(std::move(env)), discount_(discount) {
    detail::require_discount("solver", discount);
    actions_ = actions_of(env_);
    detail::require(!actions_.empty(), "solver: the environment has no actions");
  }

  /// The highest expected discounted return from `observation` on, seen after `steps_taken` steps of the episode.
  double optimal_return(const Observation& observation, int steps_taken = 0) {
    return solve(observation, steps_taken).value;
  }

  /// The first of the actions that attain it.
  Action optimal_action(const Observation& observation, int steps_taken = 0) {
    return actions_[solve(observation, steps_taken).action];
  }

  /// The expected return of every action, in the order of the environment's actions, with optimal ones afterwards.
  std::vector<double> action_values(const Observation& observation, int steps_taken = 0) {
    const int left = steps_left(steps_taken);
    std::vector<double> values;
    for (const Action& action : actions_) values.push_back(value_of(observation, action, left));
    return values;
  }

 private:
  struct Solution {
    double value = 0;
    std::size_t action = 0;
    bool known = false;  // false while it is being computed
  };

  struct Order {
    bool operator()(const std::pair<int, Observation>& a, const std::pair<int, Observation>& b) const {
      return a.first != b.first ? a.first < b.first : a.second < b.second;
    }
  };

  [[nodiscard]] int steps_left(int steps_taken) const {
    const int limit = env_.time_limit();
    if (limit == 0) return 0;
    detail::require(steps_taken >= 0 && steps_taken < limit, "solver: {} steps taken must be in 0..{}", steps_taken,
                    limit - 1);
    return limit - steps_taken;
  }

  const Solution& solve(const Observation& observation, int steps_taken) {
    return solve_with(observation, steps_left(steps_taken));
  }

  const Solution& solve_with(const Observation& observation, int left) {
    auto [place, added] = solutions_.try_emplace({left, observation});
    if (added) {
      try {
        place->second = best(observation, left);
      } catch (...) {
        solutions_.erase(place);
        throw;
      }
    }
    detail::require(place->second.known, "solver: without a time limit no state may be reached twice in an episode");
    return place->second;
  }

  Solution best(const Observation& observation, int left) {
    Solution result{value_of(observation, actions_[0], left), 0, true};
    for (std::size_t i = 1; i < actions_.size(); ++i) {
      const double value = value_of(observation, actions_[i], left);
      if (value > result.value) result = {value, i, true};
    }
    return result;
  }

  /// `left`: steps until truncation, this one included; 0: no limit.
  double value_of(const Observation& observation, const Action& action, int left) {
    double value = 0;
    for (const auto& [probability, step] : env_.outcomes(observation, action)) {
      double outcome = step.reward;
      if (!step.terminated && left != 1) {
        const int remaining = left == 0 ? 0 : left - 1;
        outcome += discount_ * solve_with(step.observation, remaining).value;
      }
      value += probability * outcome;
    }
    return value;
  }

  Env env_;
  double discount_;
  std::vector<Action> actions_;
  std::map<std::pair<int, Observation>, Solution, Order> solutions_;  // references stay valid when it grows
};

/// The highest expected discounted return of an episode of `env` that starts at `observation`. For repeated questions
/// keep a Solver.
template <Enumerable Env>
double optimal_return(const Env& env, const typename Env::Observation& observation, double discount) {
  return Solver<Env>(env, discount).optimal_return(observation);
}

/// The first action that attains it.
template <Enumerable Env>
typename Env::Action optimal_action(const Env& env, const typename Env::Observation& observation, double discount) {
  return Solver<Env>(env, discount).optimal_action(observation);
}

}  // namespace icpi
