// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "icpi/core/checked_line.hpp"

namespace icpi::detail {

ICPI_INLINE std::string ChecksumChain::add(std::string line) {
  line.pop_back();
  before_ = fnv1a(line, before_);
  line += fmt::format("{}{:016x}\"}}", checksum_begin, before_);
  return line;
}

ICPI_INLINE bool ChecksumChain::take(std::string_view line) {
  const auto part = checked_part(line);
  const std::uint64_t sum = fnv1a(part, before_);
  if (part.empty() || line.substr(part.size()) != fmt::format("{}{:016x}\"}}", checksum_begin, sum)) return false;
  before_ = sum;
  return true;
}

}  // namespace icpi::detail
