// SPDX-License-Identifier: MIT
#include "cache_entry.hpp"

#include <bit>
#include <cstddef>

#include "earlier_entry.hpp"
#include "sha256.hpp"

namespace icpi::store {

std::optional<Completion> read_entry(std::string_view key, std::string_view record) {
  return record.starts_with('{') ? icpi::detail::find_answer(key, record) : read_earlier_entry(record);
}

std::int64_t checksum(std::string_view key, std::string_view record) {
  Sha256 hash;
  hash.update(key);
  hash.update(record);
  const Sha256::Digest digest = hash.finish();
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < 8; ++i) sum = sum << 8U | digest[i];
  return std::bit_cast<std::int64_t>(sum);
}

}  // namespace icpi::store
