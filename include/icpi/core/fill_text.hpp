// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "icpi/core/error.hpp"
#include "icpi/core/export.hpp"

namespace icpi::detail {

/// What fill_text() writes: a text, a whole number, or a double as the shortest text that reads back. A view of texts.
class TextValue {
 public:
  TextValue(std::string_view text) noexcept : text_(text) {}             // NOLINT(google-explicit-constructor)
  TextValue(const char* text) noexcept : text_(text) {}                  // NOLINT(google-explicit-constructor)
  TextValue(const std::string& text) noexcept : text_(text) {}           // NOLINT(google-explicit-constructor)
  TextValue(double real) noexcept : kind_(Kind::real), number_{real} {}  // NOLINT(google-explicit-constructor)
  template <std::integral Whole>
    requires(!std::same_as<Whole, bool> && !std::same_as<Whole, char>)
  TextValue(Whole whole) noexcept  // NOLINT(google-explicit-constructor)
      : kind_(std::signed_integral<Whole> ? Kind::whole : Kind::unsigned_whole) {
    if constexpr (std::signed_integral<Whole>)
      number_.whole = whole;
    else
      number_.unsigned_whole = whole;
  }

  /// Writes it after `text`.
  ICPI_API void append_to(std::string& text) const;

 private:
  enum class Kind : std::uint8_t { text, whole, unsigned_whole, real };
  union Number {
    double real;
    std::int64_t whole;
    std::uint64_t unsigned_whole;
  };

  Kind kind_ = Kind::text;
  std::string_view text_;
  Number number_{0};
};

/// `pattern` with the values in place of its `{}`, in order; there are as many of both. One function for all types of
/// values, where a formatting library would make one for each.
[[nodiscard]] ICPI_API std::string fill_text(std::string_view pattern, std::initializer_list<TextValue> values);

/// Throws InvalidArgument with the text of fill_text().
[[noreturn]] ICPI_API void refuse(std::string_view pattern, std::initializer_list<TextValue> values);

/// Throws InvalidArgument with the text of fill_text() unless `condition` holds.
template <class... Values>
void require(bool condition, std::string_view pattern, const Values&... values) {
  if (!condition) refuse(pattern, {values...});
}

}  // namespace icpi::detail

#if defined(ICPI_HEADER_ONLY)
#include "icpi/core/fill_text-inl.hpp"
#endif
