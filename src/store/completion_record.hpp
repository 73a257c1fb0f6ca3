// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "icpi/concepts/language_model.hpp"
#include "icpi/store/completion_cache.hpp"

namespace icpi::store {

/// A completion without error as bytes: version, finish, usage, text, tokens; little-endian numbers.
[[nodiscard]] std::string write_completion(const Completion& completion);

/// nullopt: not what write_completion wrote.
[[nodiscard]] std::optional<Completion> read_completion(std::string_view bytes);

/// First eight bytes of the SHA-256 of key and record: finds a changed byte in either.
[[nodiscard]] std::int64_t checksum(const CacheKey& key, std::string_view record);

}  // namespace icpi::store
