// SPDX-License-Identifier: MIT
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <span>

#include "icpi/core/error.hpp"
#include "icpi/core/export.hpp"
#include "icpi/experiment/episode_record.hpp"

namespace icpi {

/// A mean over seeds and its standard error (0 for a single seed).
struct Estimate {
  double mean = 0;   ///< over seeds
  double error = 0;  ///< standard deviation (n - 1) / sqrt(n)
};

/// How a method did in a domain: regret against environment steps, over seeds.
struct RegretCurve {
  std::size_t seeds = 0;    ///< rows behind the statistics
  Eigen::ArrayXd position;  ///< middle of every bin, in steps
  Eigen::ArrayXd mean;      ///< regret by bin
  Eigen::ArrayXd error;     ///< its standard error by bin
  Estimate auc;             ///< mean regret over the whole horizon
  Estimate last20;          ///< mean regret over the last 20 % of the steps
};

/// Mean and standard error of the entries, one a seed.
[[nodiscard]] ICPI_API Estimate estimate(const Eigen::ArrayXd& values);

/// Step-weighted regret, seeds x horizon: every environment step carries the regret of its episode, or the mean over the
/// environments of a seed that share one agent. An episode that crosses the horizon counts up to it. Seeds in ascending
/// order. Throws InvalidArgument when a seed's episodes leave out a step before the horizon or two of them claim the same
/// one.
[[nodiscard]] ICPI_API Eigen::ArrayXXd regret_by_step(std::span<const EpisodeRecord> records, std::size_t horizon);

/// The curve in `bins` bins of equal width over the horizon: step t belongs to bin floor(t bins / horizon). `regret` is
/// seeds x horizon. Bins without a step (more bins than steps) are NaN.
[[nodiscard]] ICPI_API RegretCurve regret_curve(const Eigen::ArrayXXd& regret, std::size_t bins = 20);

/// Both at once.
[[nodiscard]] ICPI_API RegretCurve regret_curve(std::span<const EpisodeRecord> records, std::size_t horizon,
                                                std::size_t bins = 20);

}  // namespace icpi
