// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "icpi/core/utf8.hpp"

namespace icpi::program {

/// Text of any bytes as a terminal may show it: control characters and what is not UTF-8 become `\xNN`, so that what a
/// model or an environment says cannot move the cursor or pass for something else. Newlines stay.
inline std::string printable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t size = detail::utf8_size(text);
    const auto first = static_cast<unsigned char>(text[0]);
    const bool control = (first < 0x20 && first != '\n') || first == 0x7F;
    const bool second_controls = size == 2 && first == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0;
    const std::size_t taken = size == 0 ? 1 : size;
    if (size == 0 || control || second_controls) {
      for (const char each : text.substr(0, taken)) shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(each));
    } else {
      shown.append(text.substr(0, taken));
    }
    text.remove_prefix(taken);
  }
  return shown;
}

/// The same in one line.
inline std::string printable_line(std::string_view text) {
  std::string line = printable(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

/// What an exception says, in words for people.
inline std::string reason_of(const std::exception& error) {
  return dynamic_cast<const std::bad_alloc*>(&error) != nullptr ? "there is not enough memory" : error.what();
}

/// Tells the user what went wrong or happens meanwhile, in one line on standard error. Where nobody can be told, that
/// changes nothing: what the program does and its exit code do not depend on it.
inline void tell(std::string_view text) {
  const std::string line = fmt::format("icpi: {}\n", printable_line(text));
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace icpi::program
