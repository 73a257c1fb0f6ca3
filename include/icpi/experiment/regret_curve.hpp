// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>

#include "icpi/core/error.hpp"
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
[[nodiscard]] inline Estimate estimate(const Eigen::ArrayXd& values) {
  if (values.size() == 0) return {};
  const double mean = values.mean();
  const auto count = static_cast<double>(values.size());
  if (values.size() == 1) return {mean, 0};
  return {mean, std::sqrt((values - mean).square().sum() / (count - 1) / count)};
}

/// Step-weighted regret, seeds x horizon: every environment step carries the regret of its episode. An episode that
/// crosses the horizon counts up to it. Seeds in ascending order. Throws InvalidArgument when a seed's episodes leave
/// out a step before the horizon or two of them claim the same one.
[[nodiscard]] inline Eigen::ArrayXXd regret_by_step(std::span<const EpisodeRecord> records, std::size_t horizon) {
  if (horizon == 0) throw InvalidArgument("regret: the horizon is 0; allowed: at least 1");
  std::map<std::uint64_t, Eigen::Index> rows;
  for (const auto& record : records) rows.try_emplace(record.seed, 0);
  Eigen::Index count = 0;
  for (auto& [seed, row] : rows) row = count++;
  Eigen::ArrayXXd regret = Eigen::ArrayXXd::Constant(count, static_cast<Eigen::Index>(horizon), std::nan(""));
  for (const auto& record : records) {
    for (std::uint64_t step = record.step - record.length; step < std::min<std::uint64_t>(record.step, horizon);
         ++step) {
      double& place = regret(rows[record.seed], static_cast<Eigen::Index>(step));
      if (!std::isnan(place))
        throw InvalidArgument(fmt::format("regret: two episodes of seed {} have step {}", record.seed, step));
      place = record.regret;
    }
  }
  for (const auto& [seed, row] : rows) {
    for (Eigen::Index step = 0; step < regret.cols(); ++step) {
      if (std::isnan(regret(row, step)))
        throw InvalidArgument(fmt::format("regret: seed {} has no episode at step {} of {}", seed, step, horizon));
    }
  }
  return regret;
}

/// The curve in `bins` bins of equal width over the horizon: step t belongs to bin floor(t bins / horizon). `regret` is
/// seeds x horizon. Bins without a step (more bins than steps) are NaN.
[[nodiscard]] inline RegretCurve regret_curve(const Eigen::ArrayXXd& regret, std::size_t bins = 20) {
  if (bins == 0) throw InvalidArgument("regret: the number of bins is 0; allowed: at least 1");
  const auto horizon = static_cast<std::size_t>(regret.cols());
  const auto first_step = [&](std::size_t bin) { return (bin * horizon + bins - 1) / bins; };
  const auto mean_of = [&](std::size_t first, std::size_t last) -> Estimate {
    if (first == last) return {std::nan(""), std::nan("")};
    return estimate(
        regret.middleCols(static_cast<Eigen::Index>(first), static_cast<Eigen::Index>(last - first)).rowwise().mean());
  };
  RegretCurve curve;
  curve.seeds = static_cast<std::size_t>(regret.rows());
  const auto size = static_cast<Eigen::Index>(bins);
  curve.position.resize(size);
  curve.mean.resize(size);
  curve.error.resize(size);
  for (std::size_t bin = 0; bin < bins; ++bin) {
    const auto at = static_cast<Eigen::Index>(bin);
    const Estimate value = mean_of(first_step(bin), first_step(bin + 1));
    curve.position(at) = (static_cast<double>(bin) + 0.5) * static_cast<double>(horizon) / static_cast<double>(bins);
    curve.mean(at) = value.mean;
    curve.error(at) = value.error;
  }
  curve.auc = mean_of(0, horizon);
  curve.last20 = mean_of(horizon - std::max<std::size_t>(1, horizon / 5), horizon);
  return curve;
}

/// Both at once.
[[nodiscard]] inline RegretCurve regret_curve(std::span<const EpisodeRecord> records, std::size_t horizon,
                                              std::size_t bins = 20) {
  return regret_curve(regret_by_step(records, horizon), bins);
}

}  // namespace icpi
