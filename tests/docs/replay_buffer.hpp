// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "icpi/concepts/replay_buffer.hpp"

namespace skeletons {

/// The least that a buffer must do. It trusts that actions are the environment's and that memory does not end:
/// icpi::TrajectoryBuffer checks what it is given, and an append() of it that throws has changed nothing.
template <icpi::Environment Env>
class PlainBuffer {
 public:
  using Transition = icpi::TransitionOf<Env>;

  explicit PlainBuffer(const Env& env) {
    for (const auto& action : env.actions()) actions_.push_back(action);
    matching_.resize(2 * actions_.size());
    classes_.resize(2 * actions_.size());
  }

  // A whole trajectory, all or nothing.
  void append(std::span<const Transition> trajectory) {
    for (const auto& transition : trajectory) extend(transition);
    close();
  }
  // One more step of the running trajectory, and its end.
  void extend(const Transition& transition) {
    const auto id = static_cast<icpi::TransitionId>(transitions_.size());
    transitions_.push_back(transition);
    const std::size_t group = group_of(action_index(id), transition.terminated);
    matching_[group].push_back(id);
    auto& classes = classes_[group];
    auto found = std::find_if(classes.begin(), classes.end(),
                              [&](const icpi::RewardClass& each) { return each.reward == transition.reward; });
    if (found == classes.end()) found = classes.insert(classes.end(), {transition.reward, {}});
    found->members.push_back(id);
  }
  void close() {
    const icpi::TransitionId first = ranges_.empty() ? 0 : ranges_.back().last;
    const auto last = static_cast<icpi::TransitionId>(transitions_.size());
    if (first < last) ranges_.push_back({first, last});
  }

  // Transitions by number: 0, 1, ... in the order of their arrival; numbers never change.
  [[nodiscard]] std::size_t size() const { return transitions_.size(); }
  const Transition& operator[](icpi::TransitionId id) const { return transitions_[id]; }
  [[nodiscard]] std::size_t action_index(icpi::TransitionId id) const {
    const auto& action = transitions_[id].action;
    return static_cast<std::size_t>(std::find(actions_.begin(), actions_.end(), action) - actions_.begin());
  }

  // Complete trajectories, oldest first.
  [[nodiscard]] std::size_t trajectory_count() const { return ranges_.size(); }
  [[nodiscard]] icpi::TransitionRange trajectory(std::size_t number) const { return ranges_[number]; }

  // Every transition with this action and termination, once, oldest first: all of them, and by reward. In time that
  // does not depend on the history, hence the indices.
  [[nodiscard]] std::span<const icpi::TransitionId> matching(std::size_t action, bool terminated) const {
    return matching_[group_of(action, terminated)];
  }
  [[nodiscard]] std::span<const icpi::RewardClass> reward_classes(std::size_t action, bool terminated) const {
    return classes_[group_of(action, terminated)];
  }

 private:
  static std::size_t group_of(std::size_t action, bool terminated) { return 2 * action + (terminated ? 1 : 0); }

  std::vector<typename Env::Action> actions_;
  std::deque<Transition> transitions_;
  std::vector<icpi::TransitionRange> ranges_;
  std::vector<std::vector<icpi::TransitionId>> matching_;
  std::vector<std::vector<icpi::RewardClass>> classes_;
};

}  // namespace skeletons
