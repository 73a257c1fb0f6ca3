// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "icpi/concepts/replay_buffer.hpp"
#include "icpi/core/error.hpp"
#include "icpi/replay/reward_classes.hpp"

namespace icpi {

/// The full history of an agent's experience, indexed by action, termination and reward.
///
/// Appending costs amortised constant time per transition; looking up costs constant time.
/// Thread-safety: const members may be called concurrently.
template <Environment Env>
class TrajectoryBuffer {
 public:
  using TransitionType = TransitionOf<Env>;  ///< what is kept

  /// Takes the set of actions from `env`.
  explicit TrajectoryBuffer(const Env& env) {
    for (const auto& action : env.actions()) actions_.push_back(action);
    matching_.resize(2 * actions_.size());
    rewards_.resize(2 * actions_.size());
  }

  /// Adds a whole trajectory, or nothing when it throws.
  /// Throws InvalidArgument when a reward is not finite, an action is not one of the environment's, a step but the last
  /// ends the episode, or a trajectory is being extended. An empty trajectory changes nothing.
  void append(std::span<const TransitionType> trajectory) {
    if (open_) throw InvalidArgument("append: a running trajectory must be closed first");
    for (std::size_t i = 0; i < trajectory.size(); ++i) {
      check(trajectory[i], i);
      if (i + 1 < trajectory.size() && (trajectory[i].terminated || trajectory[i].truncated)) {
        throw InvalidArgument(fmt::format("append: step {} of {} ends the episode", i, trajectory.size()));
      }
    }
    const auto first = static_cast<TransitionId>(transitions_.size());
    try {
      for (const auto& transition : trajectory) add(transition);
      close();
    } catch (...) {
      truncate(first);
      throw;
    }
  }

  /// Adds one step to the running trajectory, or nothing when it throws. Throws as append().
  void extend(const TransitionType& transition) {
    check(transition, transitions_.size() - running_first());
    const auto first = static_cast<TransitionId>(transitions_.size());
    try {
      add(transition);
    } catch (...) {
      truncate(first);
      throw;
    }
    open_ = true;
  }

  /// Ends the running trajectory: it counts among the complete ones from now on. Nothing happens when it is empty.
  void close() {
    if (running_first() < transitions_.size()) {
      trajectories_.push_back({running_first(), static_cast<TransitionId>(transitions_.size())});
    }
    open_ = false;
  }

  /// Transitions held, those of the running trajectory included.
  [[nodiscard]] std::size_t size() const noexcept { return transitions_.size(); }
  /// One transition; `id` is below size().
  [[nodiscard]] const TransitionType& operator[](TransitionId id) const { return transitions_[id]; }
  /// Its action's place among the environment's.
  [[nodiscard]] std::size_t action_index(TransitionId id) const { return action_indices_[id]; }

  /// Complete trajectories, oldest first.
  [[nodiscard]] std::size_t trajectory_count() const noexcept { return trajectories_.size(); }
  /// The transitions of one; `number` is below trajectory_count().
  [[nodiscard]] TransitionRange trajectory(std::size_t number) const { return trajectories_[number]; }

  /// Every transition with this action and termination, oldest first.
  [[nodiscard]] std::span<const TransitionId> matching(std::size_t action, bool terminated) const {
    return matching_[group(action, terminated)];
  }

  /// The same transitions by reward; see RewardClasses.
  [[nodiscard]] std::span<const RewardClass> reward_classes(std::size_t action, bool terminated) const {
    return rewards_[group(action, terminated)].classes();
  }

 private:
  static std::size_t group(std::size_t action, bool terminated) { return 2 * action + (terminated ? 1 : 0); }

  [[nodiscard]] TransitionId running_first() const { return trajectories_.empty() ? 0 : trajectories_.back().last; }

  [[nodiscard]] std::size_t index_of(const typename Env::Action& action) const {
    std::size_t index = 0;
    while (index < actions_.size() && !(actions_[index] == action)) ++index;
    return index;
  }

  void check(const TransitionType& transition, std::size_t step) const {
    if (!std::isfinite(transition.reward)) {
      throw InvalidArgument(fmt::format("step {}: the reward {} is not finite", step, transition.reward));
    }
    if (index_of(transition.action) == actions_.size()) {
      throw InvalidArgument(fmt::format("step {}: the action is none of the environment's {}", step, actions_.size()));
    }
  }

  void add(const TransitionType& transition) {
    const auto id = static_cast<TransitionId>(transitions_.size());
    const std::size_t action = index_of(transition.action);
    transitions_.push_back(transition);
    action_indices_.push_back(static_cast<std::uint32_t>(action));
    matching_[group(action, transition.terminated)].push_back(id);
    rewards_[group(action, transition.terminated)].add(id, transition.reward);
  }

  void truncate(TransitionId first) {
    transitions_.erase(transitions_.begin() + first, transitions_.end());
    if (action_indices_.size() > first) action_indices_.resize(first);
    for (auto& ids : matching_) {
      while (!ids.empty() && ids.back() >= first) ids.pop_back();
    }
    for (auto& rewards : rewards_) rewards.truncate(first);
  }

  std::vector<typename Env::Action> actions_;
  std::vector<TransitionType> transitions_;
  std::vector<std::uint32_t> action_indices_;
  std::vector<TransitionRange> trajectories_;
  std::vector<std::vector<TransitionId>> matching_;
  std::vector<RewardClasses> rewards_;
  bool open_ = false;
};

}  // namespace icpi
