// SPDX-License-Identifier: MIT
#pragma once

#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

// Counts what the whole program takes from the heap. Replaces operator new: include it in exactly one file of a program.

namespace icpi::testing {

/// Calls of operator new, and bytes that are held now. Thread-safe.
struct AllocationCounter {
  static inline std::atomic<std::uint64_t> allocations{0};
  static inline std::atomic<std::int64_t> held_bytes{0};

  static void* allocate(std::size_t size, std::size_t alignment) {
    ++allocations;
    if (size == 0) size = 1;
    void* const memory = alignment <= alignof(std::max_align_t)
                             ? std::malloc(size)
                             : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (memory == nullptr) throw std::bad_alloc();
    held_bytes += static_cast<std::int64_t>(malloc_usable_size(memory));
    return memory;
  }

  static void release(void* memory) noexcept {
    if (memory == nullptr) return;
    held_bytes -= static_cast<std::int64_t>(malloc_usable_size(memory));
    std::free(memory);
  }
};

}  // namespace icpi::testing

void* operator new(std::size_t size) { return icpi::testing::AllocationCounter::allocate(size, 1); }
void* operator new[](std::size_t size) { return icpi::testing::AllocationCounter::allocate(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return icpi::testing::AllocationCounter::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return icpi::testing::AllocationCounter::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return icpi::testing::AllocationCounter::allocate(size, 1);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](std::size_t size, const std::nothrow_t& tag) noexcept { return operator new(size, tag); }
void operator delete(void* memory) noexcept { icpi::testing::AllocationCounter::release(memory); }
void operator delete[](void* memory) noexcept { icpi::testing::AllocationCounter::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { icpi::testing::AllocationCounter::release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { icpi::testing::AllocationCounter::release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { icpi::testing::AllocationCounter::release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { icpi::testing::AllocationCounter::release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  icpi::testing::AllocationCounter::release(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  icpi::testing::AllocationCounter::release(memory);
}
