// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace icpi::induction {

using TokenId = std::uint32_t;

inline constexpr TokenId newline_token = 0;
inline constexpr TokenId no_token = 0xFFFFFFFF;

enum class TokenKind : std::uint8_t { newline, number, word, space, symbol };

/// Numbers are exact decimals with at most this many digits after the point; their values are in units of the last one.
inline constexpr int value_digits = 6;

/// A token's size in bytes and kind. Numbers: an optional minus sign, digits, an optional point with digits.
struct Lexeme {
  std::size_t size = 0;
  TokenKind kind = TokenKind::symbol;
};

namespace detail {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\r'; }
/// Characters that form one symbol when they stand together; every other mark is a token of its own.
constexpr bool joins(char c) noexcept {
  return c != '\0' && std::string_view("=<>!~+*/|&^%:-").find(c) != std::string_view::npos;
}

inline constexpr std::size_t longest_token = 200;

/// A number is a value only while it is written as this library would write it: no leading zeros, few digits.
constexpr Lexeme lex_number(std::string_view text, std::size_t at) noexcept {
  std::size_t end = at + (text[at] == '-' ? 1 : 0);
  const std::size_t whole = end;
  while (end < text.size() && is_digit(text[end]) && end - at < longest_token) ++end;
  const std::size_t whole_digits = end - whole;
  std::size_t fraction_digits = 0;
  if (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1]) && end - at + 1 < longest_token) {
    const std::size_t fraction = ++end;
    while (end < text.size() && is_digit(text[end]) && end - at < longest_token) ++end;
    fraction_digits = end - fraction;
  }
  const bool leading_zero = whole_digits > 1 && text[whole] == '0';
  const bool exact = whole_digits <= 11 && fraction_digits <= std::size_t{value_digits} && !leading_zero;
  return {end - at, exact ? TokenKind::number : TokenKind::word};
}

}  // namespace detail

/// The token of `text` that begins at `at` < text.size(). `previous` is the character before it, '\n' if there is none.
constexpr Lexeme next_lexeme(std::string_view text, std::size_t at, char previous) noexcept {
  const char c = text[at];
  const auto digit_at = [&](std::size_t i) { return i < text.size() && detail::is_digit(text[i]); };
  if (c == '\n') return {1, TokenKind::newline};
  const bool after_operand =
      detail::is_letter(previous) || detail::is_digit(previous) || previous == ')' || previous == ']';
  if (detail::is_digit(c) || (c == '-' && digit_at(at + 1) && !after_operand)) return detail::lex_number(text, at);
  std::size_t end = at + 1;
  const auto within = [&] { return end < text.size() && end - at < detail::longest_token; };
  if (detail::is_letter(c)) {
    while (within() && (detail::is_letter(text[end]) || detail::is_digit(text[end]))) ++end;
    return {end - at, TokenKind::word};
  }
  if (detail::is_space(c)) {
    while (within() && detail::is_space(text[end])) ++end;
    return {end - at, TokenKind::space};
  }
  if (detail::joins(c))
    while (within() && detail::joins(text[end]) && !(text[end] == '-' && digit_at(end + 1))) ++end;
  return {end - at, TokenKind::symbol};
}

/// Whether a token that ends in `last` can be changed by one that begins with `first`, or the latter by the former.
constexpr bool may_join(char last, char first) noexcept {
  const auto word = [](char c) { return detail::is_letter(c) || detail::is_digit(c); };
  return first == '-' || (word(first) && (word(last) || last == '.' || last == '-')) ||
         (detail::is_space(first) && detail::is_space(last)) || (detail::joins(first) && detail::joins(last));
}

/// With so many bytes from its beginning on, a token is known whatever follows.
inline constexpr std::size_t longest_lookahead = detail::longest_token + 4;

struct TokenInfo {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
  std::int64_t value = 0;  ///< of numbers, in units of 10^-value_digits
  TokenKind kind = TokenKind::symbol;
  std::uint8_t decimals = 0;  ///< of numbers: digits after the point
};

constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t x = (a ^ (b + 0x9E3779B97F4A7C15ULL + (a << 6) + (a >> 2))) * 0xBF58476D1CE4E5B9ULL;
  x ^= x >> 29;
  x *= 0x94D049BB133111EBULL;
  return x ^ (x >> 32);
}

inline std::uint64_t hash_text(std::string_view text) noexcept {
  std::uint64_t h = text.size();
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    h = mix(h, word);
  }
  std::uint64_t rest = 0;
  if (i < text.size()) std::memcpy(&rest, text.data() + i, text.size() - i);
  return mix(h, rest);
}

/// Writes a value with `decimals` digits after the point.
inline void append_number(std::string& out, std::int64_t value, int decimals) {
  char digits[40];
  std::size_t used = sizeof digits;
  const bool negative = value < 0;
  std::uint64_t rest = negative ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  for (int i = decimals; i < value_digits; ++i) rest /= 10;
  bool nonzero = rest != 0;
  for (int i = 0; i < decimals; ++i, rest /= 10) digits[--used] = static_cast<char>('0' + rest % 10);
  if (decimals > 0) digits[--used] = '.';
  do digits[--used] = static_cast<char>('0' + rest % 10);
  while ((rest /= 10) != 0);
  if (negative && nonzero) digits[--used] = '-';
  out.append(digits + used, sizeof digits - used);
}

/// Distinct token texts, numbered in order of appearance. Number 0 is the newline.
class Vocabulary {
 public:
  Vocabulary() { clear(); }

  void clear() {
    text_.clear();
    tokens_.clear();
    slots_.assign(64, no_token);
    intern("\n", TokenKind::newline);
  }

  [[nodiscard]] std::size_t size() const noexcept { return tokens_.size(); }
  [[nodiscard]] const TokenInfo& operator[](TokenId id) const noexcept { return tokens_[id]; }
  [[nodiscard]] std::string_view text(TokenId id) const noexcept {
    return std::string_view(text_).substr(tokens_[id].offset, tokens_[id].size);
  }

  /// The number of a text; no_token if it never appeared.
  [[nodiscard]] TokenId find(std::string_view text) const noexcept { return slots_[slot_of(text)]; }

  TokenId intern(std::string_view text, TokenKind kind) {
    std::size_t slot = slot_of(text);
    if (slots_[slot] != no_token) return slots_[slot];
    if (2 * (tokens_.size() + 1) > slots_.size()) {
      grow();
      slot = slot_of(text);
    }
    const auto id = static_cast<TokenId>(tokens_.size());
    tokens_.push_back(describe(text, kind));
    text_.append(text);
    slots_[slot] = id;
    return id;
  }

 private:
  [[nodiscard]] std::size_t slot_of(std::string_view text) const noexcept {
    std::size_t slot = hash_text(text) & (slots_.size() - 1);
    while (slots_[slot] != no_token && this->text(slots_[slot]) != text) slot = (slot + 1) & (slots_.size() - 1);
    return slot;
  }

  [[nodiscard]] TokenInfo describe(std::string_view text, TokenKind kind) const {
    TokenInfo info{static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(text.size()), 0, kind, 0};
    if (kind != TokenKind::number) return info;
    bool fraction = false;
    for (const char c : text) {
      if (c == '.') fraction = true;
      if (!detail::is_digit(c)) continue;
      info.value = info.value * 10 + (c - '0');
      if (fraction) ++info.decimals;
    }
    for (int i = info.decimals; i < value_digits; ++i) info.value *= 10;
    if (text.front() == '-') info.value = -info.value;
    return info;
  }

  void grow() {
    const std::size_t size = 2 * slots_.size();
    slots_.assign(size, no_token);
    for (TokenId id = 0; id < tokens_.size(); ++id) slots_[slot_of(text(id))] = id;
  }

  std::string text_;
  std::vector<TokenInfo> tokens_;
  std::vector<TokenId> slots_;  ///< open addressing, size a power of two
};

}  // namespace icpi::induction
