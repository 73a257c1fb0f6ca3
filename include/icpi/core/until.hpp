// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <stop_token>

namespace icpi {

/// When work must end: at a point in time, when it is told to, or both; unless set, never. What is under way then is
/// cancelled, and what came so far is used. Results that were cut short by time are not reproducible.
/// Thread-safety: a value; the stop may be requested by any thread.
struct Until {
  using Clock = std::chrono::steady_clock;  ///< of deadlines

  Clock::time_point deadline = Clock::time_point::max();  ///< the last moment
  std::stop_token stop{};                                 ///< told to end

  /// This long from now.
  [[nodiscard]] static Until after(std::chrono::nanoseconds time) { return Until{}.at_most(time); }

  /// The same, but no longer than this from now.
  [[nodiscard]] Until at_most(std::chrono::nanoseconds time) const {
    const auto now = Clock::now();
    return {time < deadline - now ? now + std::chrono::duration_cast<Clock::duration>(time) : deadline, stop};
  }

  /// Whether it may ever end work.
  [[nodiscard]] bool limits() const noexcept { return deadline != Clock::time_point::max() || stop.stop_possible(); }
  /// Whether work must end now.
  [[nodiscard]] bool over() const noexcept {
    return stop.stop_requested() || (deadline != Clock::time_point::max() && Clock::now() >= deadline);
  }
  /// How long may be waited before asking again, at most `longest`: a stop is seen within 50 ms. Milliseconds are
  /// rounded up, so that nobody waits for nothing again and again.
  [[nodiscard]] std::chrono::milliseconds wait(std::chrono::milliseconds longest) const {
    if (stop.stop_possible()) longest = std::min(longest, std::chrono::milliseconds(50));
    if (deadline == Clock::time_point::max()) return longest;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    return std::clamp(left, std::chrono::milliseconds(0), longest);
  }
};

}  // namespace icpi
