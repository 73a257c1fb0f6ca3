// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "icpi/concepts/legal_actions.hpp"

namespace icpi {

ICPI_INLINE bool is_legal(LegalActions legal, std::size_t action) noexcept {
  return legal.empty() || std::binary_search(legal.begin(), legal.end(), action);
}

ICPI_INLINE void mark_illegal(LegalActions legal, std::span<double> values) noexcept {
  if (legal.empty()) return;
  auto next = legal.begin();
  for (std::size_t action = 0; action < values.size(); ++action) {
    if (next != legal.end() && *next == action)
      ++next;
    else
      values[action] = std::numeric_limits<double>::quiet_NaN();
  }
}

ICPI_INLINE void detail::add_place(std::vector<std::uint32_t>& places, std::size_t place) {
  places.push_back(static_cast<std::uint32_t>(place));
}

ICPI_INLINE void detail::order_places(std::vector<std::uint32_t>& places) {
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
}

}  // namespace icpi
