// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>

#include "icpi/core/check_option.hpp"
#include "icpi/policy/action_selection.hpp"

namespace icpi {

static_assert(SelectsActions<Greedy> && SelectsActions<Softmax>);

ICPI_INLINE std::size_t Greedy::select(std::span<const double> values, RandomStream& stream) const {
  // Values closer than this part of the highest (of 1, if that is less) are equal: sums of the same rewards in another
  // order differ by rounding.
  constexpr double tie_tolerance = 1e-9;
  const double highest = *std::max_element(values.begin(), values.end());
  const double best = std::isfinite(highest) ? highest - tie_tolerance * std::max(1.0, std::abs(highest)) : highest;
  const auto ties = std::count_if(values.begin(), values.end(), [best](double value) { return value >= best; });
  std::size_t skip = stream.index(static_cast<std::size_t>(ties));
  std::size_t action = 0;
  while (values[action] < best || skip-- > 0) ++action;
  return action;
}

ICPI_INLINE std::string Greedy::description() const { return "greedy()"; }

ICPI_INLINE std::size_t Softmax::select(std::span<const double> values, RandomStream& stream) const {
  const double highest = *std::max_element(values.begin(), values.end());
  // An infinite value is as far above all others as can be.
  const auto weight = [&](double value) { return value == highest ? 1.0 : std::exp((value - highest) / temperature); };
  double total = 0;
  for (const double value : values) total += weight(value);
  double left = stream.uniform() * total;
  std::size_t chosen = 0;
  for (std::size_t action = 0; action < values.size(); ++action) {
    if (weight(values[action]) == 0) continue;
    chosen = action;
    left -= weight(values[action]);
    if (left < 0) break;
  }
  return chosen;
}

ICPI_INLINE std::string Softmax::description() const { return fmt::format("softmax(temperature={})", temperature); }

ICPI_INLINE void Softmax::check() const {
  check_option(temperature > 0 && std::isfinite(temperature), "softmax.temperature", temperature, "above 0, finite");
}

#if !defined(ICPI_HEADER_ONLY)
template struct HeldStrategy<ActionSelectionCalls, ActionSelectionCalls::Of<Greedy>, Greedy>;
template struct ActionSelectionCalls::Of<Greedy>;
template struct HeldStrategy<ActionSelectionCalls, ActionSelectionCalls::Of<Softmax>, Softmax>;
template struct ActionSelectionCalls::Of<Softmax>;
#endif

}  // namespace icpi
