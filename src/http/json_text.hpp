// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace icpi::http {

/// Offset of the first byte that is not well-formed UTF-8 (RFC 3629); nullopt: there is none.
[[nodiscard]] std::optional<std::size_t> find_invalid_utf8(std::string_view text) noexcept;

/// JSON that fails only by texts that cannot be UTF-8, with U+FFFD in the place of what is none: bytes, and halves of
/// surrogate pairs (`\\ud800` alone). Other JSON as it is.
[[nodiscard]] std::string mend_json(std::string_view json);

/// Appends `text`, which must be UTF-8, escaped as the inside of a JSON string (RFC 8259, section 7).
void append_json_escaped(std::string& out, std::string_view text);

/// Writes a JSON object or array member by member into a string. Finite numbers only.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) noexcept : out_(out) {}

  JsonWriter& open(char bracket) {
    separate();
    out_ += bracket;
    first_ = true;
    return *this;
  }
  JsonWriter& close(char bracket) {
    out_ += bracket;
    first_ = false;
    return *this;
  }
  JsonWriter& key(std::string_view name) {
    value(name);
    out_ += ':';
    first_ = true;
    return *this;
  }
  JsonWriter& value(std::string_view text) { return joined(text, {}); }
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool flag) {
    separate();
    out_ += flag ? "true" : "false";
    return *this;
  }
  template <class T>
    requires(std::integral<T> || std::floating_point<T>)
  JsonWriter& value(T number) {
    separate();
    fmt::format_to(std::back_inserter(out_), "{}", number);
    return *this;
  }
  /// A value that is JSON already.
  JsonWriter& raw(std::string_view json) {
    separate();
    out_ += json;
    return *this;
  }
  /// One string made of pieces.
  JsonWriter& joined(std::string_view first, std::string_view second, std::string_view third = {}) {
    separate();
    out_ += '"';
    append_json_escaped(out_, first);
    append_json_escaped(out_, second);
    append_json_escaped(out_, third);
    out_ += '"';
    return *this;
  }
  template <class T>
  JsonWriter& member(std::string_view name, const T& content) {
    key(name);
    return value(content);
  }

 private:
  void separate() {
    if (!first_) out_ += ',';
    first_ = false;
  }

  std::string& out_;
  bool first_ = true;
};

}  // namespace icpi::http
