// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "icpi/concepts/replay_buffer.hpp"
#include "icpi/replay/trajectory_index.hpp"

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
  explicit TrajectoryBuffer(const Env& env) : actions_(actions_of(env)), index_(actions_.size()) {}

  /// Takes in what the environment has gained of actions.
  void grow(const Env& env) {
    auto actions = actions_of(env);
    index_.grow(actions.size());
    actions_.swap(actions);
  }

  /// Adds a whole trajectory, or nothing when it throws.
  /// Throws InvalidArgument when a reward is not finite, an action is not one of the environment's, a step but the last
  /// ends the episode, or a trajectory is being extended. An empty trajectory changes nothing.
  void append(std::span<const TransitionType> trajectory) {
    index_.check_closed();
    for (std::size_t i = 0; i < trajectory.size(); ++i) {
      index_.check(index_of(trajectory[i].action), trajectory[i].reward, i);
      if (i + 1 < trajectory.size() && (trajectory[i].terminated || trajectory[i].truncated))
        TrajectoryIndex::refuse_early_end(i, trajectory.size());
    }
    add_all(trajectory.data(), trajectory.size(), true);
  }

  /// Adds one step to the running trajectory, or nothing when it throws. Throws as append().
  void extend(const TransitionType& transition) {
    index_.check(index_of(transition.action), transition.reward, index_.running());
    add_all(&transition, 1, false);
    index_.set_open(true);
  }

  /// Ends the running trajectory: it counts among the complete ones from now on. Nothing happens when it is empty.
  void close() { index_.close(); }

  /// Transitions held, those of the running trajectory included.
  [[nodiscard]] std::size_t size() const noexcept { return transitions_.size(); }
  /// One transition; `id` is below size().
  [[nodiscard]] const TransitionType& operator[](TransitionId id) const { return transitions_[id]; }
  /// Its action's place among the environment's.
  [[nodiscard]] std::size_t action_index(TransitionId id) const { return index_.action_index(id); }

  /// Complete trajectories, oldest first.
  [[nodiscard]] std::size_t trajectory_count() const noexcept { return index_.trajectory_count(); }
  /// The transitions of one; `number` is below trajectory_count().
  [[nodiscard]] TransitionRange trajectory(std::size_t number) const { return index_.trajectory(number); }

  /// Every transition with this action and termination, oldest first.
  [[nodiscard]] TransitionIds matching(std::size_t action, bool terminated) const {
    return index_.matching(action, terminated);
  }

  /// The same transitions by reward; see RewardClasses.
  [[nodiscard]] std::span<const RewardClass> reward_classes(std::size_t action, bool terminated) const {
    return index_.reward_classes(action, terminated);
  }

 private:
  [[nodiscard]] static std::vector<typename Env::Action> actions_of(const Env& env) {
    std::vector<typename Env::Action> actions;
    for (const auto& action : env.actions()) actions.push_back(action);
    return actions;
  }

  [[nodiscard]] std::size_t index_of(const typename Env::Action& action) const {
    std::size_t index = 0;
    while (index < actions_.size() && !(actions_[index] == action)) ++index;
    return index;
  }

  /// All or nothing; `closes` the trajectory too.
  void add_all(const TransitionType* added, std::size_t count, bool closes) {
    const auto first = static_cast<TransitionId>(transitions_.size());
    try {
      for (std::size_t i = 0; i < count; ++i) {
        transitions_.push_back(added[i]);
        index_.add(index_of(added[i].action), added[i].terminated, added[i].reward);
      }
      if (closes) index_.close();
    } catch (...) {
      while (transitions_.size() > first) transitions_.pop_back();  // erase() takes more to compile
      index_.truncate(first);
      throw;
    }
  }

  std::vector<typename Env::Action> actions_;
  std::vector<TransitionType> transitions_;
  TrajectoryIndex index_;
};

}  // namespace icpi
