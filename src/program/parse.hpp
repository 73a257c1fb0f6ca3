// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <concepts>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

#include "icpi/core/error.hpp"

namespace icpi::program {

/// Reads the whole text as a number; false, and `value` as it was, when it is none or does not fit. Not "nan", not
/// "inf".
template <class Number>
  requires std::is_arithmetic_v<Number>
bool parse_number(std::string_view text, Number& value) {
  Number parsed{};
  const char* const end = text.data() + text.size();
  const auto [read, error] = std::from_chars(text.data(), end, parsed);
  if (text.empty() || error != std::errc{} || read != end) return false;
  if constexpr (std::floating_point<Number>) {
    if (!std::isfinite(parsed)) return false;
  }
  value = parsed;
  return true;
}

/// "true", "false", "on", "off", "1", "0".
inline bool parse_switch(std::string_view text, bool& value) {
  const bool on = text == "true" || text == "on" || text == "1";
  const bool off = text == "false" || text == "off" || text == "0";
  if (on || off) value = on;
  return on || off;
}

/// The one of `values` whose name() is `text`; when that is empty, `otherwise`. Throws InvalidArgument naming the option
/// and what is allowed.
template <class Values>
typename Values::value_type parse_name(std::string_view option, std::string_view text, const Values& values,
                                       typename Values::value_type otherwise) {
  if (text.empty()) return otherwise;
  std::string known;
  for (const auto value : values) {
    if (text == name(value)) return value;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", name(value));
  }
  throw InvalidArgument(fmt::format("{} '{}' is not allowed; choose one of {}", option, text, known));
}

}  // namespace icpi::program
