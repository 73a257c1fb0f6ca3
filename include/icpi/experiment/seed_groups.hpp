// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "icpi/core/export.hpp"
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
[[nodiscard]] ICPI_API std::vector<SeedRange> split(SeedRange seeds, std::size_t groups);

/// Calls work(part) for every part of the range, each on a thread of its own (the last on this one). When one of them
/// throws, the first exception is thrown again after all have ended.
ICPI_API void for_each_group(SeedRange seeds, std::size_t jobs, const std::function<void(SeedRange)>& work);

/// Brings records from several threads into the order of seeds and episodes: what comes out does not depend on how the
/// seeds were divided. Thread-safe.
class ICPI_API OrderedRecords {
 public:
  using Sink = std::function<void(const EpisodeRecord&)>;  ///< what gets the records

  /// `sink(record)` gets the records; never two at a time. `steps`: of every run, says when a seed is complete: all its
  /// `environments`, if they share one agent.
  OrderedRecords(SeedRange seeds, std::size_t steps, Sink sink, std::size_t environments = 1);
  ~OrderedRecords();

  OrderedRecords(const OrderedRecords&) = delete;
  OrderedRecords& operator=(const OrderedRecords&) = delete;

  /// Takes a record of a seed; those of one seed, and of one of its environments, come in order.
  void add(const EpisodeRecord& record);

  /// Passes on what still waits for the seeds before, in order: nothing more will come.
  void release();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace icpi
