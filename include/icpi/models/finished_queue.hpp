// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/export.hpp"

namespace icpi::detail {

/// Answers that wait for collect(), first come first served. May be moved from, and is then as good as empty.
class ICPI_API FinishedQueue {
 public:
  /// Whether nothing waits.
  [[nodiscard]] bool empty() const noexcept { return taken_ >= waiting_.size(); }
  /// Adds an answer behind the others.
  void push(Ticket ticket, Completion completion);

  /// As many as there are, or as there is room for.
  std::size_t hand_over(std::span<FinishedCompletion> places);

 private:
  std::vector<FinishedCompletion> waiting_;
  std::size_t taken_ = 0;  ///< of `waiting_`, from its front
};

}  // namespace icpi::detail

#if defined(ICPI_HEADER_ONLY)
#include "icpi/models/finished_queue-inl.hpp"
#endif
