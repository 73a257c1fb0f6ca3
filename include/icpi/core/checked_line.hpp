// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "icpi/core/hash.hpp"

namespace icpi::detail {

inline constexpr std::string_view checksum_begin = ",\"checksum\":\"";
inline constexpr std::size_t checksum_size = checksum_begin.size() + 16 + 2;

/// `line`, a JSON object with members, with a checksum of its bytes as last member. `before`: the checksum of the line
/// before, where the order of lines matters.
inline std::string with_checksum(std::string line, std::uint64_t before = fnv1a_basis) {
  line.pop_back();
  const std::uint64_t checksum = fnv1a(line, before);
  line += fmt::format("{}{:016x}\"}}", checksum_begin, checksum);
  return line;
}

/// What precedes the checksum: the object without its closing brace. Empty when there is no room for one.
inline std::string_view checked_part(std::string_view line) noexcept {
  return line.size() < checksum_size ? std::string_view{} : line.substr(0, line.size() - checksum_size);
}

/// Whether `line` ends in the checksum of what precedes it.
inline bool checksum_holds(std::string_view line, std::uint64_t before = fnv1a_basis) {
  const auto part = checked_part(line);
  return !part.empty() && line.substr(part.size()) == fmt::format("{}{:016x}\"}}", checksum_begin, fnv1a(part, before));
}

}  // namespace icpi::detail
