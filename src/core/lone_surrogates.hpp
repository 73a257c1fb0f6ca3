// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace icpi {

/// Whether a JSON text may have a lone surrogate U+DC80 .. U+DCFF among its escapes: false is certain.
[[nodiscard]] bool may_have_lone_surrogates(std::string_view text) noexcept;

/// A JSON text without the lone surrogates that stand for bytes, for a library that refuses them: each is U+0000 and the
/// character of the byte's number, and what was U+0000 is two of them. Where `text` is no JSON, neither is the result.
[[nodiscard]] std::string escape_lone_surrogates(std::string_view text);

/// Offset in `text` of what has this offset in escape_lone_surrogates(text).
[[nodiscard]] std::size_t offset_before_escaping(std::string_view text, std::size_t offset);

/// A string of such a text, as it was meant: the bytes that stood as lone surrogates are bytes again.
[[nodiscard]] std::string unescape_lone_surrogates(std::string_view text);

}  // namespace icpi
