// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "icpi/core/export.hpp"
#include "icpi/core/hash.hpp"

namespace icpi::detail {

inline constexpr std::string_view checksum_begin = ",\"checksum\":\"";
inline constexpr std::size_t checksum_size = checksum_begin.size() + 16 + 2;

/// `line`, a JSON object with members, with a checksum of its bytes as last member. `before`: the checksum of the line
/// before, where the order of lines matters.
[[nodiscard]] ICPI_API std::string with_checksum(std::string line, std::uint64_t before = fnv1a_basis);

/// What precedes the checksum: the object without its closing brace. Empty when there is no room for one.
[[nodiscard]] inline std::string_view checked_part(std::string_view line) noexcept {
  return line.size() < checksum_size ? std::string_view{} : line.substr(0, line.size() - checksum_size);
}

/// Whether `line` ends in the checksum of what precedes it.
[[nodiscard]] ICPI_API bool checksum_holds(std::string_view line, std::uint64_t before = fnv1a_basis);

}  // namespace icpi::detail

#if defined(ICPI_HEADER_ONLY)
#include "icpi/core/checked_line-inl.hpp"
#endif
