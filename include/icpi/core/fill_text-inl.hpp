// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>

#include "icpi/core/fill_text.hpp"

namespace icpi::detail {

ICPI_INLINE void TextValue::append_to(std::string& text) const {
  switch (kind_) {
    case Kind::text: text += text_; return;
    case Kind::whole: fmt::format_to(std::back_inserter(text), "{}", number_.whole); return;
    case Kind::unsigned_whole: fmt::format_to(std::back_inserter(text), "{}", number_.unsigned_whole); return;
    case Kind::real: fmt::format_to(std::back_inserter(text), "{}", number_.real); return;
  }
}

ICPI_INLINE std::string fill_text(std::string_view pattern, std::initializer_list<TextValue> values) {
  std::string text;
  text.reserve(pattern.size() + 16);
  for (const TextValue& value : values) {
    const std::size_t place = pattern.find("{}");
    text += pattern.substr(0, place);
    pattern = place == std::string_view::npos ? std::string_view{} : pattern.substr(place + 2);
    value.append_to(text);
  }
  return text += pattern;
}

ICPI_INLINE void refuse(std::string_view pattern, std::initializer_list<TextValue> values) {
  throw InvalidArgument(fill_text(pattern, values));
}

}  // namespace icpi::detail
