// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numbers>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/random.hpp"

namespace icpi::testing {

/// How long answers take and how often they do not come.
struct LatencyOptions {
  double median = 0.05;     ///< seconds
  double deviation = 0;     ///< of the logarithm; 0: always the median, 1.5: one answer in 100 takes 33 times that
  double failure_rate = 0;  ///< part of the answers that are transport failures
  std::size_t concurrency = 1024;  ///< requests that are worked on at once; further ones wait in line
};

/// An asynchronous model around any other, on a clock of its own: nothing sleeps. An answer's latency and failure depend
/// on its request and on how often it was put, not on when.
template <LanguageModel Source>
class LatencyModel {
 public:
  LatencyModel(Source source, const LatencyOptions& options) : source_(std::move(source)), options_(options) {}

  [[nodiscard]] std::string identity() const { return "delayed " + std::string(source_.identity()); }
  [[nodiscard]] std::size_t concurrency() const noexcept { return options_.concurrency; }

  [[nodiscard]] double now() const noexcept { return now_; }                 ///< simulated seconds
  [[nodiscard]] double work() const noexcept { return work_; }               ///< sum of all latencies
  [[nodiscard]] std::size_t failures() const noexcept { return failures_; }  ///< answers that did not come
  [[nodiscard]] std::size_t most_in_flight() const noexcept { return most_in_flight_; }

  /// The latencies of everything collected, in this order; clear as you like.
  std::vector<double> collected;

  void submit(const CompletionRequest& request, Ticket ticket) {
    Flight flight;
    flight.finished.ticket = ticket;
    RandomStream random(RandomKey(request.seed.value_or(0)).child(number_of(request)));
    flight.latency = latency(random);
    if (random.uniform() < options_.failure_rate) {
      flight.finished.completion.error = {ErrorCategory::transport, "simulated", 0};
      ++failures_;
    } else {
      source_.complete(std::span(&request, 1), std::span(&flight.finished.completion, 1));
    }
    work_ += flight.latency;
    line_.push_back(std::move(flight));
    start_waiting();
    most_in_flight_ = std::max(most_in_flight_, in_flight_.size());
  }

  /// Lets the clock run to the next answer, at most for `wait`; takes what is there by then.
  std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait) {
    const double deadline = now_ + std::chrono::duration<double>(wait).count();
    if (in_flight_.empty() || in_flight_.front().end > deadline) {
      now_ = deadline;
      return 0;
    }
    now_ = std::max(now_, in_flight_.front().end);
    std::size_t count = 0;
    while (count < finished.size() && !in_flight_.empty() && in_flight_.front().end <= now_) {
      std::pop_heap(in_flight_.begin(), in_flight_.end(), later);
      collected.push_back(in_flight_.back().latency);
      finished[count++] = std::move(in_flight_.back().finished);
      in_flight_.pop_back();
    }
    start_waiting();
    return count;
  }

  /// What is cancelled ends now.
  void cancel(Ticket ticket) {
    for (auto* flights : {&in_flight_, &line_}) {
      for (auto& flight : *flights) {
        if (flight.finished.ticket != ticket || flight.end < now_) continue;
        flight.end = now_;
        flight.finished.completion = {};
        flight.finished.completion.error = {ErrorCategory::cancelled, "no longer wanted", 0};
      }
    }
    std::make_heap(in_flight_.begin(), in_flight_.end(), later);
  }

  /// A batch is submitted at once, and waits for its last answer.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    for (std::size_t i = 0; i < requests.size(); ++i) submit(requests[i], i);
    std::vector<FinishedCompletion> finished(requests.size());
    for (std::size_t left = requests.size(); left > 0;) {
      const std::size_t came = collect(finished, std::chrono::hours(1));
      for (std::size_t i = 0; i < came; ++i) completions[finished[i].ticket] = std::move(finished[i].completion);
      left -= came;
    }
  }

 private:
  struct Flight {
    FinishedCompletion finished;
    double latency = 0;
    double end = INFINITY;
  };

  static bool later(const Flight& left, const Flight& right) noexcept { return left.end > right.end; }

  /// A log-normal draw (Box and Muller 1958).
  [[nodiscard]] double latency(RandomStream& random) const {
    const double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
    const double angle = 2 * std::numbers::pi * random.uniform();
    return options_.median * std::exp(options_.deviation * radius * std::cos(angle));
  }

  static std::size_t number_of(const CompletionRequest& request) {
    return std::hash<std::string_view>{}(request.query) + request.sample_index;
  }

  void start_waiting() {
    std::size_t started = 0;
    for (; started < line_.size() && in_flight_.size() < options_.concurrency; ++started) {
      auto& flight = line_[started];
      if (flight.end > now_) flight.end = now_ + flight.latency;
      in_flight_.push_back(std::move(flight));
      std::push_heap(in_flight_.begin(), in_flight_.end(), later);
    }
    line_.erase(line_.begin(), line_.begin() + static_cast<std::ptrdiff_t>(started));
  }

  Source source_;
  LatencyOptions options_;
  double now_ = 0;
  double work_ = 0;
  std::size_t failures_ = 0;
  std::size_t most_in_flight_ = 0;
  std::vector<Flight> in_flight_;  ///< a heap, the next to end first
  std::vector<Flight> line_;       ///< submitted beyond the concurrency
};

}  // namespace icpi::testing
