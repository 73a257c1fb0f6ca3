// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <system_error>

#include "icpi/concepts/text_scanner.hpp"

namespace icpi {

namespace detail {

inline constexpr std::size_t longest_fixed = 330;  // 309 digits before the point; decimals are few

template <class Number>
bool reads_whole(std::string_view digits, Number& value) noexcept {
  const char* const end = digits.data() + digits.size();
  const auto [next, error] = std::from_chars(digits.data(), end, value);
  return !digits.empty() && error == std::errc{} && next == end;
}

inline bool has_leading_zero(std::string_view digits) noexcept {
  if (digits.substr(0, 1) == "-") digits.remove_prefix(1);
  return digits.empty() || (digits.size() > 1 && digits.front() == '0');
}

}  // namespace detail

ICPI_INLINE NumberText::NumberText(double value) {
  if (!std::isfinite(value))
    throw InvalidArgument(fmt::format("number {} cannot be written: it must be finite", value));
  size_ = fmt::format_to_n(text_, sizeof text_, "{}", value == 0 ? 0.0 : value).size;
}

ICPI_INLINE TextScanner& TextScanner::integer(int& value) noexcept {
  const std::string_view digits = number_prefix("-0123456789");
  int parsed = 0;
  if (!detail::reads_whole(digits, parsed) || detail::has_leading_zero(digits) || digits == "-0") return fail();
  value = parsed;
  rest_.remove_prefix(digits.size());
  return *this;
}

ICPI_INLINE TextScanner& TextScanner::number(double& value) noexcept {
  const std::string_view digits = number_prefix("+-.0123456789e");
  double parsed = 0;
  if (!detail::reads_whole(digits, parsed) || !std::isfinite(parsed) || NumberText(parsed).view() != digits)
    return fail();
  value = parsed;
  rest_.remove_prefix(digits.size());
  return *this;
}

ICPI_INLINE TextScanner& TextScanner::fixed(double& value, std::size_t decimals) noexcept {
  const std::string_view digits = number_prefix("-.0123456789");
  const std::size_t point = digits.find('.');
  double parsed = 0;
  if (point == std::string_view::npos || digits.size() != point + 1 + decimals) return fail();
  if (!detail::reads_whole(digits, parsed) || std::signbit(parsed) != (parsed < 0)) return fail();
  char written[detail::longest_fixed];
  if (digits.size() > sizeof written) return fail();
  const auto size = fmt::format_to_n(written, sizeof written, "{:.{}f}", parsed, decimals).size;
  if (std::string_view(written, std::min(size, sizeof written)) != digits) return fail();
  value = parsed;
  rest_.remove_prefix(digits.size());
  return *this;
}

ICPI_INLINE TextScanner& TextScanner::rest_of_line() noexcept {
  if (rest_.empty() || rest_.find('\n') != std::string_view::npos) return fail();
  rest_ = {};
  return *this;
}

ICPI_INLINE std::string_view TextScanner::number_prefix(std::string_view characters) const noexcept {
  if (failed_) return {};
  return rest_.substr(0, rest_.find_first_not_of(characters));
}

}  // namespace icpi
