// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace icpi {

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
