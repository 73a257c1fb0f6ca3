// SPDX-License-Identifier: MIT
#include "icpi/experiment/regret_curve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <utility>

#include "icpi/core/error.hpp"

namespace icpi {

Estimate estimate(const Eigen::ArrayXd& values) {
  if (values.size() == 0) return {};
  const double mean = values.mean();
  const auto count = static_cast<double>(values.size());
  if (values.size() == 1) return {mean, 0};
  return {mean, std::sqrt((values - mean).square().sum() / (count - 1) / count)};
}

namespace {

/// Seed and environment of a run.
using RunName = std::pair<std::uint64_t, std::uint64_t>;

RunName name_of(const EpisodeRecord& record) { return {record.seed, record.environment.value_or(0)}; }

/// Rows of runs, of which those of one seed come one after the other, as one row of means for each seed.
Eigen::ArrayXXd mean_by_seed(const Eigen::ArrayXXd& runs, const std::map<RunName, Eigen::Index>& rows) {
  std::map<std::uint64_t, std::pair<Eigen::Index, Eigen::Index>> seeds;  // the first row, and how many
  for (const auto& [name, row] : rows) ++seeds.try_emplace(name.first, row, 0).first->second.second;
  if (static_cast<Eigen::Index>(seeds.size()) == runs.rows()) return runs;
  Eigen::ArrayXXd means(static_cast<Eigen::Index>(seeds.size()), runs.cols());
  Eigen::Index next = 0;
  for (const auto& [seed, range] : seeds)
    means.row(next++) = runs.middleRows(range.first, range.second).colwise().mean();
  return means;
}

}  // namespace

Eigen::ArrayXXd regret_by_step(std::span<const EpisodeRecord> records, std::size_t horizon) {
  if (horizon == 0) throw InvalidArgument("regret: the horizon is 0; allowed: at least 1");
  std::map<RunName, Eigen::Index> rows;
  for (const auto& record : records) rows.try_emplace(name_of(record), 0);
  Eigen::Index count = 0;
  for (auto& [name, row] : rows) row = count++;
  Eigen::ArrayXXd regret = Eigen::ArrayXXd::Constant(count, static_cast<Eigen::Index>(horizon), std::nan(""));
  for (const auto& record : records) {
    for (std::uint64_t step = record.step - record.length; step < std::min<std::uint64_t>(record.step, horizon);
         ++step) {
      double& place = regret(rows[name_of(record)], static_cast<Eigen::Index>(step));
      if (!std::isnan(place))
        throw InvalidArgument(fmt::format("regret: two episodes of seed {} have step {}", record.seed, step));
      place = record.regret;
    }
  }
  for (const auto& [name, row] : rows) {
    for (Eigen::Index step = 0; step < regret.cols(); ++step) {
      if (std::isnan(regret(row, step)))
        throw InvalidArgument(
            fmt::format("regret: seed {} has no episode at step {} of {}", name.first, step, horizon));
    }
  }
  return mean_by_seed(regret, rows);
}

RegretCurve regret_curve(const Eigen::ArrayXXd& regret, std::size_t bins) {
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

RegretCurve regret_curve(std::span<const EpisodeRecord> records, std::size_t horizon, std::size_t bins) {
  return regret_curve(regret_by_step(records, horizon), bins);
}

}  // namespace icpi
