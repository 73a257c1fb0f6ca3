// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <limits>
#include <span>

#include "icpi/concepts/replay_buffer.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/owned.hpp"

namespace icpi {

/// What a replay buffer knows of its transitions without knowing their types: where trajectories begin and end, and
/// which transitions have which action, termination and reward. For buffers of your own, as TrajectoryBuffer uses it.
///
/// Adding costs amortised constant time per transition; looking up costs constant time.
/// Thread-safety: const members may be called concurrently.
class ICPI_API TrajectoryIndex {
 public:
  TrajectoryIndex(const TrajectoryIndex&);                 ///< a copy
  TrajectoryIndex(TrajectoryIndex&&) noexcept;             ///< leaves nothing behind that may be used
  TrajectoryIndex& operator=(const TrajectoryIndex&);      ///< a copy
  TrajectoryIndex& operator=(TrajectoryIndex&&) noexcept;  ///< as construction
  ~TrajectoryIndex();

  /// For this many actions.
  explicit TrajectoryIndex(std::size_t actions);

  /// There are more actions than before: this many.
  void grow(std::size_t actions);

  /// Throws InvalidArgument, naming `step`, unless the reward is finite and `action` one of the actions.
  void check(std::size_t action, double reward, std::size_t step) const;
  /// Throws InvalidArgument because a trajectory that append() must not follow is running.
  [[noreturn]] static void refuse_unclosed();
  /// Throws InvalidArgument because step `step` of `steps`, not the last one, ends the episode.
  [[noreturn]] static void refuse_early_end(std::size_t step, std::size_t steps);

  /// One more trajectory is running; its number.
  TrajectoryId begin();
  /// Adds the next transition, which is of this trajectory. Throws as check(), InvalidArgument when it is not running, Error
  /// when all 2^32 - 1 numbers are used up; after other exceptions truncate() what was added.
  void add(TrajectoryId running, std::size_t action, bool terminated, double reward);
  /// Ends a trajectory; one without transitions leaves nothing behind. The oldest complete ones leave until, with this one
  /// and those that are running, at most `most` transitions are held, or they are alone. All or nothing. Throws
  /// InvalidArgument when it is not running.
  void end(TrajectoryId running, std::size_t most = std::numeric_limits<std::size_t>::max());
  /// Forgets the transitions from `first` on, which are of running trajectories.
  void truncate(TransitionId first);

  /// Transitions held.
  [[nodiscard]] std::size_t size() const noexcept;
  /// Transitions that have left.
  [[nodiscard]] std::size_t departed() const noexcept;
  /// Whether a transition is held.
  [[nodiscard]] bool holds(TransitionId id) const noexcept;

  /// Transitions of a trajectory so far. Throws InvalidArgument when it is not running.
  [[nodiscard]] std::size_t steps(TrajectoryId running) const;
  /// Which action a transition has.
  [[nodiscard]] std::size_t action_index(TransitionId id) const;
  /// Complete trajectories.
  [[nodiscard]] std::size_t trajectory_count() const noexcept;
  /// The transitions of one, in the order of completion; `number` is below trajectory_count().
  [[nodiscard]] TransitionIds trajectory(std::size_t number) const;
  /// Every transition with this action and termination, oldest first.
  [[nodiscard]] TransitionIds matching(std::size_t action, bool terminated) const;
  /// The same transitions by reward; see RewardClasses.
  [[nodiscard]] std::span<const RewardClass> reward_classes(std::size_t action, bool terminated) const;

 private:
  void forget(std::size_t most);

  struct Lists;  // not here, so that users' units need not make them

  Owned<Lists> lists_;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/replay/trajectory_index-inl.hpp"
#endif
