// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

#include "icpi/core/error.hpp"
#include "icpi/core/export.hpp"

namespace icpi {

/// The shortest decimal text that reads back as exactly `value`; 1.0 is `1`, negative zero is `0`.
/// A value, so that writing and comparing numbers needs no memory from the heap.
/// Thread-safety: a value; distinct objects by any threads.
class ICPI_API NumberText {
 public:
  /// Throws InvalidArgument unless `value` is finite.
  explicit NumberText(double value);

  /// The digits; valid as long as this object lives.
  [[nodiscard]] std::string_view view() const noexcept { return {text_, size_}; }

 private:
  char text_[32]{};  // 17 digits, sign, point and exponent need 24
  std::size_t size_ = 0;
};

/// Reads a text from left to right, strictly: a number is accepted only as it would have been written, so what was
/// read and what would be written agree byte for byte. Every reader returns the scanner; after the first mismatch the
/// rest are skipped and at_end() is false. Takes any bytes, never throws, allocates nothing. Views `text`.
/// Thread-safety: a value; distinct objects by any threads.
class ICPI_API TextScanner {
 public:
  /// Reads `text` from its beginning.
  explicit TextScanner(std::string_view text) noexcept : rest_(text) {}

  /// Skips exactly these characters.
  TextScanner& literal(std::string_view expected) noexcept {
    if (!starts_with(expected)) return fail();
    rest_.remove_prefix(expected.size());
    return *this;
  }

  /// An int as fmt writes it: no plus sign, no leading zeros, no `-0`.
  TextScanner& integer(int& value) noexcept;

  /// A finite double as NumberText writes it.
  TextScanner& number(double& value) noexcept;

  /// A finite double as fmt writes it with exactly `decimals` (at least one) digits after the point; no negative zero.
  TextScanner& fixed(double& value, std::size_t decimals) noexcept;

  /// At least one more character, all on this line, up to the end of the text.
  TextScanner& rest_of_line() noexcept;

  /// Whether `expected` comes next; reads nothing.
  [[nodiscard]] bool starts_with(std::string_view expected) const noexcept {
    return !failed_ && rest_.substr(0, expected.size()) == expected;
  }

  /// Whether everything matched and nothing is left.
  [[nodiscard]] bool at_end() const noexcept { return !failed_ && rest_.empty(); }

 private:
  TextScanner& fail() noexcept {
    failed_ = true;
    return *this;
  }

  [[nodiscard]] std::string_view number_prefix(std::string_view characters) const noexcept;

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/concepts/text_scanner-inl.hpp"
#endif
