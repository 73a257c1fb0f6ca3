// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <system_error>
#include <vector>

#include "icpi/core/hash.hpp"

namespace icpi {

/// A number, a word, or a run of other characters.
struct TextPart {
  std::uint64_t code =
      0;  ///< hash of a word or run; of a number, hash of the two parts before it: what it is a number of
  bool numeric = false;  ///< whether it is a number

  friend bool operator==(const TextPart&, const TextPart&) = default;
};

/// A text as likeness sees it: what kind of text it is, and the numbers in it. Spaces and ends of lines only part.
struct TextParts {
  std::vector<TextPart> parts;  ///< all, from left to right
  std::vector<double> numbers;  ///< the values of the numeric ones, between -1e300 and 1e300

  /// Takes another text apart; keeps the memory.
  void read(std::string_view text) {
    parts.clear();
    numbers.clear();
    for (std::size_t at = 0; at < text.size();) {
      if (is_space(text[at]))
        ++at;
      else
        at = read_part(text, at);
    }
  }

 private:
  static bool is_space(char each) noexcept { return each == ' ' || each == '\n' || each == '\t' || each == '\r'; }
  static bool is_digit(char each) noexcept { return each >= '0' && each <= '9'; }
  /// Bytes of characters beyond ASCII belong to words.
  static bool is_word(char each) noexcept {
    return is_digit(each) || (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || each == '_' ||
           static_cast<unsigned char>(each) >= 0x80;
  }

  /// Where a digit follows a minus that no value precedes: `x == -1`, and not `x-1`.
  static bool is_sign(std::string_view text, std::size_t at) noexcept {
    if (text[at] != '-' || at + 1 == text.size() || !is_digit(text[at + 1])) return false;
    return at == 0 || (!is_word(text[at - 1]) && text[at - 1] != ')' && text[at - 1] != ']');
  }

  std::size_t read_part(std::string_view text, std::size_t at) {
    if (is_digit(text[at]) || is_sign(text, at)) {
      double value = 0;
      const auto [end, problem] = std::from_chars(text.data() + at, text.data() + text.size(), value);
      if (problem == std::errc()) {
        add_number(value);
        return static_cast<std::size_t>(end - text.data());
      }
    }
    std::size_t end = at + 1;
    if (is_word(text[at]))
      while (end < text.size() && is_word(text[end])) ++end;
    else
      while (end < text.size() && !is_word(text[end]) && !is_space(text[end]) && !is_sign(text, end)) ++end;
    parts.push_back({detail::fnv1a(text.substr(at, end - at)), false});
    return end;
  }

  void add_number(double value) {
    constexpr double most = 1e300;  // differences stay finite
    std::uint64_t code = detail::fnv1a_basis;
    for (std::size_t i = parts.size() - std::min<std::size_t>(2, parts.size()); i < parts.size(); ++i)
      code = (code ^ (parts[i].numeric ? 0 : parts[i].code)) * 0x9E3779B97F4A7C15;
    parts.push_back({code, true});
    numbers.push_back(std::clamp(value, -most, most));
  }
};

}  // namespace icpi
