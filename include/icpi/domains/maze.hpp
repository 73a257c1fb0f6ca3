// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "icpi/concepts/environment.hpp"
#include "icpi/core/random.hpp"
#include "icpi/domains/domain.hpp"
#include "icpi/domains/domain_facts.hpp"
#include "icpi/domains/maze_map.hpp"

namespace icpi {

/// One step in a direction.
enum class MazeAction : std::uint8_t { left, down, up, right };

/// Options of Maze; the defaults are the paper's.
struct MazeOptions {
  std::string map{default_maze_map};  ///< a drawing, see MazeMap
  int time_limit = 8;                 ///< steps of an episode; 0: none
  double discount = 0.8;              ///< for planning
};

/// Cells and walls. An action moves to the next cell unless a wall is in the way. The step taken from the goal, in
/// whatever direction, brings reward 1 and ends the episode. Starts in any cell.
/// Thread-safety: one object by one thread at a time.
class Maze : public Domain<Maze, MazeCell, MazeAction> {
 public:
  static constexpr std::string_view name = "maze";  ///< of facts()
  static constexpr std::array action_set{MazeAction::left, MazeAction::down, MazeAction::up,
                                         MazeAction::right};  ///< in order

  /// Throws InvalidArgument for options that make no maze.
  explicit Maze(const MazeOptions& options = {}) : options_(options), map_(options.map) {
    detail::require_time_limit(name, options.time_limit);
    detail::require_discount(name, options.discount);
  }

  /// The options of this maze.
  [[nodiscard]] const MazeOptions& options() const noexcept { return options_; }
  /// Size, walls and goal.
  [[nodiscard]] const MazeMap& map() const noexcept { return map_; }
  /// The planning discount.
  [[nodiscard]] double discount() const noexcept { return options_.discount; }
  /// Steps until truncation; 0: none.
  [[nodiscard]] int time_limit() const noexcept { return options_.time_limit; }
  /// Facts for experiments.
  [[nodiscard]] DomainFacts facts() const noexcept {
    return {.name = name, .horizon = 140, .rollout_limit = 6, .evaluation_discount = options_.discount};
  }

 private:
  friend Domain;

  [[nodiscard]] static constexpr std::size_t noise_values() noexcept { return 1; }

  [[nodiscard]] MazeCell draw_start(RandomStream& stream) const noexcept {
    const auto cell = static_cast<int>(stream.index(static_cast<std::size_t>(map_.rows() * map_.columns())));
    return {cell / map_.columns(), cell % map_.columns()};
  }

  void check(MazeCell cell) const {
    detail::require(map_.contains(cell), "{}: cell ({}, {}) must be in (0, 0)..({}, {})", name, cell.row, cell.column,
                    map_.rows() - 1, map_.columns() - 1);
  }

  [[nodiscard]] Step<MazeCell> advance(MazeCell cell, MazeAction action, std::size_t) const noexcept {
    MazeCell next = cell;
    switch (action) {
      case MazeAction::left: --next.column; break;
      case MazeAction::down: ++next.row; break;
      case MazeAction::up: --next.row; break;
      case MazeAction::right: ++next.column; break;
    }
    const bool from_goal = cell == map_.goal();
    return {map_.open(cell, next) ? next : cell, from_goal ? 1.0 : 0.0, from_goal, false};
  }

  MazeOptions options_;
  MazeMap map_;
};

static_assert(StateSettable<Maze> && Enumerable<Maze>);

}  // namespace icpi
