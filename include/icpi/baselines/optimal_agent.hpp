// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <utility>

#include "icpi/concepts/environment.hpp"
#include "icpi/core/costs.hpp"
#include "icpi/policy/agent.hpp"

namespace icpi {

/// Knows the best action, for instance icpi::Solver.
template <class S, class E>
concept OptimalActions = Environment<E> && requires(S& solver, const typename E::Observation& observation, int steps) {
  { solver.optimal_action(observation, steps) } -> std::convertible_to<typename E::Action>;  // after so many steps
};

/// Acts optimally: a check of the environment, of the solver and of the regret, which is 0 everywhere.
/// Thread-safety: one object by one thread at a time.
template <Environment Env, OptimalActions<Env> Solver>
class OptimalAgent {
 public:
  using Observation = typename Env::Observation;  ///< of the environment
  using Action = typename Env::Action;            ///< of the environment

  /// Does what `solver` says.
  explicit OptimalAgent(Solver solver) : solver_(std::move(solver)) {}

  void begin_episode(const Observation&) { steps_ = 0; }                                              ///< see Agent
  Action act(const Observation& observation) { return solver_.optimal_action(observation, steps_); }  ///< see Agent
  void observe(const Step<Observation>&) { ++steps_; }                                                ///< see Agent
  [[nodiscard]] const Costs& costs() const noexcept { return costs_; }                                ///< nothing

 private:
  Solver solver_;
  int steps_ = 0;
  Costs costs_;
};

}  // namespace icpi
