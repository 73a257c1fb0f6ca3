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

/// A contiguous run of transitions: one trajectory.
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

/// Gives back.
template <class B, class E>
concept ServesTransitions = Environment<E> && requires(const B& buffer, TransitionId id, std::size_t number,
                                                       std::size_t action, bool terminated) {
  { buffer.size() } -> std::convertible_to<std::size_t>;                  // size(): transitions held
  { buffer[id] } -> std::convertible_to<const TransitionOf<E>&>;          // buffer[id]: one transition
  { buffer.action_index(id) } -> std::convertible_to<std::size_t>;        // action_index(id): which of actions()
  { buffer.trajectory_count() } -> std::convertible_to<std::size_t>;      // trajectory_count(): complete trajectories
  { buffer.trajectory(number) } -> std::convertible_to<TransitionRange>;  // trajectory(number): oldest first
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

/// The full history of experience, no text. Where an environment gains actions, `grow(env)` is called; a buffer without it is
/// refused then.
///
/// Laws: append is all-or-nothing; ids never change; matching() and reward_classes() list every transition with that
/// action and termination exactly once, oldest first, in time that does not depend on the history; a truncated
/// transition is not terminated.
/// Thread-safety: const members may be called concurrently.
/// Checked by icpi::testing::check_replay_buffer. Skeleton: docs/concepts/replay_buffer.md.
template <class B, class E>
concept ReplayBuffer = RecordsTransitions<B, E> && ServesTransitions<B, E> && LendsLists<B>;

}  // namespace icpi
