// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "icpi/core/error.hpp"
#include "icpi/replay/trajectory_index.hpp"

namespace icpi {

ICPI_INLINE TrajectoryIndex::TrajectoryIndex(std::size_t actions)
    : actions_(actions), matching_(2 * actions), rewards_(2 * actions) {}

ICPI_INLINE void TrajectoryIndex::check(std::size_t action, double reward, std::size_t step) const {
  if (!std::isfinite(reward)) throw InvalidArgument(fmt::format("step {}: the reward {} is not finite", step, reward));
  if (action >= actions_)
    throw InvalidArgument(fmt::format("step {}: the action is none of the environment's {}", step, actions_));
}

ICPI_INLINE void TrajectoryIndex::check_closed() const {
  if (open_) throw InvalidArgument("append: a running trajectory must be closed first");
}

ICPI_INLINE void TrajectoryIndex::refuse_early_end(std::size_t step, std::size_t steps) {
  throw InvalidArgument(fmt::format("append: step {} of {} ends the episode", step, steps));
}

ICPI_INLINE void TrajectoryIndex::add(std::size_t action, bool terminated, double reward) {
  const auto id = static_cast<TransitionId>(action_indices_.size());
  action_indices_.push_back(static_cast<std::uint32_t>(action));
  matching_[group(action, terminated)].push_back(id);
  rewards_[group(action, terminated)].add(id, reward);
}

ICPI_INLINE void TrajectoryIndex::close() {
  if (const std::size_t steps = running(); steps > 0) {
    const auto end = static_cast<TransitionId>(action_indices_.size());
    trajectories_.push_back({static_cast<TransitionId>(end - steps), end});
  }
  open_ = false;
}

ICPI_INLINE std::size_t TrajectoryIndex::running() const noexcept {
  return action_indices_.size() - (trajectories_.empty() ? 0 : trajectories_.back().last);
}

ICPI_INLINE void TrajectoryIndex::truncate(TransitionId first) {
  if (action_indices_.size() > first) action_indices_.resize(first);
  for (auto& ids : matching_) {
    while (!ids.empty() && ids.back() >= first) ids.pop_back();
  }
  for (auto& rewards : rewards_) rewards.truncate(first);
}

ICPI_INLINE TrajectoryIndex::TrajectoryIndex(const TrajectoryIndex&) = default;
ICPI_INLINE TrajectoryIndex::TrajectoryIndex(TrajectoryIndex&&) noexcept = default;
ICPI_INLINE TrajectoryIndex& TrajectoryIndex::operator=(const TrajectoryIndex&) = default;
ICPI_INLINE TrajectoryIndex& TrajectoryIndex::operator=(TrajectoryIndex&&) noexcept = default;
ICPI_INLINE TrajectoryIndex::~TrajectoryIndex() = default;

}  // namespace icpi
