// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "icpi/concepts/environment.hpp"

namespace icpi {

/// Number of a recorded transition: 0, 1, ... in the order of their arrival.
using TransitionId = std::uint32_t;

/// Transition numbers, ascending.
using TransitionIds = std::span<const TransitionId>;

/// Number of a trajectory: 0, 1, ... in the order of their beginnings.
using TrajectoryId = std::uint32_t;

/// A contiguous run of transitions: one trajectory of a buffer whose trajectories do not grow side by side.
struct TransitionRange {
  TransitionId first = 0;  ///< its first transition
  TransitionId last = 0;   ///< one past the end

  /// How many transitions.
  [[nodiscard]] std::size_t size() const noexcept { return last - first; }
  friend bool operator==(const TransitionRange&, const TransitionRange&) = default;
};

/// Transitions whose rewards count as alike when examples are balanced.
struct RewardClass {
  double reward = 0;                  ///< a member's reward: the class's only one while few values exist
  std::vector<TransitionId> members;  ///< oldest first
};

/// Remembers.
template <class B, class E>
concept RecordsTransitions = Environment<E> && requires(B& buffer, const TransitionOf<E>& transition,
                                                        std::span<const TransitionOf<E>> trajectory) {
  buffer.append(trajectory);  // append(trajectory): a whole trajectory, all or nothing
  buffer.extend(transition);  // extend(transition): one more step of the running trajectory
  buffer.close();             // close(): the running trajectory is complete
};

namespace detail {

/// Ids, or a range of them.
template <class R>
concept NamesTransitions = std::convertible_to<R, TransitionIds> || std::convertible_to<R, TransitionRange>;

}  // namespace detail

/// Gives back.
template <class B, class E>
concept ServesTransitions = Environment<E> && requires(const B& buffer, TransitionId id, std::size_t number,
                                                       std::size_t action, bool terminated) {
  { buffer.size() } -> std::convertible_to<std::size_t>;              // size(): transitions held
  { buffer[id] } -> std::convertible_to<const TransitionOf<E>&>;      // buffer[id]: one transition
  { buffer.action_index(id) } -> std::convertible_to<std::size_t>;    // action_index(id): which of actions()
  { buffer.trajectory_count() } -> std::convertible_to<std::size_t>;  // trajectory_count(): complete trajectories
  { buffer.trajectory(number) } -> detail::NamesTransitions;          // trajectory(number): oldest first
  { buffer.matching(action, terminated) } -> std::convertible_to<TransitionIds>;  // matching(action, terminated): ids
  {
    buffer.reward_classes(action, terminated)              // reward_classes(action, terminated): RewardClass objects
  } -> std::convertible_to<std::span<const RewardClass>>;  // reward_classes(action, terminated): RewardClass objects
};

namespace detail {

/// A reference, or a view: what it shows lives elsewhere.
template <class R>
concept Lent = std::is_lvalue_reference_v<R> || std::is_trivially_destructible_v<R>;

}  // namespace detail

/// Lends lists that it keeps: they are read after the call. A list returned by value would be gone by then.
template <class B>
concept LendsLists = requires(const B& buffer, std::size_t action, bool terminated) {
  requires detail::Lent<decltype(buffer.matching(action, terminated))>;        // matching: a span or a reference
  requires detail::Lent<decltype(buffer.reward_classes(action, terminated))>;  // reward_classes: likewise
};

/// Keeps trajectories that grow side by side, each under its number.
template <class B, class E>
concept RecordsSeveralTrajectories = Environment<E> && requires(B& buffer, const B& constant, TrajectoryId running,
                                                                std::size_t number, const TransitionOf<E>& transition) {
  { buffer.begin() } -> std::convertible_to<TrajectoryId>;  // begin(): one more trajectory is running; its number
  buffer.extend(running, transition);                       // extend(id, transition): one more step of that one
  buffer.end(running);                                      // end(id): that one is complete
  { constant.trajectory(number) } -> std::convertible_to<TransitionIds>;  // trajectory(number): a span of ids
};

/// Forgets. Ids count on: the next one is size() + departed().
///
/// Laws: what leaves are whole trajectories, when another one is complete; the newest complete one and those that are
/// running stay; operator[] and action_index() are asked about ids that are held.
template <class B>
concept ForgetsTransitions = requires(const B& buffer, TransitionId id) {
  { buffer.departed() } -> std::convertible_to<std::size_t>;  // departed(): transitions that have left so far
  { buffer.holds(id) } -> std::convertible_to<bool>;          // holds(id): whether one that came is still there
};

/// Experience, no text, of one environment at a time. Where an environment gains actions, `grow(env)` is called; a buffer
/// without it is refused then.
///
/// Laws: append is all-or-nothing; ids never change; trajectories are listed in the order of their completion; matching()
/// and reward_classes() list every transition with that action and termination exactly once, oldest first, in time that
/// does not depend on the history; a truncated transition is not terminated. Lists are read until the next change.
/// Thread-safety: const members may be called concurrently.
/// Checked by icpi::testing::check_replay_buffer. Skeleton: docs/concepts/replay_buffer.md.
template <class B, class E>
concept ReplayBuffer = RecordsTransitions<B, E> && ServesTransitions<B, E> && LendsLists<B>;

/// Experience of several environments of one agent.
///
/// Laws: those of ReplayBuffer; extend(id, transition) and end(id) throw InvalidArgument unless that trajectory is running;
/// a trajectory that ends without a step leaves nothing behind.
template <class B, class E>
concept SharedReplayBuffer = ReplayBuffer<B, E> && RecordsSeveralTrajectories<B, E>;

}  // namespace icpi
