// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <utility>

#include "icpi/concepts/language_model.hpp"

namespace icpi::detail {

/// Answers that wait for collect(), first come first served.
class FinishedQueue {
 public:
  [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }
  void push(Ticket ticket, Completion completion) { waiting_.push_back({ticket, std::move(completion)}); }

  /// As many as there are, or as there is room for.
  std::size_t hand_over(std::span<FinishedCompletion> places) {
    std::size_t count = 0;
    for (; count < places.size() && !waiting_.empty(); ++count) {
      places[count] = std::move(waiting_.front());
      waiting_.pop_front();
    }
    return count;
  }

 private:
  std::deque<FinishedCompletion> waiting_;
};

}  // namespace icpi::detail
