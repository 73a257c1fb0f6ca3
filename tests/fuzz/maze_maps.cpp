// SPDX-License-Identifier: MIT
// Any text as the drawing of a maze: refused by name, or a maze that can be walked and that stays inside its border.
#include "fuzz.hpp"
#include "icpi/core/error.hpp"
#include "icpi/domains/maze.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const icpi::fuzz::Input input(data, size);
  try {
    const icpi::MazeMap map(input.rest());
    icpi::fuzz::require(map.rows() > 0 && map.columns() > 0 && map.contains(map.goal()), "the goal lies in the maze");
    for (int row = 0; row < map.rows(); ++row) {
      for (int column = 0; column < map.columns(); ++column) {
        const icpi::MazeCell cell{row, column};
        const icpi::MazeCell right{row, column + 1};
        const icpi::MazeCell below{row + 1, column};
        icpi::fuzz::require(!map.open(cell, right) || map.contains(right), "the border is closed on the right");
        icpi::fuzz::require(!map.open(cell, below) || map.contains(below), "the border is closed at the bottom");
        if (map.contains(right))
          icpi::fuzz::require(map.open(cell, right) == map.open(right, cell), "walls have two sides");
        if (map.contains(below))
          icpi::fuzz::require(map.open(cell, below) == map.open(below, cell), "walls have two sides");
      }
    }
  } catch (const icpi::InvalidArgument&) {  // refused
  }
  return 0;
}
