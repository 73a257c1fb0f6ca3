// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace icpi::program {

/// A line on the terminal that says how far the work is and how long it will take; nothing when standard error is not
/// a terminal. One thread at a time, and one such line.
class Progress {
 public:
  /// `total` units of work.
  explicit Progress(std::size_t total);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Clears the line.
  ~Progress();

  /// What is being worked on.
  void label(std::string text);
  /// Shows on the line of whoever has one why nothing can be done for so many seconds more; 0: that is over. Any thread.
  static void waiting(std::string_view reason, double seconds);
  /// So many units more are done.
  void advance(std::size_t units);

 private:
  using Clock = std::chrono::steady_clock;

  void draw();

  bool enabled_;
  std::size_t total_;
  std::size_t done_ = 0;
  std::string label_;
  Clock::time_point began_ = Clock::now();
  Clock::time_point drawn_{};
  std::string waiting_;  ///< why nothing moves
};

}  // namespace icpi::program
