// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

#include "icpi/core/json_line.hpp"
#include "icpi/core/utf8.hpp"

namespace icpi {

ICPI_INLINE void append_json_string(std::string_view text, std::string& out) {
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

ICPI_INLINE JsonLine& JsonLine::add(std::string_view name, std::string_view value) {
  begin(name);
  append_json_string(value, text_);
  return *this;
}

ICPI_INLINE JsonLine& JsonLine::add(std::string_view name, double value) {
  if (!std::isfinite(value)) throw InvalidArgument(fmt::format("JSON: {} is {}, which is not finite", name, value));
  begin(name);
  text_ += fmt::format("{}", value == 0 ? 0.0 : value);
  return *this;
}

ICPI_INLINE JsonLine& JsonLine::add_raw(std::string_view name, std::string_view json) {
  begin(name);
  text_ += json;
  return *this;
}

ICPI_INLINE JsonLine& JsonLine::add_whole(std::string_view name, long long value) {
  begin(name);
  text_ += fmt::to_string(value);
  return *this;
}

ICPI_INLINE JsonLine& JsonLine::add_whole(std::string_view name, unsigned long long value) {
  begin(name);
  text_ += fmt::to_string(value);
  return *this;
}

ICPI_INLINE void JsonLine::begin(std::string_view name) {
  text_ += text_.size() == 1 ? "" : ",";
  append_json_string(name, text_);
  text_ += ':';
}

}  // namespace icpi
