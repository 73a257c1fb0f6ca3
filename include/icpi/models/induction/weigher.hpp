// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "icpi/models/induction/rows.hpp"
#include "icpi/models/induction/templates.hpp"
#include "icpi/models/induction/tokens.hpp"

namespace icpi::induction {

inline std::uint64_t hash_cell(std::uint64_t hash, TokenId token) noexcept { return mix(hash, token); }

/// Says how much rows count.
class RowWeigher {
 public:
  /// In half units, of the chosen rows: their number by its root, since repeats are little evidence. `calibrated`: rows that
  /// differ in nothing but what came next share their weight as often as they occurred. Valid until the next call.
  std::span<const double> weigh(const Table& table, std::span<const std::size_t> chosen, bool calibrated) {
    half_units_.clear();
    for (const std::size_t r : chosen)
      half_units_.push_back(std::sqrt(static_cast<double>(table.times[r])) * (table.levels[r] == Level::whole ? 2 : 1));
    if (!calibrated) return half_units_;
    alike_.clear();
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      auto hash = static_cast<std::uint64_t>(table.levels[chosen[i]]);
      for (std::size_t c = 0; c < table.columns.size(); ++c) hash = hash_cell(hash, table.cell(c, chosen[i]));
      alike_.emplace_back(hash, i);
    }
    std::sort(alike_.begin(), alike_.end());
    for (auto first = alike_.begin(); first != alike_.end();) {
      const auto last = std::find_if(first, alike_.end(), [&](const auto& each) { return each.first != first->first; });
      share(table, chosen, std::span(first, last));
      first = last;
    }
    return half_units_;
  }

 private:
  static constexpr double most_half_units = 7;  ///< see RowWeights

  /// The most frequent of them weighs no more than a row can, so that the others keep their part.
  void share(const Table& table, std::span<const std::size_t> chosen,
             std::span<const std::pair<std::uint64_t, std::size_t>> rows) {
    if (rows.size() < 2) return;
    double weight = 0;
    double times = 0;
    double most = 0;
    for (const auto& [hash, i] : rows) {
      const double here = table.times[chosen[i]];
      weight += half_units_[i];
      times += here;
      most = std::max(most, here);
    }
    const double unit = std::min(weight / times, most_half_units / most);
    for (const auto& [hash, i] : rows) half_units_[i] = unit * table.times[chosen[i]];
  }

  std::vector<double> half_units_;                            ///< by chosen row
  std::vector<std::pair<std::uint64_t, std::size_t>> alike_;  ///< chosen rows by all but what came next
};

}  // namespace icpi::induction
