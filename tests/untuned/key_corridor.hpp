// SPDX-License-Identifier: MIT
#pragma once

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

/// Five places in a row. The key lies in the first one, the door is in the last one: opening it with the key ends the
/// episode with reward 1. Actions that make no sense change nothing.
struct KeyCorridorRules {
  struct Observation {
    int place = 0;
    bool has_key = false;
    friend auto operator<=>(const Observation&, const Observation&) = default;
  };
  enum class Action { east, west, take, open };

  static const std::vector<Action>& actions() {
    static const std::vector<Action> all{Action::east, Action::west, Action::take, Action::open};
    return all;
  }
  static double discount() { return 0.9; }
  static int time_limit() { return 20; }
  static std::vector<Observation> starts() { return {{0, false}, {1, false}, {2, false}, {3, false}, {4, false}}; }
  static std::vector<Outcome<Observation>> outcomes(const Observation& o, Action action) {
    Observation next = o;
    if (action == Action::east && o.place < 4) ++next.place;
    if (action == Action::west && o.place > 0) --next.place;
    if (action == Action::take && o.place == 0) next.has_key = true;
    const bool opened = action == Action::open && o.place == 4 && o.has_key;
    return {{1, {next, opened ? 1.0 : 0.0, opened, false}}};
  }
};

using KeyCorridor = ListedEnvironment<KeyCorridorRules>;

/// Sentences, without a number for the state.
struct KeyCorridorFormatter {
  using Observation = KeyCorridor::Observation;
  using Action = KeyCorridor::Action;
  static constexpr std::string_view places[] = {"cellar", "kitchen", "hall", "gallery", "porch"};
  static constexpr std::string_view sentences[] = {"You walk to the east.\n", "You walk to the west.\n",
                                                   "You take what lies there.\n", "You try to open the door.\n"};

  [[nodiscard]] std::string observation(const Observation& o) const {
    return fmt::format("You stand in the {} and your hands {}.\n", places[static_cast<std::size_t>(o.place)],
                       o.has_key ? "hold a key" : "are empty");
  }
  [[nodiscard]] std::string action(Action a) const { return std::string(sentences[static_cast<std::size_t>(a)]); }
  [[nodiscard]] std::string reward(double r) const { return fmt::format("Coins earned: {}.\n", r); }
  [[nodiscard]] std::string termination(bool b) const { return b ? "The story ends.\n" : "The story goes on.\n"; }
  [[nodiscard]] std::string episode_start() const { return "A new story begins.\n"; }
  [[nodiscard]] std::string trajectory_step(const Transition<Observation, Action>& t) const {
    return observation(t.observation) + action(t.action) + reward(t.reward);
  }
  [[nodiscard]] std::string_view stop(QueryKind) const { return "\n"; }
  [[nodiscard]] std::optional<Action> parse_action(std::string_view text) const {
    for (const Action a : KeyCorridorRules::actions())
      if (trimmed(text) == trimmed(action(a))) return a;
    return std::nullopt;
  }
  [[nodiscard]] std::optional<double> parse_reward(std::string_view text) const {
    const auto fields = read_fields(trimmed(text), "Coins earned: #.");
    if (fields) return (*fields)[0];
    const auto whole = read_fields(trimmed(text), "Coins earned: #");
    return whole && trimmed(text).ends_with('.') ? std::optional((*whole)[0]) : std::nullopt;
  }
  [[nodiscard]] std::optional<bool> parse_termination(std::string_view text) const {
    if (trimmed(text) == "The story ends.") return true;
    if (trimmed(text) == "The story goes on.") return false;
    return std::nullopt;
  }
  [[nodiscard]] std::optional<Observation> parse_observation(std::string_view text) const {
    for (int place = 0; place < 5; ++place)
      for (const bool has_key : {false, true})
        if (const Observation o{place, has_key}; trimmed(text) == trimmed(observation(o))) return o;
    return std::nullopt;
  }
  [[nodiscard]] bool accepts_observation(std::string_view text) const { return parse_observation(text).has_value(); }
};

static_assert(Enumerable<KeyCorridor> && StateSettable<KeyCorridor>);
static_assert(ParsesObservations<KeyCorridorFormatter, KeyCorridor>);

}  // namespace icpi::untuned

namespace icpi {
template <>
struct DefaultFormatter<untuned::KeyCorridor> {
  using type = untuned::KeyCorridorFormatter;
};
}  // namespace icpi
