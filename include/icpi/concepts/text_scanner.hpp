// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <system_error>

#include "icpi/core/error.hpp"

namespace icpi {

/// The shortest decimal text that reads back as exactly `value`; 1.0 is `1`, negative zero is `0`.
/// A value, so that writing and comparing numbers needs no memory from the heap.
/// Thread-safety: a value; distinct objects by any threads.
class NumberText {
 public:
  /// Throws InvalidArgument unless `value` is finite.
  explicit NumberText(double value) {
    if (!std::isfinite(value))
      throw InvalidArgument(fmt::format("number {} cannot be written: it must be finite", value));
    size_ = fmt::format_to_n(text_, sizeof text_, "{}", value == 0 ? 0.0 : value).size;
  }

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
class TextScanner {
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
  TextScanner& integer(int& value) noexcept {
    const std::string_view digits = number_prefix("-0123456789");
    int parsed = 0;
    if (!reads_whole(digits, parsed) || has_leading_zero(digits) || digits == "-0") return fail();
    value = parsed;
    rest_.remove_prefix(digits.size());
    return *this;
  }

  /// A finite double as NumberText writes it.
  TextScanner& number(double& value) noexcept {
    const std::string_view digits = number_prefix("+-.0123456789e");
    double parsed = 0;
    if (!reads_whole(digits, parsed) || !std::isfinite(parsed) || NumberText(parsed).view() != digits) return fail();
    value = parsed;
    rest_.remove_prefix(digits.size());
    return *this;
  }

  /// A finite double as fmt writes it with exactly `decimals` (at least one) digits after the point; no negative zero.
  TextScanner& fixed(double& value, std::size_t decimals) noexcept {
    const std::string_view digits = number_prefix("-.0123456789");
    const std::size_t point = digits.find('.');
    double parsed = 0;
    if (point == std::string_view::npos || digits.size() != point + 1 + decimals) return fail();
    if (!reads_whole(digits, parsed) || std::signbit(parsed) != (parsed < 0)) return fail();
    char written[longest_fixed];
    if (digits.size() > sizeof written) return fail();
    const auto size = fmt::format_to_n(written, sizeof written, "{:.{}f}", parsed, decimals).size;
    if (std::string_view(written, std::min(size, sizeof written)) != digits) return fail();
    value = parsed;
    rest_.remove_prefix(digits.size());
    return *this;
  }

  /// At least one more character, all on this line, up to the end of the text.
  TextScanner& rest_of_line() noexcept {
    if (rest_.empty() || rest_.find('\n') != std::string_view::npos) return fail();
    rest_ = {};
    return *this;
  }

  /// Whether `expected` comes next; reads nothing.
  [[nodiscard]] bool starts_with(std::string_view expected) const noexcept {
    return !failed_ && rest_.substr(0, expected.size()) == expected;
  }

  /// Whether everything matched and nothing is left.
  [[nodiscard]] bool at_end() const noexcept { return !failed_ && rest_.empty(); }

 private:
  static constexpr std::size_t longest_fixed = 330;  // 309 digits before the point; decimals are few

  TextScanner& fail() noexcept {
    failed_ = true;
    return *this;
  }

  [[nodiscard]] std::string_view number_prefix(std::string_view characters) const noexcept {
    if (failed_) return {};
    return rest_.substr(0, rest_.find_first_not_of(characters));
  }

  template <class Number>
  static bool reads_whole(std::string_view digits, Number& value) noexcept {
    const char* const end = digits.data() + digits.size();
    const auto [next, error] = std::from_chars(digits.data(), end, value);
    return !digits.empty() && error == std::errc{} && next == end;
  }

  static bool has_leading_zero(std::string_view digits) noexcept {
    if (digits.substr(0, 1) == "-") digits.remove_prefix(1);
    return digits.empty() || (digits.size() > 1 && digits.front() == '0');
  }

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace icpi
