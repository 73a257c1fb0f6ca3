// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "parse.hpp"

namespace icpi::program {

// How the values of settings are read and shown. What sets returns whether the text is allowed; else the value stays.

/// Sets a number in the closed interval.
template <class Number>
bool set_count(std::string_view text, Number lowest, Number& value,
               Number highest = std::numeric_limits<Number>::max()) {
  Number parsed{};
  if (!parse_number(text, parsed) || parsed < lowest || parsed > highest) return false;
  value = parsed;
  return true;
}

/// Sets a number in the closed interval.
inline bool set_between(std::string_view text, double lowest, double highest, double& value) {
  double parsed = 0;
  if (!parse_number(text, parsed) || parsed < lowest || parsed > highest) return false;
  value = parsed;
  return true;
}

/// Sets a number from `lowest`, or with the word `absent` none.
template <class Number>
bool set_optional(std::string_view text, Number lowest, std::optional<Number>& value, std::string_view absent = "none",
                  Number highest = std::numeric_limits<Number>::max()) {
  Number parsed{};
  const bool set = text != absent;
  if (set && !set_count(text, lowest, parsed, highest)) return false;
  value = set ? std::optional(parsed) : std::nullopt;
  return true;
}

/// The number, or the word `absent`.
template <class Number>
std::string show(const std::optional<Number>& value, std::string_view absent = "none") {
  return value ? fmt::to_string(*value) : std::string(absent);
}

/// Sets the value whose place among the names is that of the text.
template <class Enum, std::size_t Size>
bool set_name(std::string_view text, const std::array<std::string_view, Size>& names, Enum& value) {
  for (std::size_t i = 0; i < Size; ++i) {
    if (names[i] != text) continue;
    value = static_cast<Enum>(i);
    return true;
  }
  return false;
}

/// What set_name() reads.
template <class Enum, std::size_t Size>
std::string name_of(Enum value, const std::array<std::string_view, Size>& names) {
  return std::string(names[static_cast<std::size_t>(value)]);
}

}  // namespace icpi::program
