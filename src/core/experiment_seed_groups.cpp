// SPDX-License-Identifier: MIT
#include "icpi/experiment/seed_groups.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace icpi {

std::vector<SeedRange> split(SeedRange seeds, std::size_t groups) {
  std::vector<SeedRange> parts;
  const std::size_t count = std::min(groups, seeds.size());
  for (std::size_t i = 0; i < count; ++i) {
    parts.push_back({seeds.first + i * seeds.size() / count, seeds.first + (i + 1) * seeds.size() / count});
  }
  return parts;
}

void for_each_group(SeedRange seeds, std::size_t jobs, const std::function<void(SeedRange)>& work) {
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

struct OrderedRecords::State {
  std::mutex mutex;
  std::uint64_t next = 0;
  std::size_t steps = 0;
  std::size_t environments = 1;
  std::size_t complete = 0;  ///< environments of seed `next`
  Sink sink;
  std::map<std::uint64_t, std::vector<EpisodeRecord>> waiting;
};

OrderedRecords::OrderedRecords(SeedRange seeds, std::size_t steps, Sink sink, std::size_t environments)
    : state_(std::make_unique<State>()) {
  state_->next = seeds.first;
  state_->steps = steps;
  state_->environments = environments;
  state_->sink = std::move(sink);
}

OrderedRecords::~OrderedRecords() = default;

void OrderedRecords::add(const EpisodeRecord& record) {
  const std::lock_guard lock(state_->mutex);
  auto& waiting = state_->waiting;
  waiting[record.seed].push_back(record);
  for (auto first = waiting.find(state_->next); first != waiting.end(); first = waiting.find(state_->next)) {
    for (const auto& each : first->second) {
      state_->sink(each);
      if (each.step >= state_->steps) ++state_->complete;
    }
    first->second.clear();
    if (state_->complete < state_->environments) break;
    state_->complete = 0;
    waiting.erase(first);
    ++state_->next;
  }
}

void OrderedRecords::release() {
  const std::lock_guard lock(state_->mutex);
  for (const auto& [seed, records] : state_->waiting) {
    for (const auto& each : records) state_->sink(each);
  }
  state_->waiting.clear();
}

}  // namespace icpi
