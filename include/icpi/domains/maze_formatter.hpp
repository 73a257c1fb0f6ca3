// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/text_scanner.hpp"
#include "icpi/core/fill_text.hpp"
#include "icpi/domains/domain_formatter.hpp"
#include "icpi/domains/maze.hpp"

namespace icpi {

/// `assert state == C(i=2, j=1) and state != C(i=1, j=0)`; i is the row, j the column, the hint compares with the goal.
/// Thread-safety: const members may be called concurrently.
class MazeFormatter : public DomainFormatter<MazeFormatter, Maze> {
 public:
  /// In the order of the actions.
  static constexpr std::array<std::string_view, 4> action_texts{"state, reward = left()\n", "state, reward = down()\n",
                                                                "state, reward = up()\n", "state, reward = right()\n"};
  static constexpr std::string_view start_text = "\nstate, reward = reset()\n";  ///< of every trajectory

  /// Writes the texts of `env`: its goal is part of the hint.
  explicit MazeFormatter(const Maze& env = Maze{}, FormatterOptions options = {})
      : DomainFormatter(env, options), goal_(env.map().goal()) {}

  /// What is seen.
  [[nodiscard]] std::string observation(MazeCell cell) const {
    if (!hints()) return detail::fill_text("assert state == C(i={}, j={})\n", {cell.row, cell.column});
    return detail::fill_text("assert state == C(i={}, j={}) and state {} C(i={}, j={})\n",
                             {cell.row, cell.column, cell == goal_ ? "==" : "!=", goal_.row, goal_.column});
  }

  /// The cell; the hint is skipped.
  [[nodiscard]] std::optional<MazeCell> parse_observation(std::string_view text) const {
    MazeCell cell;
    TextScanner scanner(text);
    scanner.literal("assert state == C(i=").integer(cell.row).literal(", j=").integer(cell.column).literal(")");
    return ends_observation(scanner) ? std::optional(cell) : std::nullopt;
  }

 private:
  MazeCell goal_;
};

/// A maze's formatter.
template <>
struct DefaultFormatter<Maze> {
  using type = MazeFormatter;  ///< the formatter
};

static_assert(ParsesObservations<MazeFormatter, Maze>);

}  // namespace icpi
