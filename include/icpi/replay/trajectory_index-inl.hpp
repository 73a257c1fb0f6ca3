// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
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

  /// One past the last transition.
  [[nodiscard]] std::size_t next() const noexcept { return first + action_indices.size(); }

  static constexpr std::uint32_t gone = ~std::uint32_t{0};

  std::size_t actions;
  std::size_t first = 0;                      ///< the transition that action_indices[0] is about
  std::vector<std::uint32_t> action_indices;  ///< of transitions that are held; `gone` for others among them
  std::size_t departed = 0;                   ///< transitions that have left
  TrajectoryId begun = 0;                     ///< trajectories so far
  std::vector<Running> running;               ///< in the order of their beginnings
  std::vector<TransitionId> complete;         ///< transitions of the complete ones, one trajectory after the other
  std::vector<std::size_t> ends;              ///< where in `complete` each of them ends
  std::vector<std::vector<TransitionId>> matching;  ///< by group
  std::vector<RewardClasses> rewards;               ///< by group
};

ICPI_INLINE TrajectoryIndex::TrajectoryIndex(std::size_t actions) : lists_(make_owned<Lists>(actions)) {}

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
  if (lists_->next() == std::numeric_limits<TransitionId>::max())
    throw Error("a replay buffer has no more numbers for transitions: it has seen 4294967295");
  const auto id = static_cast<TransitionId>(lists_->next());
  lists_->action_indices.push_back(static_cast<std::uint32_t>(action));
  trajectory->steps.push_back(id);
  lists_->matching[Lists::group(action, terminated)].push_back(id);
  lists_->rewards[Lists::group(action, terminated)].add(id, reward);
}

ICPI_INLINE void TrajectoryIndex::end(TrajectoryId running, std::size_t most) {
  const auto trajectory = lists_->find(running);
  if (!trajectory->steps.empty()) {
    // All that may throw comes first.
    const auto make_room = [](auto& list, std::size_t more) {
      if (list.capacity() - list.size() < more) list.reserve(2 * list.size() + more);
    };
    make_room(lists_->ends, 1);
    make_room(lists_->complete, trajectory->steps.size());
    forget(most);
    lists_->complete.insert(lists_->complete.end(), trajectory->steps.begin(), trajectory->steps.end());
    lists_->ends.push_back(lists_->complete.size());
  }
  lists_->running.erase(trajectory);
}

/// The oldest complete trajectories leave until at most `most` transitions are held. All or nothing.
ICPI_INLINE void TrajectoryIndex::forget(std::size_t most) {
  Lists& lists = *lists_;
  std::size_t trajectories = 0;
  std::size_t count = 0;
  while (trajectories < lists.ends.size() && size() - count > most) count = lists.ends[trajectories++];
  if (count == 0) return;
  const auto end_of_leaving = lists.complete.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<TransitionId> leaving(lists.complete.begin(), end_of_leaving);
  std::sort(leaving.begin(), leaving.end());
  std::vector<RewardClasses> rewards;
  for (const RewardClasses& each : lists.rewards) rewards.push_back(each.without(leaving));
  lists.rewards.swap(rewards);
  for (const TransitionId id : leaving) lists.action_indices[id - lists.first] = Lists::gone;
  for (auto& ids : lists.matching) std::erase_if(ids, [this](TransitionId id) { return !holds(id); });
  lists.complete.erase(lists.complete.begin(), end_of_leaving);
  lists.ends.erase(lists.ends.begin(), lists.ends.begin() + static_cast<std::ptrdiff_t>(trajectories));
  for (std::size_t& end : lists.ends) end -= count;
  lists.departed += count;
  const auto held = std::find_if(lists.action_indices.begin(), lists.action_indices.end(),
                                 [](std::uint32_t action) { return action != Lists::gone; });
  const auto unused = static_cast<std::size_t>(held - lists.action_indices.begin());
  if (unused < lists.action_indices.size() / 2) return;
  lists.action_indices.erase(lists.action_indices.begin(), held);
  lists.first += unused;
}

ICPI_INLINE std::size_t TrajectoryIndex::size() const noexcept { return lists_->next() - lists_->departed; }

ICPI_INLINE std::size_t TrajectoryIndex::departed() const noexcept { return lists_->departed; }

ICPI_INLINE bool TrajectoryIndex::holds(TransitionId id) const noexcept {
  return id >= lists_->first && id < lists_->next() && lists_->action_indices[id - lists_->first] != Lists::gone;
}

ICPI_INLINE std::size_t TrajectoryIndex::steps(TrajectoryId running) const {
  return lists_->find(running)->steps.size();
}

ICPI_INLINE void TrajectoryIndex::truncate(TransitionId first) {
  if (lists_->next() > first) lists_->action_indices.resize(first - lists_->first);
  const auto cut = [first](std::vector<TransitionId>& ids) {
    while (!ids.empty() && ids.back() >= first) ids.pop_back();
  };
  for (auto& trajectory : lists_->running) cut(trajectory.steps);
  for (auto& ids : lists_->matching) cut(ids);
  for (auto& rewards : lists_->rewards) rewards.truncate(first);
}

ICPI_INLINE std::size_t TrajectoryIndex::action_index(TransitionId id) const {
  return lists_->action_indices[id - lists_->first];
}

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
    : lists_(other.lists_ ? make_owned<Lists>(*other.lists_) : nullptr) {}
ICPI_INLINE TrajectoryIndex::TrajectoryIndex(TrajectoryIndex&&) noexcept = default;
ICPI_INLINE TrajectoryIndex& TrajectoryIndex::operator=(const TrajectoryIndex& other) {
  return *this = TrajectoryIndex(other);
}
ICPI_INLINE TrajectoryIndex& TrajectoryIndex::operator=(TrajectoryIndex&&) noexcept = default;
ICPI_INLINE TrajectoryIndex::~TrajectoryIndex() = default;

}  // namespace icpi
