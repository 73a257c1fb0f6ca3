// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

#include "icpi/core/prompt_text.hpp"

namespace icpi {

ICPI_INLINE std::uint64_t new_prefix_identity() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace icpi
