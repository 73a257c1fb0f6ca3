// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "icpi/experiment/episode_record.hpp"

namespace icpi {

/// Seeds first, first + 1, ..., last - 1.
struct SeedRange {
  std::uint64_t first = 0;  ///< the first
  std::uint64_t last = 0;   ///< one past the end

  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(last - first); }  ///< how many
  friend bool operator==(const SeedRange&, const SeedRange&) = default;
};

/// The range in at most `groups` contiguous parts of almost equal size, none empty. Precondition: groups > 0.
[[nodiscard]] inline std::vector<SeedRange> split(SeedRange seeds, std::size_t groups) {
  std::vector<SeedRange> parts;
  const std::size_t count = std::min(groups, seeds.size());
  for (std::size_t i = 0; i < count; ++i) {
    parts.push_back({seeds.first + i * seeds.size() / count, seeds.first + (i + 1) * seeds.size() / count});
  }
  return parts;
}

/// Calls work(part) for every part of the range, each on a thread of its own (the last on this one). When one of them
/// throws, the first exception is thrown again after all have ended.
template <class Work>
void for_each_group(SeedRange seeds, std::size_t jobs, Work&& work) {
  const auto parts = split(seeds, jobs);
  std::vector<std::exception_ptr> errors(parts.size());
  std::vector<std::thread> threads;
  const auto guarded = [&](std::size_t part) noexcept {
    try {
      work(parts[part]);
    } catch (...) {
      errors[part] = std::current_exception();
    }
  };
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) threads.emplace_back(guarded, i);
  if (!parts.empty()) guarded(parts.size() - 1);
  for (auto& thread : threads) thread.join();
  for (const auto& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

/// Brings records from several threads into the order of seeds and episodes: what comes out does not depend on how the
/// seeds were divided. Thread-safe.
template <class Sink>
class OrderedRecords {
 public:
  /// `sink(record)` gets the records; never two at a time. `steps`: of every run, says when a seed is complete.
  OrderedRecords(SeedRange seeds, std::size_t steps, Sink sink)
      : next_(seeds.first), steps_(steps), sink_(std::move(sink)) {}

  /// Takes a record of a seed; those of one seed come in order.
  void add(const EpisodeRecord& record) {
    const std::lock_guard lock(mutex_);
    waiting_[record.seed].push_back(record);
    for (auto first = waiting_.find(next_); first != waiting_.end(); first = waiting_.find(next_)) {
      for (const auto& each : first->second) sink_(each);
      const bool complete = !first->second.empty() && first->second.back().step >= steps_;
      first->second.clear();
      if (!complete) break;
      waiting_.erase(first);
      ++next_;
    }
  }

  /// Passes on what still waits for the seeds before, in order: nothing more will come.
  void release() {
    const std::lock_guard lock(mutex_);
    for (const auto& [seed, records] : waiting_) {
      for (const auto& each : records) sink_(each);
    }
    waiting_.clear();
  }

 private:
  std::mutex mutex_;
  std::uint64_t next_;
  std::size_t steps_;
  Sink sink_;
  std::map<std::uint64_t, std::vector<EpisodeRecord>> waiting_;
};

}  // namespace icpi
