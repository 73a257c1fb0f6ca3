// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "icpi/concepts/replay_buffer.hpp"
#include "icpi/core/export.hpp"
#include "icpi/replay/reward_classes.hpp"

namespace icpi {

/// What a replay buffer knows of its transitions without knowing their types: where trajectories begin and end, and
/// which transitions have which action, termination and reward. For buffers of your own, as TrajectoryBuffer uses it.
///
/// Adding costs amortised constant time per transition; looking up costs constant time.
/// Thread-safety: const members may be called concurrently.
class ICPI_API TrajectoryIndex {
 public:
  // Defined out of line, so that users' units need not make them.
  TrajectoryIndex(const TrajectoryIndex&);
  TrajectoryIndex(TrajectoryIndex&&) noexcept;
  TrajectoryIndex& operator=(const TrajectoryIndex&);
  TrajectoryIndex& operator=(TrajectoryIndex&&) noexcept;
  ~TrajectoryIndex();

  /// For this many actions.
  explicit TrajectoryIndex(std::size_t actions);

  /// Throws InvalidArgument, naming `step`, unless the reward is finite and `action` one of the actions.
  void check(std::size_t action, double reward, std::size_t step) const;
  /// Throws InvalidArgument when a running trajectory was not closed.
  void check_closed() const;
  /// Throws InvalidArgument because step `step` of `steps`, not the last one, ends the episode.
  [[noreturn]] static void refuse_early_end(std::size_t step, std::size_t steps);

  /// Adds the next transition of the running trajectory.
  void add(std::size_t action, bool terminated, double reward);
  /// Whether a trajectory is running that append() must not follow.
  void set_open(bool open) noexcept { open_ = open; }
  /// Ends the running trajectory. Nothing happens when it is empty.
  void close();
  /// Forgets the transitions from `first` on, which are of the running trajectory.
  void truncate(TransitionId first);

  /// Transitions of the running trajectory so far.
  [[nodiscard]] std::size_t running() const noexcept;
  /// Which action a transition has.
  [[nodiscard]] std::size_t action_index(TransitionId id) const { return action_indices_[id]; }
  /// Complete trajectories.
  [[nodiscard]] std::size_t trajectory_count() const noexcept { return trajectories_.size(); }
  /// The transitions of one; `number` is below trajectory_count().
  [[nodiscard]] TransitionRange trajectory(std::size_t number) const { return trajectories_[number]; }
  /// Every transition with this action and termination, oldest first.
  [[nodiscard]] TransitionIds matching(std::size_t action, bool terminated) const {
    return matching_[group(action, terminated)];
  }
  /// The same transitions by reward; see RewardClasses.
  [[nodiscard]] std::span<const RewardClass> reward_classes(std::size_t action, bool terminated) const {
    return rewards_[group(action, terminated)].classes();
  }

 private:
  static std::size_t group(std::size_t action, bool terminated) noexcept { return 2 * action + (terminated ? 1 : 0); }

  std::size_t actions_;
  std::vector<std::uint32_t> action_indices_;
  std::vector<TransitionRange> trajectories_;
  std::vector<std::vector<TransitionId>> matching_;
  std::vector<RewardClasses> rewards_;
  bool open_ = false;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/replay/trajectory_index-inl.hpp"
#endif
