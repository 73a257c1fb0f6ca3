// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "icpi/core/check_option.hpp"
#include "icpi/prompt/trajectory_selection.hpp"

namespace icpi {

static_assert(ChoosesTrajectories<LastTrajectories> && ChoosesTrajectories<TrajectoriesAboveReturn>);

ICPI_INLINE void LastTrajectories::select(std::span<const TrajectorySummary> trajectories,
                                          std::vector<std::size_t>& shown) const {
  for (std::size_t i = trajectories.size() - std::min(recency, trajectories.size()); i < trajectories.size(); ++i)
    shown.push_back(i);
}

ICPI_INLINE std::string LastTrajectories::description() const {
  return fmt::format("last_trajectories(recency={})", recency);
}

ICPI_INLINE void LastTrajectories::check() const { check_option(recency > 0, "recency", recency, "at least 1"); }

ICPI_INLINE void TrajectoriesAboveReturn::select(std::span<const TrajectorySummary> trajectories,
                                                 std::vector<std::size_t>& shown) const {
  for (std::size_t i = trajectories.size(); i > 0 && shown.size() < recency; --i)
    if (trajectories[i - 1].undiscounted_return > threshold) shown.push_back(i - 1);
  std::reverse(shown.begin(), shown.end());
}

ICPI_INLINE std::string TrajectoriesAboveReturn::description() const {
  return fmt::format("trajectories_above_return(threshold={}, recency={})", threshold, recency);
}

ICPI_INLINE void TrajectoriesAboveReturn::check() const {
  check_option(!std::isnan(threshold), "threshold", threshold, "numbers");
  check_option(recency > 0, "recency", recency, "at least 1");
}

}  // namespace icpi
