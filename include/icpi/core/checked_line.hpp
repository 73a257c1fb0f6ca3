// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "icpi/core/export.hpp"
#include "icpi/core/hash.hpp"

namespace icpi::detail {

inline constexpr std::string_view checksum_begin = ",\"checksum\":\"";
inline constexpr std::size_t checksum_size = checksum_begin.size() + 16 + 2;

/// What precedes the checksum: the object without its closing brace. Empty when there is no room for one.
[[nodiscard]] inline std::string_view checked_part(std::string_view line) noexcept {
  return line.size() < checksum_size ? std::string_view{} : line.substr(0, line.size() - checksum_size);
}

/// Lines each of whose checksums covers its own bytes and, by their checksum, all lines before: none can be changed,
/// lost or moved unnoticed.
class ICPI_API ChecksumChain {
 public:
  /// `line`, a JSON object with members, with its checksum as last member.
  [[nodiscard]] std::string add(std::string line);
  /// Whether `line` ends in its checksum; only then it belongs to the chain.
  [[nodiscard]] bool take(std::string_view line);

 private:
  std::uint64_t before_ = fnv1a_basis;
};

/// `line`, a JSON object with members, with a checksum of its bytes alone as last member.
[[nodiscard]] inline std::string with_checksum(std::string line) { return ChecksumChain().add(std::move(line)); }

/// Whether `line` ends in the checksum of what precedes it.
[[nodiscard]] inline bool checksum_holds(std::string_view line) { return ChecksumChain().take(line); }

}  // namespace icpi::detail

#if defined(ICPI_HEADER_ONLY)
#include "icpi/core/checked_line-inl.hpp"
#endif
