// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "icpi/models/completion_record.hpp"

namespace icpi::store {

/// What a row of the file says of an answer: the line of completion_record(). nullopt: neither that nor an entry of an
/// earlier version.
[[nodiscard]] std::optional<Completion> read_entry(std::string_view key, std::string_view record);

/// First eight bytes of the SHA-256 of key and record: finds a changed byte in either.
[[nodiscard]] std::int64_t checksum(std::string_view key, std::string_view record);

}  // namespace icpi::store
