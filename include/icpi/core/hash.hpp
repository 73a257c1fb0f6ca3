// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

namespace icpi::detail {

inline constexpr std::uint64_t fnv1a_basis = 0xCBF29CE484222325;

/// FNV-1a with 64 bits (Fowler, Noll, Vo), starting from `hash`. Texts of equal length that differ in one byte never
/// have equal hashes.
constexpr std::uint64_t fnv1a(std::string_view text, std::uint64_t hash = fnv1a_basis) noexcept {
  for (const char each : text) hash = (hash ^ static_cast<unsigned char>(each)) * 0x100000001B3;
  return hash;
}

}  // namespace icpi::detail
