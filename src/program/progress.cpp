// SPDX-License-Identifier: MIT
#include "progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <utility>

namespace icpi::program {

namespace {

std::string clock_text(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::mutex on_screen_mutex;
Progress* on_screen = nullptr;

}  // namespace

Progress::Progress(std::size_t total) : enabled_(isatty(STDERR_FILENO) == 1), total_(total) {
  const std::lock_guard lock(on_screen_mutex);
  if (enabled_) on_screen = this;
}

Progress::~Progress() {
  const std::lock_guard lock(on_screen_mutex);
  if (on_screen == this) on_screen = nullptr;
  if (enabled_ && drawn_ != Clock::time_point{}) std::fputs("\r\033[K", stderr);
}

void Progress::label(std::string text) {
  const std::lock_guard lock(on_screen_mutex);
  label_ = std::move(text);
}

void Progress::waiting(std::string_view reason, double seconds) {
  const std::lock_guard lock(on_screen_mutex);
  if (on_screen == nullptr) return;
  constexpr std::size_t shown = 100;
  std::string text;
  if (seconds > 0) text = fmt::format("  waiting {}: {}", clock_text(seconds), reason.substr(0, shown));
  if (text == on_screen->waiting_) return;
  on_screen->waiting_ = std::move(text);
  on_screen->draw();
}

void Progress::advance(std::size_t units) {
  const std::lock_guard lock(on_screen_mutex);
  done_ += units;
  if (!enabled_ || Clock::now() - drawn_ < std::chrono::milliseconds(200)) return;
  draw();
}

void Progress::draw() {
  drawn_ = Clock::now();
  const double spent = std::chrono::duration<double>(drawn_ - began_).count();
  const double part = total_ == 0 ? 1 : std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_));
  const std::string left = part > 0 ? clock_text(spent * (1 - part) / part) : "?";
  const std::string line =
      fmt::format("\r\033[K{:3.0f} %  {}  {} left  {}{}", 100 * part, clock_text(spent), left, label_, waiting_);
  std::fwrite(line.data(), 1, line.size(), stderr);  // a terminal that went away is no reason to stop
  std::fflush(stderr);
}

}  // namespace icpi::program
