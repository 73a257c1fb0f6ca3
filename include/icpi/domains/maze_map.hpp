// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstddef>
#include <string_view>
#include <vector>

#include "icpi/domains/domain.hpp"

namespace icpi {

/// A cell of a maze, counted from the top left.
struct MazeCell {
  int row = 0;     ///< from the top
  int column = 0;  ///< from the left

  friend auto operator<=>(const MazeCell&, const MazeCell&) = default;
};

/// The paper's maze: 3 x 3 cells, the goal at (1, 0), walls between (1, 0) and (1, 1) and between (1, 1) and (2, 1).
inline constexpr std::string_view default_maze_map =
    "+---+---+---+\n"
    "|           |\n"
    "+   +   +   +\n"
    "| G |       |\n"
    "+   +---+   +\n"
    "|           |\n"
    "+---+---+---+\n";

/// Size, goal and walls of a maze, read from a drawing like `default_maze_map`: corners `+`, walls `---` and `|`, cells
/// three characters wide, one `G` in the middle of the goal, a closed border. A line break before the first line and
/// after the last one may be there or not. Immutable.
/// Thread-safety: immutable, any threads.
class MazeMap {
 public:
  /// Throws InvalidArgument that names line and column (from 1) of what is wrong in the drawing.
  explicit MazeMap(std::string_view drawing) {
    const std::vector<std::string_view> lines = split(drawing);
    rows_ = static_cast<int>(lines.size() / 2);
    columns_ = static_cast<int>(lines.front().size() / 4);
    detail::require(lines.size() % 2 == 1 && rows_ > 0,
                    "maze: map has {} lines but must have 2 x rows + 1, rows at least 1", lines.size());
    detail::require(lines.front().size() % 4 == 1 && columns_ > 0,
                    "maze: line 1 of the map has {} characters but must have 4 x columns + 1, columns at least 1",
                    lines.front().size());
    wall_below_.resize(cells());
    wall_right_.resize(cells());
    for (std::size_t line = 0; line < lines.size(); ++line) {
      detail::require(lines[line].size() == lines.front().size(),
                      "maze: line {} of the map has {} characters but line 1 has {}", line + 1, lines[line].size(),
                      lines.front().size());
      line % 2 == 0 ? read_walls(lines[line], line) : read_cells(lines[line], line);
    }
    detail::require(goals_ == 1, "maze: the map has {} goals G but must have exactly one", goals_);
  }

  /// Number of rows.
  [[nodiscard]] int rows() const noexcept { return rows_; }
  /// Number of columns.
  [[nodiscard]] int columns() const noexcept { return columns_; }
  /// The cell marked G.
  [[nodiscard]] MazeCell goal() const noexcept { return goal_; }

  /// Whether `cell` lies in the maze.
  [[nodiscard]] bool contains(MazeCell cell) const noexcept {
    return cell.row >= 0 && cell.row < rows_ && cell.column >= 0 && cell.column < columns_;
  }

  /// Whether nothing stands between two neighbouring cells; false where the maze ends.
  /// Precondition: contains(from), and `to` is one step up, down, left or right of it.
  [[nodiscard]] bool open(MazeCell from, MazeCell to) const noexcept {
    if (!contains(to)) return false;
    if (from.row != to.row) return !wall_below_[index(from.row < to.row ? from : to)];
    return !wall_right_[index(from.column < to.column ? from : to)];
  }

 private:
  static std::vector<std::string_view> split(std::string_view drawing) {
    if (!drawing.empty() && drawing.front() == '\n') drawing.remove_prefix(1);
    if (!drawing.empty() && drawing.back() == '\n') drawing.remove_suffix(1);
    std::vector<std::string_view> lines;
    for (std::size_t end = 0; end != std::string_view::npos;) {
      end = drawing.find('\n');
      lines.push_back(drawing.substr(0, end));
      if (end != std::string_view::npos) drawing.remove_prefix(end + 1);
    }
    return lines;
  }

  [[nodiscard]] std::size_t cells() const noexcept { return static_cast<std::size_t>(rows_ * columns_); }
  [[nodiscard]] std::size_t index(MazeCell cell) const noexcept {
    return static_cast<std::size_t>(cell.row * columns_ + cell.column);
  }

  static void expect(bool condition, std::size_t row, std::size_t column, std::string_view found,
                     std::string_view allowed) {
    detail::require(condition, "maze: line {}, column {} of the map is '{}' but must be {}", row + 1, column + 1, found,
                    allowed);
  }

  void read_walls(std::string_view line, std::size_t number) {
    const int above = static_cast<int>(number / 2) - 1;
    for (std::size_t column = 0; column < line.size(); column += 4) {
      expect(line[column] == '+', number, column, line.substr(column, 1), "a corner '+'");
      if (column + 4 >= line.size()) break;
      const std::string_view piece = line.substr(column + 1, 3);
      const bool border = above < 0 || above == rows_ - 1;
      const bool wall = piece == "---";
      expect(wall || (!border && piece == "   "), number, column + 1, piece,
             border ? "the border '---'" : "a wall '---' or three spaces");
      if (above >= 0) wall_below_[index({above, static_cast<int>(column / 4)})] = wall;
    }
  }

  void read_cells(std::string_view line, std::size_t number) {
    const int row = static_cast<int>(number / 2);
    for (std::size_t column = 0; column < line.size(); column += 4) {
      const bool border = column == 0 || column + 4 >= line.size();
      const bool wall = line[column] == '|';
      expect(wall || (!border && line[column] == ' '), number, column, line.substr(column, 1),
             border ? "the border '|'" : "a wall '|' or a space");
      if (column > 0) wall_right_[index({row, static_cast<int>(column / 4) - 1})] = wall;
      if (column + 4 >= line.size()) break;
      const std::string_view cell = line.substr(column + 1, 3);
      expect(cell == "   " || cell == " G ", number, column + 1, cell, "a cell: three spaces or ' G '");
      if (cell == "   ") continue;
      goal_ = {row, static_cast<int>(column / 4)};
      ++goals_;
    }
  }

  int rows_ = 0;
  int columns_ = 0;
  int goals_ = 0;
  MazeCell goal_;
  std::vector<bool> wall_below_;
  std::vector<bool> wall_right_;
};

}  // namespace icpi
