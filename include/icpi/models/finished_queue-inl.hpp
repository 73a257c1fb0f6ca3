// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "icpi/models/finished_queue.hpp"

namespace icpi::detail {

ICPI_INLINE void FinishedQueue::push(Ticket ticket, Completion completion) {
  if (2 * taken_ >= waiting_.size()) {  // half of it is room: every answer is moved once at most on average
    const std::size_t gone = taken_ < waiting_.size() ? taken_ : waiting_.size();
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(gone));
    taken_ = 0;
  }
  waiting_.push_back({ticket, std::move(completion)});
}

ICPI_INLINE std::size_t FinishedQueue::hand_over(std::span<FinishedCompletion> places) {
  std::size_t count = 0;
  for (; count < places.size() && !empty(); ++count) places[count] = std::move(waiting_[taken_++]);
  return count;
}

}  // namespace icpi::detail
