// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "icpi/core/error.hpp"

namespace icpi {

/// What is wrong with a model whose collect() returned `came`, more than it got places for.
[[nodiscard]] inline Error too_many_collected(std::size_t came, std::size_t places) {
  return Error("the model's collect() returned " + std::to_string(came) + " for " + std::to_string(places) + " places");
}

/// What is wrong with a model whose collect() returned an answer to nothing that was asked.
[[nodiscard]] inline Error unknown_ticket_collected(std::uint64_t ticket) {
  return Error("the model's collect() returned ticket " + std::to_string(ticket) + ", which is not in flight");
}

/// Calls `cancel()`. What it throws is of no interest: what could not be cancelled comes by itself.
template <class Cancel>
void try_cancel(Cancel&& cancel) noexcept {
  try {
    cancel();
  } catch (...) {
  }
}

/// Collects what is in flight and was cancelled: `collect()` returns how many came. What it throws meanwhile is of no
/// interest; it is asked again, but not for ever.
template <class Collect>
void collect_rest(std::size_t in_flight, Collect&& collect) {
  constexpr int most_exceptions = 8;  // in a row
  for (int exceptions = 0; in_flight > 0 && exceptions < most_exceptions;) {
    try {
      in_flight -= collect();
      exceptions = 0;
    } catch (...) {
      ++exceptions;
    }
  }
}

}  // namespace icpi
