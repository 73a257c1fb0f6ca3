// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "icpi/models/induction/evidence.hpp"
#include "icpi/models/induction/tokens.hpp"

namespace icpi::induction {

/// How far a row's record has the form of the query's: all of it; its neighbouring lines, or a line of similar form;
/// only the line in progress.
enum class Level : std::uint8_t { whole, similar, line };

inline constexpr std::size_t level_count = 3;

/// A place of the record: lines before the one in progress, and the token's number in its line.
struct Column {
  std::uint8_t depth = 0;
  std::uint16_t place = 0;

  friend bool operator==(const Column&, const Column&) = default;
};

/// Examples of one position: earlier records, token by token in the query's columns, and what came next.
struct Table {
  std::vector<Column> columns;
  std::vector<TokenId> cells;        ///< column by column; no_token where a row has nothing to set against the query
  std::vector<TokenId> targets;      ///< by row
  std::vector<Level> levels;         ///< by row
  std::vector<std::uint32_t> times;  ///< by row: how often it occurs
  std::size_t rows = 0;

  [[nodiscard]] TokenId cell(std::size_t column, std::size_t row) const noexcept { return cells[column * rows + row]; }
};

}  // namespace icpi::induction
