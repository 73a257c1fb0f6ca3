// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/core/error.hpp"

namespace icpi {

/// A JSON value as it was read (RFC 8259): enough for records that icpi wrote itself and for small files of facts.
///
/// Strings are bytes. What is not UTF-8 is written as the lone surrogates U+DC80 .. U+DCFF, one a byte, and read back
/// from there: every byte string survives, and every text that is written is valid JSON.
/// Thread-safety: const members may be called concurrently.
class Json {
 public:
  /// What kind of value it is.
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

  /// Reads exactly one value. Throws InvalidArgument naming the offset of the first byte that does not fit. Takes any
  /// bytes; values nested deeper than 64 are refused.
  static Json parse(std::string_view text);

  [[nodiscard]] Kind kind() const noexcept { return kind_; }                                           ///< what it is
  [[nodiscard]] bool boolean() const { return require(Kind::boolean, "a boolean").boolean_; }          ///< or throws
  [[nodiscard]] const std::string& string() const { return require(Kind::string, "a string").text_; }  ///< or throws
  [[nodiscard]] const std::vector<Json>& array() const {
    return require(Kind::array, "an array").items_;
  }  ///< or throws
  /// Names and values in the order of the text. Throws InvalidArgument if it is no object.
  [[nodiscard]] const std::vector<std::string>& names() const { return require(Kind::object, "an object").names_; }

  /// A number. Throws InvalidArgument if it is none.
  [[nodiscard]] double number() const {
    const std::string& digits = require(Kind::number, "a number").text_;
    double value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  }

  /// A whole number that `Integer` can hold, exactly. Throws InvalidArgument otherwise.
  template <std::integral Integer>
  [[nodiscard]] Integer integer() const {
    const std::string& digits = require(Kind::number, "a number").text_;
    Integer value{};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size())
      throw InvalidArgument(fmt::format("JSON: {} is not a whole number in range", digits));
    return value;
  }

  /// The member of this name; nullptr if there is none. Throws InvalidArgument if it is no object.
  [[nodiscard]] const Json* find(std::string_view name) const {
    const auto& known = names();
    for (std::size_t i = 0; i < known.size(); ++i)
      if (known[i] == name) return &items_[i];
    return nullptr;
  }

  /// The member of this name. Throws InvalidArgument if there is none.
  [[nodiscard]] const Json& operator[](std::string_view name) const {
    const Json* found = find(name);
    if (found == nullptr) throw InvalidArgument(fmt::format("JSON: member \"{}\" is missing", name));
    return *found;
  }

 private:
  friend class JsonReader;

  [[nodiscard]] const Json& require(Kind wanted, std::string_view what) const {
    if (kind_ != wanted) throw InvalidArgument(fmt::format("JSON: expected {}", what));
    return *this;
  }

  Kind kind_ = Kind::null;
  bool boolean_ = false;
  std::string text_;  ///< a string, or a number's digits
  std::vector<std::string> names_;
  std::vector<Json> items_;
};

/// Reads a JSON text from left to right. Json::parse is what callers use.
/// Thread-safety: one object by one thread at a time.
class JsonReader {
 public:
  /// Reads `text`, which must outlive the reader.
  explicit JsonReader(std::string_view text) noexcept : text_(text) {}

  /// The whole text as one value.
  Json read() {
    Json value = read_value(0);
    skip_space();
    if (at_ != text_.size()) fail("the end");
    return value;
  }

 private:
  [[noreturn]] void fail(std::string_view expected) const {
    throw InvalidArgument(fmt::format("JSON: expected {} at offset {}", expected, at_));
  }

  [[nodiscard]] char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_space() noexcept {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }

  bool take(char wanted) noexcept {
    skip_space();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  Json read_value(int depth) {
    if (depth > 64) fail("at most 64 levels of nesting");
    skip_space();
    Json value;
    switch (peek()) {
      case '{': read_object(value, depth); break;
      case '[': read_array(value, depth); break;
      case '"':
        value.kind_ = Json::Kind::string;
        value.text_ = read_string();
        break;
      case 't': read_word("true", value, Json::Kind::boolean), value.boolean_ = true; break;
      case 'f': read_word("false", value, Json::Kind::boolean); break;
      case 'n': read_word("null", value, Json::Kind::null); break;
      default: read_number(value);
    }
    return value;
  }

  void read_word(std::string_view word, Json& value, Json::Kind kind) {
    if (text_.substr(at_, word.size()) != word) fail(word);
    at_ += word.size();
    value.kind_ = kind;
  }

  void read_object(Json& value, int depth) {
    value.kind_ = Json::Kind::object;
    ++at_;
    if (take('}')) return;
    do {
      skip_space();
      if (peek() != '"') fail("a member's name");
      value.names_.push_back(read_string());
      if (!take(':')) fail("':'");
      value.items_.push_back(read_value(depth + 1));
    } while (take(','));
    if (!take('}')) fail("',' or '}'");
  }

  void read_array(Json& value, int depth) {
    value.kind_ = Json::Kind::array;
    ++at_;
    if (take(']')) return;
    do value.items_.push_back(read_value(depth + 1));
    while (take(','));
    if (!take(']')) fail("',' or ']'");
  }

  std::size_t digits() noexcept {
    const std::size_t first = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ - first;
  }

  void read_number(Json& value) {
    const std::size_t first = at_;
    if (peek() == '-') ++at_;
    const std::size_t whole = at_;
    const std::size_t count = digits();
    if (count == 0 || (count > 1 && text_[whole] == '0')) fail("a value");
    if (peek() == '.') {
      ++at_;
      if (digits() == 0) fail("a digit");
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (digits() == 0) fail("a digit");
    }
    value.kind_ = Json::Kind::number;
    value.text_ = text_.substr(first, at_ - first);
  }

  std::string read_string() {
    std::string result;
    for (++at_; peek() != '"'; ++at_) {
      if (at_ == text_.size() || static_cast<unsigned char>(text_[at_]) < 0x20) fail("'\"'");
      if (text_[at_] != '\\') {
        result += text_[at_];
        continue;
      }
      ++at_;
      constexpr std::string_view names = "\"\\/bfnrt";
      constexpr std::string_view values = "\"\\/\b\f\n\r\t";
      if (peek() == 'u') {
        append_escaped(result);
      } else if (const auto name = names.find(peek()); at_ < text_.size() && name != std::string_view::npos) {
        result += values[name];
      } else {
        fail("an escape");
      }
    }
    ++at_;
    return result;
  }

  /// Reads the four digits after `\u`; leaves at_ on the last of them.
  std::uint32_t read_hex() {
    std::uint32_t code = 0;
    const char* const first = text_.data() + at_ + 1;
    if (text_.size() - at_ < 5) fail("four hexadecimal digits");
    const auto [end, error] = std::from_chars(first, first + 4, code, 16);
    if (error != std::errc{} || end != first + 4) fail("four hexadecimal digits");
    at_ += 4;
    return code;
  }

  void append_escaped(std::string& result) {
    std::uint32_t code = read_hex();
    if (code >= 0xDC80 && code <= 0xDCFF) {
      result += static_cast<char>(code - 0xDC00);
      return;
    }
    if (code >= 0xD800 && code <= 0xDBFF && text_.substr(at_ + 1, 2) == "\\u") {
      at_ += 2;
      const std::uint32_t low = read_hex();
      if (low < 0xDC00 || low > 0xDFFF) fail("the second half of a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (code >= 0xD800 && code <= 0xDFFF) fail("a character");
    append_utf8(code, result);
  }

  static void append_utf8(std::uint32_t code, std::string& result) {
    const auto rest = [&](unsigned shift) { result += static_cast<char>(0x80 | (code >> shift & 0x3F)); };
    if (code < 0x80) {
      result += static_cast<char>(code);
    } else if (code < 0x800) {
      result += static_cast<char>(0xC0 | code >> 6);
      rest(0);
    } else if (code < 0x10000) {
      result += static_cast<char>(0xE0 | code >> 12);
      rest(6);
      rest(0);
    } else {
      result += static_cast<char>(0xF0 | code >> 18);
      rest(12);
      rest(6);
      rest(0);
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

inline Json Json::parse(std::string_view text) { return JsonReader(text).read(); }

}  // namespace icpi
