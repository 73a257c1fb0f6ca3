// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>

#include "icpi/core/until.hpp"

namespace icpi {

ICPI_INLINE StopToken::Asked::~Asked() = default;

ICPI_INLINE Until Until::after(std::chrono::nanoseconds time) { return Until{}.at_most(time); }

ICPI_INLINE Until Until::at_most(std::chrono::nanoseconds time) const {
  const auto now = Clock::now();
  return {time < deadline - now ? now + std::chrono::duration_cast<Clock::duration>(time) : deadline, stop};
}

ICPI_INLINE bool Until::limits() const noexcept { return deadline != Clock::time_point::max() || stop.stop_possible(); }

ICPI_INLINE bool Until::over() const noexcept {
  return stop.stop_requested() || (deadline != Clock::time_point::max() && Clock::now() >= deadline);
}

ICPI_INLINE std::chrono::milliseconds Until::wait(std::chrono::milliseconds longest) const {
  if (stop.stop_possible()) longest = std::min(longest, std::chrono::milliseconds(50));
  if (deadline == Clock::time_point::max()) return longest;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return std::clamp(left, std::chrono::milliseconds(0), longest);
}

}  // namespace icpi
