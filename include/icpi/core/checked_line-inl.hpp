// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "icpi/core/checked_line.hpp"

namespace icpi::detail {

ICPI_INLINE std::string with_checksum(std::string line, std::uint64_t before) {
  line.pop_back();
  const std::uint64_t checksum = fnv1a(line, before);
  line += fmt::format("{}{:016x}\"}}", checksum_begin, checksum);
  return line;
}

ICPI_INLINE bool checksum_holds(std::string_view line, std::uint64_t before) {
  const auto part = checked_part(line);
  return !part.empty() && line.substr(part.size()) == fmt::format("{}{:016x}\"}}", checksum_begin, fnv1a(part, before));
}

}  // namespace icpi::detail
