// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "icpi/concepts/field_formatter.hpp"
#include "icpi/domains/all.hpp"

/// The named parts of what is seen in the shipped domains, so exactly that they read back equal.
namespace domain_fields {

inline std::vector<icpi::FieldBinding<int>> of(const icpi::Chain&) {
  return {icpi::bind_field<int>({"state"}, [](auto& state) -> auto& { return state; })};
}

inline auto of(const icpi::DistractorChain&) {
  using Seen = icpi::DistractorChainObservation;
  return std::vector{icpi::bind_field<Seen>({"state"}, &Seen::state),
                     icpi::bind_field<Seen>({"distractor"}, &Seen::distractor)};
}

inline auto of(const icpi::Maze&) {
  using Seen = icpi::MazeCell;
  return std::vector{icpi::bind_field<Seen>({"row"}, &Seen::row), icpi::bind_field<Seen>({"column"}, &Seen::column)};
}

inline auto of(const icpi::MiniCatch&) {
  using Seen = icpi::MiniCatchObservation;
  return std::vector{icpi::bind_field<Seen>({"paddle"}, &Seen::paddle),
                     icpi::bind_field<Seen>({"ball.x"}, &Seen::ball_x),
                     icpi::bind_field<Seen>({"ball.y"}, &Seen::ball_y)};
}

inline auto of(const icpi::PointMass&) {
  using Seen = icpi::PointMassObservation;
  constexpr auto exactly = 60;  // digits
  return std::vector{icpi::bind_field<Seen>({"position", icpi::FieldKind::decimal, exactly}, &Seen::position),
                     icpi::bind_field<Seen>({"velocity", icpi::FieldKind::decimal, exactly}, &Seen::velocity)};
}

/// An alien's column and height; a dead one is at height -2.
inline auto of(const icpi::MiniInvaders& game) {
  using Seen = icpi::MiniInvadersObservation;
  std::vector bindings{icpi::bind_field<Seen>({"ship"}, &Seen::ship)};
  for (std::size_t i = 0; i < static_cast<std::size_t>(game.options().aliens); ++i) {
    const std::string name = "alien_" + std::to_string(i);
    bindings.push_back({{name + ".x"},
                        [i](const Seen& seen) { return std::int64_t{seen.aliens[i] ? seen.aliens[i]->x : 0}; },
                        [i](Seen& seen, const icpi::FieldValue& value) {
                          if (seen.aliens.size() <= i) seen.aliens.resize(i + 1);
                          seen.aliens[i] = icpi::Alien{static_cast<int>(std::get<std::int64_t>(value)), 0};
                          return true;
                        }});
    bindings.push_back({{name + ".y"},
                        [i](const Seen& seen) { return std::int64_t{seen.aliens[i] ? seen.aliens[i]->y : -2}; },
                        [i](Seen& seen, const icpi::FieldValue& value) {
                          const auto height = static_cast<int>(std::get<std::int64_t>(value));
                          if (height == -2)
                            seen.aliens[i].reset();
                          else
                            seen.aliens[i]->y = height;
                          return true;
                        }});
  }
  return bindings;
}

}  // namespace domain_fields
