// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <type_traits>
#include <utility>
#include <vector>

#include "icpi/core/transition.hpp"

namespace icpi {

/// Names the types of what is seen and done.
template <class E>
concept HasSpaces =
    requires {
      typename E::Observation;  // the type of what the agent sees
      typename E::Action;       // the type of what the agent does
    } && std::copyable<typename E::Observation> && std::equality_comparable<typename E::Observation> &&
    std::copyable<typename E::Action> && std::equality_comparable<typename E::Action>;

/// Holds values in an order, any of which can be reached at once: an array, a vector, a span.
template <class R>
concept RandomAccessRange = requires(std::remove_reference_t<R>& range, std::ptrdiff_t place) {
  { std::end(range) - std::begin(range) } -> std::convertible_to<std::ptrdiff_t>;
  *std::begin(range);
  std::begin(range)[place];
};

/// A range `R` of values of `T`.
template <class R, class T>
concept RangeOf = requires(std::remove_reference_t<R>& range) {
  requires std::same_as<std::remove_cvref_t<decltype(*std::begin(range))>, T>;
};

/// Lists its actions.
template <class E>
concept HasActionSet = requires(const E& env) {
  { env.actions() } -> RandomAccessRange;                         // actions(): every action, in a constant order
  requires RangeOf<decltype(env.actions()), typename E::Action>;  // actions() holds values of E::Action
};

/// Starts an episode.
template <class E>
concept Resettable = requires(E& env, std::uint64_t seed) {
  { env.reset(seed) } -> std::convertible_to<typename E::Observation>;  // reset(seed): first observation of an episode
};

/// Carries out an action.
template <class E>
concept Steppable = requires(E& env, const typename E::Action& action) {
  { env.step(action) } -> std::same_as<Step<typename E::Observation>>;  // step(action): observation, reward, flags
};

/// Says how much later rewards count.
template <class E>
concept HasDiscount = requires(const E& env) {
  { env.discount() } -> std::convertible_to<double>;  // discount(): the planning discount, in (0, 1]
};

/// A Markov environment with a finite set of actions, held by value.
///
/// Laws: reset(seed), then step() until `terminated` or `truncated`; equal seeds and actions give equal episodes;
/// actions() is not empty, holds no value twice and changes only between episodes, by gaining actions at its end; rewards
/// are finite; no global state and no text.
/// Thread-safety: distinct objects may be used concurrently; one object by one thread at a time.
/// Checked by icpi::testing::check_environment. Skeleton: docs/concepts/environment.md.
template <class E>
concept Environment =
    std::movable<E> && HasSpaces<E> && HasActionSet<E> && Resettable<E> && Steppable<E> && HasDiscount<E>;

/// An environment that can be put into the state in which `observation` is seen: what a perfect simulator needs.
/// Law: after set_state(o), step(a) is distributed as in any episode that has reached o; step limits start anew.
/// `seed` drives what is random afterwards, as in reset().
template <class E>
concept StateSettable =
    Environment<E> && requires(E& env, const typename E::Observation& observation, std::uint64_t seed) {
      env.set_state(observation, seed);  // set_state(observation, seed): continue from there
    };

/// An environment in which not every action can be done everywhere.
/// Laws: legal_actions(o) holds values of actions(), at least one where the episode is at o and goes on, and depends on o
/// alone; for what is not observed now it may not be known, which is empty or an exception. step() carries out what is
/// legal.
template <class E>
concept HasLegalActions = Environment<E> && requires(const E& env, const typename E::Observation& observation) {
  { env.legal_actions(observation) } -> RandomAccessRange;  // legal_actions(observation): what can be done there
  requires RangeOf<decltype(env.legal_actions(observation)), typename E::Action>;  // legal_actions: values of E::Action
};

/// One possible result of an action.
template <class Observation>
struct Outcome {
  double probability = 1;  ///< of this result, in (0, 1]
  Step<Observation> step;  ///< the result
};

/// An environment whose dynamics can be listed: what an exact solver needs.
/// Law: the probabilities of outcomes(o, a) sum to one, and step(a) at o draws from them; time limits (`truncated`)
/// are left out, time_limit() states them.
template <class E>
concept Enumerable = Environment<E> && requires(const E& env, const typename E::Observation& observation,
                                                const typename E::Action& action) {
  { env.outcomes(observation, action) } -> std::same_as<std::vector<Outcome<typename E::Observation>>>;
  { env.time_limit() } -> std::convertible_to<int>;  // steps until truncation; 0: none
};

/// The environment's actions, in its order.
template <Environment E>
[[nodiscard]] std::vector<typename E::Action> actions_of(const E& env) {
  std::vector<typename E::Action> actions;
  for (const auto& action : env.actions()) actions.push_back(action);
  return actions;
}

template <Environment E>
using TransitionOf = Transition<typename E::Observation, typename E::Action>;

template <Environment E>
using TrajectoryOf = Trajectory<typename E::Observation, typename E::Action>;

}  // namespace icpi
