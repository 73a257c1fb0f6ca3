// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "icpi/core/error.hpp"
#include "icpi/core/export.hpp"

namespace icpi {

/// Appends `text` as a JSON string, quotes included. Any bytes; see Json for those that are not UTF-8.
ICPI_API void append_json_string(std::string_view text, std::string& out);

/// Writes one JSON object on one line, member by member. Numbers read back exactly.
/// Thread-safety: one object by one thread at a time.
class ICPI_API JsonLine {
 public:
  /// Adds a text.
  JsonLine& add(std::string_view name, std::string_view value);
  /// Adds a text.
  JsonLine& add(std::string_view name, const char* value) { return add(name, std::string_view(value)); }

  /// Adds a boolean or a whole number.
  template <std::integral Value>
  JsonLine& add(std::string_view name, Value value) {
    if constexpr (std::same_as<Value, bool>)
      return add_raw(name, value ? "true" : "false");
    else if constexpr (std::signed_integral<Value>)
      return add_whole(name, static_cast<long long>(value));
    else
      return add_whole(name, static_cast<unsigned long long>(value));
  }

  /// Adds a number. Throws InvalidArgument unless it is finite: JSON knows no other.
  JsonLine& add(std::string_view name, double value);

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
  JsonLine& add_raw(std::string_view name, std::string_view json);

  /// The object, without a newline.
  [[nodiscard]] std::string str() const { return text_ + '}'; }

 private:
  JsonLine& add_whole(std::string_view name, long long value);
  JsonLine& add_whole(std::string_view name, unsigned long long value);
  void begin(std::string_view name);

  std::string text_ = "{";
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/core/json_line-inl.hpp"
#endif
