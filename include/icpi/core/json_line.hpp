// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "icpi/core/error.hpp"

namespace icpi {

namespace detail {

/// Bytes of the UTF-8 character at the beginning of `text`; 0: it begins with none.
inline std::size_t utf8_size(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xC2 && first < 0xE0 ? 2 : first >= 0xE0 && first < 0xF0 ? 3 : 4;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F)) return 0;  // too long; surrogates
  if ((first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F)) return 0;  // too long; too large
  return size;
}

}  // namespace detail

/// Appends `text` as a JSON string, quotes included. Any bytes; see Json for those that are not UTF-8.
inline void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    const std::size_t size = detail::utf8_size(text);
    const auto byte = static_cast<unsigned char>(text[0]);
    if (size == 0) {
      fmt::format_to(std::back_inserter(out), "\\udc{:02x}", byte);
    } else if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text[0];
    } else if (byte == '\n') {
      out += "\\n";
    } else if (byte < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    } else {
      out.append(text.substr(0, size));
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  out += '"';
}

/// Writes one JSON object on one line, member by member. Numbers read back exactly.
/// Thread-safety: one object by one thread at a time.
class JsonLine {
 public:
  /// Adds a text.
  JsonLine& add(std::string_view name, std::string_view value) {
    begin(name);
    append_json_string(value, text_);
    return *this;
  }
  /// Adds a text.
  JsonLine& add(std::string_view name, const char* value) { return add(name, std::string_view(value)); }

  /// Adds a boolean or a whole number.
  template <std::integral Value>
  JsonLine& add(std::string_view name, Value value) {
    begin(name);
    text_ += fmt::to_string(value);
    return *this;
  }

  /// Adds a number. Throws InvalidArgument unless it is finite: JSON knows no other.
  JsonLine& add(std::string_view name, double value) {
    if (!std::isfinite(value)) throw InvalidArgument(fmt::format("JSON: {} is {}, which is not finite", name, value));
    begin(name);
    text_ += fmt::format("{}", value == 0 ? 0.0 : value);
    return *this;
  }

  /// Adds a list; `append(item, out)` writes one value.
  template <class Range, class Append>
  JsonLine& add_list(std::string_view name, const Range& items, Append&& append) {
    begin(name);
    text_ += '[';
    bool first = true;
    for (const auto& item : items) {
      if (!first) text_ += ',';
      first = false;
      append(item, text_);
    }
    text_ += ']';
    return *this;
  }

  /// Adds a value that is JSON already.
  JsonLine& add_raw(std::string_view name, std::string_view json) {
    begin(name);
    text_ += json;
    return *this;
  }

  /// The object, without a newline.
  [[nodiscard]] std::string str() const { return text_ + '}'; }

 private:
  void begin(std::string_view name) {
    text_ += text_.size() == 1 ? "" : ",";
    append_json_string(name, text_);
    text_ += ':';
  }

  std::string text_ = "{";
};

}  // namespace icpi
