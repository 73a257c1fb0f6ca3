// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "icpi/core/export.hpp"
#include "icpi/core/owned.hpp"
#include "icpi/core/strategy.hpp"

namespace icpi {

/// A complete trajectory, as selections see it.
struct TrajectorySummary {
  std::size_t steps = 0;           ///< how many transitions it has
  double undiscounted_return = 0;  ///< sum of its rewards
};

/// Chooses the trajectories that policy prompts show. Optional: `check()`, and
/// `static constexpr bool needs_summaries = false` for selections that look at the number of trajectories alone: their
/// summaries stay empty, and the buffer is not looked up for them.
///
/// Laws: adds places in `trajectories` (oldest first) to `shown`, which is empty, in rising order. Called whenever
/// trajectories were added, on the agent's thread.
template <class T>
concept ChoosesTrajectories =
    std::copyable<T> && DescribesItself<T> &&
    requires(T& strategy, std::span<const TrajectorySummary> trajectories, std::vector<std::size_t>& shown) {
      strategy.select(trajectories, shown);  // select(trajectories, shown)
    };

/// The calls behind TrajectorySelection.
struct TrajectorySelectionCalls : StrategyCalls {
  /// Which types are strategies of this kind.
  template <class T>
  static constexpr bool accepts = ChoosesTrajectories<T>;

  /// See ChoosesTrajectories.
  virtual void select(std::span<const TrajectorySummary> trajectories, std::vector<std::size_t>& shown) = 0;
  /// Whether it looks at summaries.
  [[nodiscard]] virtual bool needs_summaries() const = 0;
  /// A copy of what is held.
  [[nodiscard]] virtual Owned<TrajectorySelectionCalls> clone() const = 0;

  /// A strategy of type T.
  template <class T>
  struct Of final : HeldStrategy<TrajectorySelectionCalls, Of<T>, T> {
    using HeldStrategy<TrajectorySelectionCalls, Of<T>, T>::HeldStrategy;
    void select(std::span<const TrajectorySummary> trajectories, std::vector<std::size_t>& shown) override {
      this->strategy.select(trajectories, shown);
    }
    bool needs_summaries() const override {
      if constexpr (requires { T::needs_summaries; }) return T::needs_summaries;
      return true;
    }
  };
};

/// Any trajectory selection: LastTrajectories, TrajectoriesAboveReturn or a user's own.
using TrajectorySelection = Strategy<TrajectorySelectionCalls>;

/// The last c trajectories (paper, section 3).
struct LastTrajectories {
  static constexpr bool needs_summaries = false;  ///< it counts

  std::size_t recency = 8;  ///< c; >= 1

  /// See ChoosesTrajectories.
  ICPI_API void select(std::span<const TrajectorySummary> trajectories, std::vector<std::size_t>& shown) const;
  /// Name and parameters.
  [[nodiscard]] ICPI_API std::string description() const;
  /// Throws InvalidArgument for parameters out of range.
  ICPI_API void check() const;
};

/// The last c of those whose undiscounted return is above a threshold (the paper's baseline without argmax).
struct TrajectoriesAboveReturn {
  double threshold = 0;     ///< returns must be higher; not NaN
  std::size_t recency = 8;  ///< c; >= 1

  /// See ChoosesTrajectories.
  ICPI_API void select(std::span<const TrajectorySummary> trajectories, std::vector<std::size_t>& shown) const;
  /// Name and parameters.
  [[nodiscard]] ICPI_API std::string description() const;
  /// Throws InvalidArgument for parameters out of range.
  ICPI_API void check() const;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/prompt/trajectory_selection-inl.hpp"
#endif
