// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

#include "icpi/concepts/field_text.hpp"
#include "icpi/core/json_line.hpp"

namespace icpi {

namespace detail {

inline bool is_identifier(std::string_view name, std::string_view also = "") noexcept {
  const auto is_letter = [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || each == '_';
  };
  const auto is_part = [&](char each) {
    return is_letter(each) || (each >= '0' && each <= '9') || also.find(each) != std::string_view::npos;
  };
  return !name.empty() && is_letter(name.front()) && std::all_of(name.begin(), name.end(), is_part);
}

inline void require_field(bool holds, const Field& field, std::string_view what) {
  if (!holds) throw InvalidArgument(fmt::format("field '{}': {}", field.name, what));
}

inline void check_field(const Field& field) {
  require_field(is_identifier(field.name, "."), field,
                "its name is not of letters, digits, '_' and '.', no digit first");
  require_field(field.kind <= FieldKind::text, field, "its kind is none of integer, decimal, category, text");
  require_field(field.kind != FieldKind::decimal || (field.decimals >= 1 && field.decimals <= 60), field,
                "its number of decimals is not in 1 .. 60");
  if (field.kind != FieldKind::category) return;
  require_field(!field.categories.empty(), field, "it has no categories");
  for (auto each = field.categories.begin(); each != field.categories.end(); ++each)
    require_field(std::find(field.categories.begin(), each, *each) == each, field, "it has a category twice");
}

/// A number with so many digits after the point, and as it reads back; never a negative zero.
inline double written_decimal(double value, int decimals, std::string& text) {
  text = fmt::format("{:.{}f}", value, decimals);
  double read = 0;
  std::from_chars(text.data(), text.data() + text.size(), read);
  if (read != 0 || text.front() != '-') return read;
  text.erase(0, 1);
  return 0;
}

/// Reads a quoted text as append_json_string writes it, from the front of `text`, which loses it.
inline std::optional<std::string> take_quoted(std::string_view& text) {
  if (!text.starts_with('"')) return std::nullopt;
  std::string value;
  std::size_t at = 1;
  while (at < text.size() && text[at] != '"') {
    if (text[at] != '\\') {
      value += text[at++];
      continue;
    }
    const std::string_view escape = text.substr(at + 1);
    if (escape.starts_with('n')) {
      value += '\n';
      at += 2;
    } else if (escape.starts_with('"') || escape.starts_with('\\')) {
      value += escape[0];
      at += 2;
    } else {
      unsigned code = 0;
      const std::string_view digits = escape.substr(std::min<std::size_t>(1, escape.size()), 4);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
      if (!escape.starts_with('u') || error != std::errc{} || end != digits.data() + 4) return std::nullopt;
      value += static_cast<char>(code & 0xFF);
      at += 6;
    }
  }
  if (at >= text.size()) return std::nullopt;
  std::string written;
  append_json_string(value, written);
  if (text.substr(0, at + 1) != written) return std::nullopt;
  text.remove_prefix(at + 1);
  return value;
}

/// Reads a number from the front of `text`, which loses it: as it would have been written.
inline std::optional<FieldValue> take_number(const Field& field, std::string_view& text) {
  const std::string_view digits = text.substr(0, text.find_first_not_of("-.0123456789"));
  const char* const end = digits.data() + digits.size();
  FieldValue value;
  std::string written;
  if (field.kind == FieldKind::integer) {
    std::int64_t number = 0;
    const auto [read, error] = std::from_chars(digits.data(), end, number);
    if (error != std::errc{} || read != end) return std::nullopt;
    value = number;
    written = fmt::to_string(number);
  } else {
    double number = 0;
    const auto [read, error] = std::from_chars(digits.data(), end, number, std::chars_format::fixed);
    if (error != std::errc{} || read != end || !std::isfinite(number)) return std::nullopt;
    value = written_decimal(number, field.decimals, written);
  }
  if (written != digits) return std::nullopt;
  text.remove_prefix(digits.size());
  return value;
}

inline bool take_literal(std::string_view expected, std::string_view& text) noexcept {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

inline bool is_number(FieldKind kind) noexcept { return kind == FieldKind::integer || kind == FieldKind::decimal; }

inline std::string_view comparison_of(const FieldValue& left, const FieldValue& right, bool ordered) {
  if (!ordered) return left == right ? "==" : "!=";
  const auto number = [](const FieldValue& value) {
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
    return std::get<double>(value);
  };
  if (left.index() == 0 && right.index() == 0)  // exactly, where doubles would round
    return std::get<0>(left) < std::get<0>(right) ? "<" : std::get<0>(right) < std::get<0>(left) ? ">" : "==";
  return number(left) < number(right) ? "<" : number(right) < number(left) ? ">" : "==";
}

}  // namespace detail

ICPI_INLINE FieldText::FieldText(std::vector<Field> fields, bool hints) : fields_(std::move(fields)), hints_(hints) {
  if (fields_.empty()) throw InvalidArgument("an observation needs at least one field");
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    detail::check_field(fields_[i]);
    for (std::size_t j = 0; j < i; ++j) {
      detail::require_field(fields_[i].name != fields_[j].name, fields_[i], "its name is there twice");
      if (fields_[i].group.empty() || fields_[i].group != fields_[j].group) continue;
      detail::require_field(detail::is_number(fields_[i].kind) == detail::is_number(fields_[j].kind), fields_[i],
                            fmt::format("its group '{}' has numbers and texts", fields_[i].group));
      compared_.emplace_back(j, i);
    }
  }
  std::sort(compared_.begin(), compared_.end());
}

ICPI_INLINE void FieldText::check(std::span<const FieldValue> values) const {
  if (values.size() != fields_.size())
    throw InvalidArgument(fmt::format("an observation has {} values for {} fields", values.size(), fields_.size()));
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const Field& field = fields_[i];
    switch (field.kind) {
      case FieldKind::integer:
        detail::require_field(std::holds_alternative<std::int64_t>(values[i]), field, "its value is no whole number");
        break;
      case FieldKind::decimal: {
        const auto* value = std::get_if<double>(&values[i]);
        detail::require_field(value != nullptr && std::isfinite(*value), field, "its value is no finite number");
        break;
      }
      case FieldKind::category: {
        const auto* value = std::get_if<std::string>(&values[i]);
        const bool known = value != nullptr && std::find(field.categories.begin(), field.categories.end(), *value) !=
                                                   field.categories.end();
        detail::require_field(known, field, "its value is none of its categories");
        break;
      }
      case FieldKind::text:
        detail::require_field(std::holds_alternative<std::string>(values[i]), field, "its value is no text");
        break;
    }
  }
}

ICPI_INLINE std::string FieldText::hint(std::span<const FieldValue> values) const {
  std::string text;
  for (const auto& [left, right] : compared_)
    text += fmt::format(" and {} {} {}", fields_[left].name,
                        detail::comparison_of(values[left], values[right], detail::is_number(fields_[left].kind)),
                        fields_[right].name);
  return text;
}

ICPI_INLINE std::string FieldText::write(std::span<const FieldValue> values) const {
  check(values);
  std::string line = "assert";
  std::string digits;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    line += i == 0 ? " " : " and ";
    line += fields_[i].name;
    line += " == ";
    if (fields_[i].kind == FieldKind::integer) {
      line += fmt::to_string(std::get<std::int64_t>(values[i]));
    } else if (fields_[i].kind == FieldKind::decimal) {
      (void)detail::written_decimal(std::get<double>(values[i]), fields_[i].decimals, digits);
      line += digits;
    } else {
      append_json_string(std::get<std::string>(values[i]), line);
    }
  }
  if (hints_) line += hint(values);
  line += '\n';
  return line;
}

ICPI_INLINE std::optional<FieldValues> FieldText::read(std::string_view text) const {
  FieldValues values;
  for (const Field& field : fields_) {
    if (!detail::take_literal(values.empty() ? "assert " : " and ", text)) return std::nullopt;
    if (!detail::take_literal(field.name, text) || !detail::take_literal(" == ", text)) return std::nullopt;
    if (detail::is_number(field.kind)) {
      auto value = detail::take_number(field, text);
      if (!value) return std::nullopt;
      values.push_back(std::move(*value));
    } else {
      auto value = detail::take_quoted(text);
      if (!value) return std::nullopt;
      if (field.kind == FieldKind::category &&
          std::find(field.categories.begin(), field.categories.end(), *value) == field.categories.end())
        return std::nullopt;
      values.emplace_back(std::move(*value));
    }
  }
  const bool hinted = hints_ && !compared_.empty();
  if (hinted && (!detail::take_literal(" and ", text) || text.empty() || text.find('\n') != std::string_view::npos))
    return std::nullopt;
  if (!hinted && !text.empty()) return std::nullopt;
  return values;
}

ICPI_INLINE FieldValues FieldText::rounded(FieldValues values) const {
  check(values);
  std::string digits;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].kind == FieldKind::decimal)
      values[i] = detail::written_decimal(std::get<double>(values[i]), fields_[i].decimals, digits);
  }
  return values;
}

ICPI_INLINE std::string action_call(std::string_view name) {
  if (detail::is_identifier(name)) return std::string(name) + "()\n";
  std::string text = "act(";
  append_json_string(name, text);
  return text + ")\n";
}

}  // namespace icpi
