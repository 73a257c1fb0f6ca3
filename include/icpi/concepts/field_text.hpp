// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/core/export.hpp"

namespace icpi {

/// What the value of a field is.
enum class FieldKind : std::uint8_t {
  integer,   ///< a whole number of 64 bits
  decimal,   ///< a finite number, written with a stated number of digits after the point
  category,  ///< one of a list of texts
  text       ///< any text of UTF-8 bytes
};

/// One named part of what is seen.
struct Field {
  std::string name;                       ///< letters, digits, '_' and '.', no digit first
  FieldKind kind = FieldKind::integer;    ///< what its value is
  int decimals = 2;                       ///< decimal: digits after the point, 1 to 60
  std::vector<std::string> categories{};  ///< category: what it may be, no text twice
  std::string group{};                    ///< hints compare fields of one group; empty: this one with none

  friend bool operator==(const Field&, const Field&) = default;
};

/// The value of a field: std::int64_t for an integer, double for a decimal, std::string for a category or a text.
using FieldValue = std::variant<std::int64_t, double, std::string>;

/// The values of all fields, in their order.
using FieldValues = std::vector<FieldValue>;

/// The texts of observations that have named fields: `assert row == 2 and ball.x == 0.50 and door == "open"`, on one
/// line whatever the values are. With hints, comparisons between fields of one group follow: ` and row < goal_row`.
///
/// Texts are read strictly up to the hints: values as they would be written. With hints, where there are fields to
/// compare, there must be one, but what it claims is not checked against the values. A decimal is written with its
/// number of digits, so it reads back as its rounded(), and values that are rounded alike have equal texts.
/// Thread-safety: const members may be called concurrently.
class ICPI_API FieldText {
 public:
  /// Throws InvalidArgument for a list without fields, with a name twice, or with a field that makes no sense.
  explicit FieldText(std::vector<Field> fields, bool hints = false);

  /// The fields, in their order.
  [[nodiscard]] const std::vector<Field>& fields() const noexcept { return fields_; }
  /// Whether comparisons follow the values.
  [[nodiscard]] bool hints() const noexcept { return hints_; }

  /// The line, newline included. Throws InvalidArgument for values that do not fit the fields.
  [[nodiscard]] std::string write(std::span<const FieldValue> values) const;

  /// The values of a text that comes without the newline. Takes any bytes.
  [[nodiscard]] std::optional<FieldValues> read(std::string_view text) const;

  /// The values as they read back: decimals with the digits that are written. Throws InvalidArgument for values that do
  /// not fit the fields.
  [[nodiscard]] FieldValues rounded(FieldValues values) const;

 private:
  void check(std::span<const FieldValue> values) const;
  [[nodiscard]] std::string hint(std::span<const FieldValue> values) const;

  std::vector<Field> fields_;
  std::vector<std::pair<std::size_t, std::size_t>> compared_;  ///< numbers of fields of one group
  bool hints_;
};

/// An action as a call: `left()` of "left", `act("go north")` of what is no identifier; newline included.
[[nodiscard]] ICPI_API std::string action_call(std::string_view name);

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/concepts/field_text-inl.hpp"
#endif
