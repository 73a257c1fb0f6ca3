// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "icpi/concepts/replay_buffer.hpp"
#include "icpi/core/check_option.hpp"
#include "icpi/replay/trajectory_index.hpp"

namespace icpi {

/// An agent's experience, indexed by action, termination and reward: a SharedReplayBuffer. The full history, or as much as
/// a bound allows: then the oldest complete trajectories leave when another one is complete, and memory stays flat, at most
/// twice what is held. The newest complete one and those that are running stay, however long they are.
///
/// Appending costs amortised constant time per transition; looking up costs constant time.
/// Thread-safety: const members may be called concurrently.
template <Environment Env>
class TrajectoryBuffer {
 public:
  using TransitionType = TransitionOf<Env>;  ///< what is kept

  /// Takes the set of actions from `env`. Throws InvalidArgument when no transition may be held.
  explicit TrajectoryBuffer(const Env& env, std::size_t max_transitions = std::numeric_limits<std::size_t>::max())
      : most_(max_transitions), actions_(icpi::actions_of(env)), index_(actions_.size()) {
    check_option(most_ > 0, "max_transitions", most_, "at least 1");
  }

  /// Takes in what the environment has gained of actions.
  void grow(const Env& env) {
    auto actions = icpi::actions_of(env);
    index_.grow(actions.size());
    actions_.swap(actions);
  }

  /// Adds a whole trajectory, or nothing when it throws.
  /// Throws InvalidArgument when a reward is not finite, an action is not one of the environment's, a step but the last
  /// ends the episode, or a trajectory is being extended. An empty trajectory changes nothing.
  void append(std::span<const TransitionType> trajectory) {
    if (own_) TrajectoryIndex::refuse_unclosed();
    for (std::size_t i = 0; i < trajectory.size(); ++i) {
      index_.check(index_of(trajectory[i].action), trajectory[i].reward, i);
      if (i + 1 < trajectory.size() && (trajectory[i].terminated || trajectory[i].truncated))
        TrajectoryIndex::refuse_early_end(i, trajectory.size());
    }
    const TrajectoryId added = begin();
    try {
      add_all(added, trajectory.data(), trajectory.size(), true);
    } catch (...) {
      index_.end(added);  // there is nothing in it
      throw;
    }
  }

  /// One more trajectory is running, beside those that are; its number.
  TrajectoryId begin() { return index_.begin(); }

  /// Adds one step to a running trajectory, or nothing when it throws. Throws as append(), and InvalidArgument when that
  /// trajectory is not running.
  void extend(TrajectoryId running, const TransitionType& transition) {
    index_.check(index_of(transition.action), transition.reward, index_.steps(running));
    add_all(running, &transition, 1, false);
  }

  /// Ends a running trajectory: it counts among the complete ones from now on. An empty one leaves nothing behind. Throws
  /// InvalidArgument when it is not running.
  void end(TrajectoryId running) {
    index_.end(running, most_);
    forget();
  }

  /// The same for who records one trajectory at a time: it begins with the first step.
  void extend(const TransitionType& transition) {
    const TrajectoryId running = own_ ? *own_ : begin();
    try {
      extend(running, transition);
    } catch (...) {
      if (!own_) end(running);
      throw;
    }
    own_ = running;
  }

  /// Ends that one. Nothing happens when it is empty.
  void close() {
    if (own_) end(*own_);
    own_.reset();
  }

  /// Transitions held, those of running trajectories included.
  [[nodiscard]] std::size_t size() const noexcept { return index_.size(); }
  /// Transitions that have left. Ids count on: the next one is size() + departed().
  [[nodiscard]] std::size_t departed() const noexcept { return index_.departed(); }
  /// Whether a transition is held.
  [[nodiscard]] bool holds(TransitionId id) const noexcept { return index_.holds(id); }
  /// One transition that is held.
  [[nodiscard]] const TransitionType& operator[](TransitionId id) const { return transitions_[id - first_]; }
  /// Its action's place among the environment's.
  [[nodiscard]] std::size_t action_index(TransitionId id) const { return index_.action_index(id); }

  /// Complete trajectories.
  [[nodiscard]] std::size_t trajectory_count() const noexcept { return index_.trajectory_count(); }
  /// The transitions of one, in the order of completion; `number` is below trajectory_count(). Valid until the next change.
  [[nodiscard]] TransitionIds trajectory(std::size_t number) const { return index_.trajectory(number); }

  /// Every transition with this action and termination, oldest first.
  [[nodiscard]] TransitionIds matching(std::size_t action, bool terminated) const {
    return index_.matching(action, terminated);
  }

  /// The same transitions by reward; see RewardClasses.
  [[nodiscard]] std::span<const RewardClass> reward_classes(std::size_t action, bool terminated) const {
    return index_.reward_classes(action, terminated);
  }

 private:
  [[nodiscard]] std::size_t index_of(const typename Env::Action& action) const {
    std::size_t index = 0;
    while (index < actions_.size() && !(actions_[index] == action)) ++index;
    return index;
  }

  /// All or nothing; `ends` the trajectory too.
  void add_all(TrajectoryId running, const TransitionType* added, std::size_t count, bool ends) {
    const std::size_t before = transitions_.size();
    try {
      for (std::size_t i = 0; i < count; ++i) {
        transitions_.push_back(added[i]);
        const TransitionType& kept = transitions_.back();
        index_.add(running, index_of(kept.action), kept.terminated, kept.reward);
      }
      if (ends) index_.end(running, most_);
    } catch (...) {
      while (transitions_.size() > before) transitions_.pop_back();  // erase() takes more to compile
      index_.truncate(static_cast<TransitionId>(first_ + before));
      throw;
    }
    if (ends) forget();
  }

  /// What the index no longer holds goes, once all before it has gone, and once that is more than what stays: a transition is
  /// copied once at most, on average. Copied and not moved, since that may fail, and then everything stays for a while.
  void forget() noexcept {
    while (gone_ < transitions_.size() && !index_.holds(static_cast<TransitionId>(first_ + gone_))) ++gone_;
    if (gone_ <= transitions_.size() - gone_) return;
    try {
      std::vector<TransitionType> rest(transitions_.begin() + static_cast<std::ptrdiff_t>(gone_), transitions_.end());
      transitions_.swap(rest);
    } catch (...) {
      return;
    }
    first_ += std::exchange(gone_, 0);
  }

  std::size_t most_;
  std::vector<typename Env::Action> actions_;
  std::vector<TransitionType> transitions_;
  std::size_t first_ = 0;  ///< the id of transitions_[0]
  std::size_t gone_ = 0;   ///< at the front of them, no longer held
  TrajectoryIndex index_;
  std::optional<TrajectoryId> own_;  ///< what extend(transition) extends
};

}  // namespace icpi
