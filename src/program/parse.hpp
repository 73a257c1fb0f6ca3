// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <string_view>
#include <system_error>
#include <type_traits>

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

}  // namespace icpi::program
