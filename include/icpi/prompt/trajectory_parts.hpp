// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "icpi/concepts/replay_buffer.hpp"

namespace icpi {

/// The contiguous parts of some trajectories, numbered: what policy prompts draw from. A view of their transitions.
/// Thread-safety: const members may be called concurrently.
class TrajectoryParts {
 public:
  /// Parts of at most `most_steps` steps, or fewer where 32 bits could not number them.
  TrajectoryParts(std::span<const TransitionIds> trajectories, std::size_t most_steps) : trajectories_(trajectories) {
    std::size_t steps = 1;
    for (const auto ids : trajectories) steps += ids.size();
    longest_ = std::max<std::size_t>(1, std::min(most_steps, std::numeric_limits<std::uint32_t>::max() / steps));
    for (const auto ids : trajectories) count_ += count_of(ids);
  }

  /// How many.
  [[nodiscard]] std::size_t count() const noexcept { return count_; }

  /// One of them; `number` is below count().
  [[nodiscard]] TransitionIds operator[](std::size_t number) const {
    std::size_t trajectory = 0;
    while (number >= count_of(trajectories_[trajectory])) number -= count_of(trajectories_[trajectory++]);
    const TransitionIds all = trajectories_[trajectory];
    const std::size_t of_full_length = all.size() - std::min(longest_, all.size());
    std::size_t first = std::min(number / longest_, of_full_length);
    number -= first * longest_;
    for (std::size_t ends = std::min(longest_, all.size() - first); number >= ends;
         ends = std::min(longest_, all.size() - first)) {
      number -= ends;
      ++first;
    }
    return all.subspan(first, number + 1);
  }

 private:
  [[nodiscard]] std::size_t count_of(TransitionIds ids) const noexcept {
    const std::size_t longest = std::min(longest_, ids.size());
    return longest * (longest + 1) / 2 + (ids.size() - longest) * longest;
  }

  std::span<const TransitionIds> trajectories_;
  std::size_t longest_ = 1;
  std::size_t count_ = 0;
};

}  // namespace icpi
