// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

#include "icpi/core/export.hpp"

namespace icpi::detail {

/// Bytes of the UTF-8 character at the beginning of `text`, which is not empty; 0: it begins with none. Of icpi's own,
/// since the bytes of records depend on it and no library that icpi is built on answers for one character.
[[nodiscard]] ICPI_API std::size_t utf8_size(std::string_view text) noexcept;

}  // namespace icpi::detail

#if defined(ICPI_HEADER_ONLY)
#include "icpi/core/utf8-inl.hpp"
#endif
