// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <mutex>

#include "icpi/core/prompt_text.hpp"

namespace icpi {

namespace detail {

/// Is never given back: nothing else of the process ever has its address.
struct alignas(16) IdentityBlock {
  IdentityBlock* before = nullptr;  ///< so that all can be reached
};

}  // namespace detail

// A process may hold this function, and what it remembers, more than once: in a program and in plug-ins that it loads.
// They share the heap, so each numbers its identities within blocks of its own.
ICPI_INLINE std::uint64_t new_prefix_identity() {
  constexpr std::uint64_t block_size = 1U << 20U;
  static std::mutex mutex;
  static detail::IdentityBlock* block = nullptr;
  static std::uint64_t used = block_size;
  const std::lock_guard lock(mutex);
  if (used == block_size) {
    block = new detail::IdentityBlock{block};
    used = 0;
  }
  return reinterpret_cast<std::uintptr_t>(block) / alignof(detail::IdentityBlock) * block_size + used++;
}

}  // namespace icpi
