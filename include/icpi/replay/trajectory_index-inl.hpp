// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/replay/reward_classes.hpp"
#include "icpi/replay/trajectory_index.hpp"

namespace icpi {

struct TrajectoryIndex::Lists {
  explicit Lists(std::size_t count) : actions(count), matching(2 * count), rewards(2 * count) {}

  static std::size_t group(std::size_t action, bool terminated) noexcept { return 2 * action + (terminated ? 1 : 0); }

  std::size_t actions;
  std::vector<std::uint32_t> action_indices;
  std::vector<TransitionRange> trajectories;
  std::vector<std::vector<TransitionId>> matching;  ///< by group
  std::vector<RewardClasses> rewards;               ///< by group
  bool open = false;
};

ICPI_INLINE TrajectoryIndex::TrajectoryIndex(std::size_t actions) : lists_(std::make_unique<Lists>(actions)) {}

ICPI_INLINE void TrajectoryIndex::grow(std::size_t actions) {
  lists_->matching.resize(2 * actions);
  lists_->rewards.resize(2 * actions);
  lists_->actions = actions;
}

ICPI_INLINE void TrajectoryIndex::check(std::size_t action, double reward, std::size_t step) const {
  if (!std::isfinite(reward)) throw InvalidArgument(fmt::format("step {}: the reward {} is not finite", step, reward));
  if (action >= lists_->actions)
    throw InvalidArgument(fmt::format("step {}: the action is none of the environment's {}", step, lists_->actions));
}

ICPI_INLINE void TrajectoryIndex::check_closed() const {
  if (lists_->open) throw InvalidArgument("append: a running trajectory must be closed first");
}

ICPI_INLINE void TrajectoryIndex::refuse_early_end(std::size_t step, std::size_t steps) {
  throw InvalidArgument(fmt::format("append: step {} of {} ends the episode", step, steps));
}

ICPI_INLINE void TrajectoryIndex::add(std::size_t action, bool terminated, double reward) {
  check(action, reward, running());
  const auto id = static_cast<TransitionId>(lists_->action_indices.size());
  lists_->action_indices.push_back(static_cast<std::uint32_t>(action));
  lists_->matching[Lists::group(action, terminated)].push_back(id);
  lists_->rewards[Lists::group(action, terminated)].add(id, reward);
}

ICPI_INLINE void TrajectoryIndex::close() {
  if (const std::size_t steps = running(); steps > 0) {
    const auto end = static_cast<TransitionId>(lists_->action_indices.size());
    lists_->trajectories.push_back({static_cast<TransitionId>(end - steps), end});
  }
  lists_->open = false;
}

ICPI_INLINE std::size_t TrajectoryIndex::running() const noexcept {
  return lists_->action_indices.size() - (lists_->trajectories.empty() ? 0 : lists_->trajectories.back().last);
}

ICPI_INLINE void TrajectoryIndex::truncate(TransitionId first) {
  if (lists_->action_indices.size() > first) lists_->action_indices.resize(first);
  for (auto& ids : lists_->matching) {
    while (!ids.empty() && ids.back() >= first) ids.pop_back();
  }
  for (auto& rewards : lists_->rewards) rewards.truncate(first);
}

ICPI_INLINE void TrajectoryIndex::set_open(bool open) noexcept { lists_->open = open; }

ICPI_INLINE std::size_t TrajectoryIndex::action_index(TransitionId id) const { return lists_->action_indices[id]; }

ICPI_INLINE std::size_t TrajectoryIndex::trajectory_count() const noexcept { return lists_->trajectories.size(); }

ICPI_INLINE TransitionRange TrajectoryIndex::trajectory(std::size_t number) const {
  return lists_->trajectories[number];
}

ICPI_INLINE TransitionIds TrajectoryIndex::matching(std::size_t action, bool terminated) const {
  return lists_->matching[Lists::group(action, terminated)];
}

ICPI_INLINE std::span<const RewardClass> TrajectoryIndex::reward_classes(std::size_t action, bool terminated) const {
  return lists_->rewards[Lists::group(action, terminated)].classes();
}

ICPI_INLINE TrajectoryIndex::TrajectoryIndex(const TrajectoryIndex& other)
    : lists_(other.lists_ ? std::make_unique<Lists>(*other.lists_) : nullptr) {}
ICPI_INLINE TrajectoryIndex::TrajectoryIndex(TrajectoryIndex&&) noexcept = default;
ICPI_INLINE TrajectoryIndex& TrajectoryIndex::operator=(const TrajectoryIndex& other) {
  return *this = TrajectoryIndex(other);
}
ICPI_INLINE TrajectoryIndex& TrajectoryIndex::operator=(TrajectoryIndex&&) noexcept = default;
ICPI_INLINE TrajectoryIndex::~TrajectoryIndex() = default;

}  // namespace icpi
