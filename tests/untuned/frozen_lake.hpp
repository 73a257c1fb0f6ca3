// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "icpi/concepts/prompt_formatter.hpp"
#include "untuned/listed_environment.hpp"
#include "untuned/text_fields.hpp"

namespace icpi::untuned {

/// Gymnasium's FrozenLake 4x4 without slipping, started on any safe cell: holes end the episode with reward 0, the
/// goal in the last corner with reward 1.
struct FrozenLakeRules {
  struct Observation {
    int row = 0;
    int column = 0;
    friend auto operator<=>(const Observation&, const Observation&) = default;
  };
  enum class Action { left, down, right, up };

  static const std::vector<Action>& actions() {
    static const std::vector<Action> all{Action::left, Action::down, Action::right, Action::up};
    return all;
  }
  static double discount() { return 0.9; }
  static int time_limit() { return 16; }
  static char cell(Observation o) {
    constexpr std::string_view map = "SFFFFHFHFFFHHFFG";
    return map[static_cast<std::size_t>(4 * o.row + o.column)];
  }
  static std::vector<Observation> starts() {
    std::vector<Observation> safe;
    for (int row = 0; row < 4; ++row)
      for (int column = 0; column < 4; ++column)
        if (const char here = cell({row, column}); here == 'S' || here == 'F') safe.push_back({row, column});
    return safe;
  }
  static std::vector<Outcome<Observation>> outcomes(const Observation& o, Action action) {
    Observation next = o;
    if (action == Action::left) next.column = std::max(o.column - 1, 0);
    if (action == Action::right) next.column = std::min(o.column + 1, 3);
    if (action == Action::up) next.row = std::max(o.row - 1, 0);
    if (action == Action::down) next.row = std::min(o.row + 1, 3);
    const char there = cell(next);
    return {{1, {next, there == 'G' ? 1.0 : 0.0, there == 'G' || there == 'H', false}}};
  }
};

using FrozenLake = ListedEnvironment<FrozenLakeRules>;

/// One JSON-like object a line.
struct FrozenLakeFormatter {
  using Observation = FrozenLake::Observation;
  using Action = FrozenLake::Action;
  static constexpr std::string_view moves[] = {"left", "down", "right", "up"};

  [[nodiscard]] std::string observation(const Observation& o) const {
    return fmt::format("{{\"row\": {}, \"column\": {}}}\n", o.row, o.column);
  }
  [[nodiscard]] std::string action(Action a) const {
    return fmt::format("{{\"move\": \"{}\"}}\n", moves[static_cast<std::size_t>(a)]);
  }
  [[nodiscard]] std::string reward(double r) const { return fmt::format("{{\"reward\": {}}}\n", r); }
  [[nodiscard]] std::string termination(bool b) const { return fmt::format("{{\"done\": {}}}\n", b); }
  [[nodiscard]] std::string episode_start() const { return "{\"event\": \"reset\"}\n"; }
  [[nodiscard]] std::string trajectory_step(const Transition<Observation, Action>& t) const {
    return observation(t.observation) + action(t.action) + reward(t.reward);
  }
  [[nodiscard]] std::string_view stop(QueryKind) const { return "\n"; }
  [[nodiscard]] std::optional<Action> parse_action(std::string_view text) const {
    for (const Action a : FrozenLakeRules::actions())
      if (trimmed(text) == trimmed(action(a))) return a;
    return std::nullopt;
  }
  [[nodiscard]] std::optional<double> parse_reward(std::string_view text) const {
    const auto fields = read_fields(trimmed(text), "{\"reward\": #}");
    return fields ? std::optional((*fields)[0]) : std::nullopt;
  }
  [[nodiscard]] std::optional<bool> parse_termination(std::string_view text) const {
    for (const bool b : {false, true})
      if (trimmed(text) == trimmed(termination(b))) return b;
    return std::nullopt;
  }
  [[nodiscard]] std::optional<Observation> parse_observation(std::string_view text) const {
    const auto fields = read_fields(trimmed(text), "{\"row\": #, \"column\": #}");
    if (!fields) return std::nullopt;
    const Observation o{static_cast<int>((*fields)[0]), static_cast<int>((*fields)[1])};
    return std::clamp(o.row, 0, 3) == o.row && std::clamp(o.column, 0, 3) == o.column ? std::optional(o) : std::nullopt;
  }
  [[nodiscard]] bool accepts_observation(std::string_view text) const { return parse_observation(text).has_value(); }
};

static_assert(Enumerable<FrozenLake> && StateSettable<FrozenLake>);
static_assert(ParsesObservations<FrozenLakeFormatter, FrozenLake>);

}  // namespace icpi::untuned

namespace icpi {
template <>
struct DefaultFormatter<untuned::FrozenLake> {
  using type = untuned::FrozenLakeFormatter;
};
}  // namespace icpi
