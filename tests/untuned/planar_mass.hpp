// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <compare>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "icpi/concepts/prompt_formatter.hpp"
#include "untuned/listed_environment.hpp"
#include "untuned/text_fields.hpp"

namespace icpi::untuned {

/// A point mass in the plane. Lengths in half metres, speeds in half metres per second: a step moves by the old
/// velocity, a push changes one component by half a metre per second. A step taken from within one metre of the
/// origin (in both directions) ends the episode with reward 1.
struct PlanarMassRules {
  struct Observation {
    int x = 0, y = 0, x_speed = 0, y_speed = 0;
    friend auto operator<=>(const Observation&, const Observation&) = default;
  };
  enum class Action { coast, north, south, east, west };

  static const std::vector<Action>& actions() {
    static const std::vector<Action> all{Action::coast, Action::north, Action::south, Action::east, Action::west};
    return all;
  }
  static double discount() { return 0.8; }
  static int time_limit() { return 10; }
  static std::vector<Observation> starts() {
    std::vector<Observation> outside;
    for (int x = -5; x <= 5; ++x)
      for (int y = -5; y <= 5; ++y)
        if (std::abs(x) > 2 || std::abs(y) > 2) outside.push_back({x, y, 0, 0});
    return outside;
  }
  static std::vector<Outcome<Observation>> outcomes(const Observation& o, Action action) {
    const bool reached = std::abs(o.x) <= 2 && std::abs(o.y) <= 2;
    Observation next{o.x + o.x_speed, o.y + o.y_speed, o.x_speed, o.y_speed};
    if (action == Action::north) ++next.y_speed;
    if (action == Action::south) --next.y_speed;
    if (action == Action::east) ++next.x_speed;
    if (action == Action::west) --next.x_speed;
    return {{1, {next, reached ? 1.0 : 0.0, reached, false}}};
  }
};

using PlanarMass = ListedEnvironment<PlanarMassRules>;

/// Numbers with units.
struct PlanarMassFormatter {
  using Observation = PlanarMass::Observation;
  using Action = PlanarMass::Action;
  static constexpr std::string_view pushes[] = {"coast", "push north", "push south", "push east", "push west"};

  [[nodiscard]] std::string observation(const Observation& o) const {
    return fmt::format("at {:.1f} m, {:.1f} m moving {:.1f} m/s, {:.1f} m/s\n", o.x / 2.0, o.y / 2.0, o.x_speed / 2.0,
                       o.y_speed / 2.0);
  }
  [[nodiscard]] std::string action(Action a) const {
    return fmt::format("then {}\n", pushes[static_cast<std::size_t>(a)]);
  }
  [[nodiscard]] std::string reward(double r) const { return fmt::format("score {} points\n", r); }
  [[nodiscard]] std::string termination(bool b) const { return b ? "finished yes\n" : "finished no\n"; }
  [[nodiscard]] std::string episode_start() const { return "new flight\n"; }
  [[nodiscard]] std::string trajectory_step(const Transition<Observation, Action>& t) const {
    return observation(t.observation) + action(t.action) + reward(t.reward);
  }
  [[nodiscard]] std::string_view stop(QueryKind) const { return "\n"; }
  [[nodiscard]] std::optional<Action> parse_action(std::string_view text) const {
    for (const Action a : PlanarMassRules::actions())
      if (trimmed(text) == trimmed(action(a))) return a;
    return std::nullopt;
  }
  [[nodiscard]] std::optional<double> parse_reward(std::string_view text) const {
    const auto fields = read_fields(trimmed(text), "score # points");
    return fields ? std::optional((*fields)[0]) : std::nullopt;
  }
  [[nodiscard]] std::optional<bool> parse_termination(std::string_view text) const {
    if (trimmed(text) == "finished yes") return true;
    if (trimmed(text) == "finished no") return false;
    return std::nullopt;
  }
  [[nodiscard]] std::optional<Observation> parse_observation(std::string_view text) const {
    const auto fields = read_fields(trimmed(text), "at # m, # m moving # m/s, # m/s");
    if (!fields) return std::nullopt;
    std::array<int, 4> halves{};
    for (std::size_t i = 0; i < 4; ++i) {
      const double doubled = 2 * (*fields)[i];
      if (doubled < -1000 || doubled > 1000) return std::nullopt;
      halves[i] = static_cast<int>(doubled);
      if (halves[i] != doubled) return std::nullopt;
    }
    return Observation{halves[0], halves[1], halves[2], halves[3]};
  }
  [[nodiscard]] bool accepts_observation(std::string_view text) const { return parse_observation(text).has_value(); }
};

static_assert(Enumerable<PlanarMass> && StateSettable<PlanarMass>);
static_assert(ParsesObservations<PlanarMassFormatter, PlanarMass>);

}  // namespace icpi::untuned

namespace icpi {
template <>
struct DefaultFormatter<untuned::PlanarMass> {
  using type = untuned::PlanarMassFormatter;
};
}  // namespace icpi
