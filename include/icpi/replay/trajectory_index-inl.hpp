// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/replay/reward_classes.hpp"
#include "icpi/replay/trajectory_index.hpp"

namespace icpi {

struct TrajectoryIndex::Lists {
  explicit Lists(std::size_t count) : actions(count), matching(2 * count), rewards(2 * count) {}

  /// A trajectory that is not complete.
  struct Running {
    TrajectoryId id = 0;
    std::vector<TransitionId> steps;
  };

  static std::size_t group(std::size_t action, bool terminated) noexcept { return 2 * action + (terminated ? 1 : 0); }

  [[nodiscard]] std::vector<Running>::iterator find(TrajectoryId id) {
    const auto found =
        std::find_if(running.begin(), running.end(), [id](const Running& each) { return each.id == id; });
    if (found == running.end()) throw InvalidArgument(fmt::format("no trajectory {} is running", id));
    return found;
  }

  std::size_t actions;
  std::vector<std::uint32_t> action_indices;
  TrajectoryId begun = 0;              ///< trajectories so far
  std::vector<Running> running;        ///< in the order of their beginnings
  std::vector<TransitionId> complete;  ///< transitions of the complete ones, one trajectory after the other
  std::vector<std::size_t> ends;       ///< where in `complete` each of them ends
  std::vector<std::vector<TransitionId>> matching;  ///< by group
  std::vector<RewardClasses> rewards;               ///< by group
};

ICPI_INLINE TrajectoryIndex::TrajectoryIndex(std::size_t actions) : lists_(std::make_unique<Lists>(actions)) {}

ICPI_INLINE void TrajectoryIndex::check(std::size_t action, double reward, std::size_t step) const {
  if (!std::isfinite(reward)) throw InvalidArgument(fmt::format("step {}: the reward {} is not finite", step, reward));
  if (action >= lists_->actions)
    throw InvalidArgument(fmt::format("step {}: the action is none of the environment's {}", step, lists_->actions));
}

ICPI_INLINE void TrajectoryIndex::refuse_unclosed() {
  throw InvalidArgument("append: a running trajectory must be closed first");
}

ICPI_INLINE void TrajectoryIndex::refuse_early_end(std::size_t step, std::size_t steps) {
  throw InvalidArgument(fmt::format("append: step {} of {} ends the episode", step, steps));
}

ICPI_INLINE TrajectoryId TrajectoryIndex::begin() {
  lists_->running.push_back({lists_->begun, {}});
  return lists_->begun++;
}

ICPI_INLINE void TrajectoryIndex::add(TrajectoryId running, std::size_t action, bool terminated, double reward) {
  const auto trajectory = lists_->find(running);
  check(action, reward, trajectory->steps.size());
  if (lists_->action_indices.size() == std::numeric_limits<TransitionId>::max())
    throw Error("a replay buffer has no more numbers for transitions: it has seen 4294967295");
  const auto id = static_cast<TransitionId>(lists_->action_indices.size());
  lists_->action_indices.push_back(static_cast<std::uint32_t>(action));
  trajectory->steps.push_back(id);
  lists_->matching[Lists::group(action, terminated)].push_back(id);
  lists_->rewards[Lists::group(action, terminated)].add(id, reward);
}

ICPI_INLINE void TrajectoryIndex::end(TrajectoryId running) {
  const auto trajectory = lists_->find(running);
  if (!trajectory->steps.empty()) {
    lists_->ends.reserve(lists_->ends.size() == lists_->ends.capacity() ? 2 * lists_->ends.size() + 1 : 0);
    lists_->complete.insert(lists_->complete.end(), trajectory->steps.begin(), trajectory->steps.end());
    lists_->ends.push_back(lists_->complete.size());
  }
  lists_->running.erase(trajectory);
}

ICPI_INLINE std::size_t TrajectoryIndex::steps(TrajectoryId running) const {
  return lists_->find(running)->steps.size();
}

ICPI_INLINE void TrajectoryIndex::truncate(TransitionId first) {
  if (lists_->action_indices.size() > first) lists_->action_indices.resize(first);
  const auto cut = [first](std::vector<TransitionId>& ids) {
    while (!ids.empty() && ids.back() >= first) ids.pop_back();
  };
  for (auto& trajectory : lists_->running) cut(trajectory.steps);
  for (auto& ids : lists_->matching) cut(ids);
  for (auto& rewards : lists_->rewards) rewards.truncate(first);
}

ICPI_INLINE std::size_t TrajectoryIndex::action_index(TransitionId id) const { return lists_->action_indices[id]; }

ICPI_INLINE std::size_t TrajectoryIndex::trajectory_count() const noexcept { return lists_->ends.size(); }

ICPI_INLINE TransitionIds TrajectoryIndex::trajectory(std::size_t number) const {
  const std::size_t first = number == 0 ? 0 : lists_->ends[number - 1];
  return TransitionIds(lists_->complete).subspan(first, lists_->ends[number] - first);
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
