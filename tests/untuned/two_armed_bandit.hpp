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

/// Three pulls at two arms that pay 1 with probability 0.3 and 0.8.
struct TwoArmedBanditRules {
  struct Observation {
    int pulls_left = 3;
    friend auto operator<=>(const Observation&, const Observation&) = default;
  };
  enum class Action { copper, silver };

  static const std::vector<Action>& actions() {
    static const std::vector<Action> all{Action::copper, Action::silver};
    return all;
  }
  static double discount() { return 0.95; }
  static int time_limit() { return 0; }
  static std::vector<Observation> starts() { return {Observation{3}}; }
  static std::vector<Outcome<Observation>> outcomes(const Observation& o, Action action) {
    const double pays = action == Action::silver ? 0.8 : 0.3;
    const Observation next{o.pulls_left - 1};
    const bool last = next.pulls_left == 0;
    return {{pays, {next, 1, last, false}}, {1 - pays, {next, 0, last, false}}};
  }
};

using TwoArmedBandit = ListedEnvironment<TwoArmedBanditRules>;

/// Key: value lines.
struct TwoArmedBanditFormatter {
  using Observation = TwoArmedBandit::Observation;
  using Action = TwoArmedBandit::Action;

  [[nodiscard]] std::string observation(const Observation& o) const {
    return fmt::format("pulls left: {}\n", o.pulls_left);
  }
  [[nodiscard]] std::string action(Action a) const { return a == Action::silver ? "arm: silver\n" : "arm: copper\n"; }
  [[nodiscard]] std::string reward(double r) const { return fmt::format("payout: {}\n", r); }
  [[nodiscard]] std::string termination(bool b) const { return b ? "over: yes\n" : "over: no\n"; }
  [[nodiscard]] std::string episode_start() const { return "table: new\n"; }
  [[nodiscard]] std::string trajectory_step(const Transition<Observation, Action>& t) const {
    return observation(t.observation) + action(t.action) + reward(t.reward);
  }
  [[nodiscard]] std::string_view stop(QueryKind) const { return "\n"; }
  [[nodiscard]] std::optional<Action> parse_action(std::string_view text) const {
    if (trimmed(text) == "arm: copper") return Action::copper;
    if (trimmed(text) == "arm: silver") return Action::silver;
    return std::nullopt;
  }
  [[nodiscard]] std::optional<double> parse_reward(std::string_view text) const {
    const auto fields = read_fields(trimmed(text), "payout: #");
    return fields ? std::optional((*fields)[0]) : std::nullopt;
  }
  [[nodiscard]] std::optional<bool> parse_termination(std::string_view text) const {
    if (trimmed(text) == "over: yes") return true;
    if (trimmed(text) == "over: no") return false;
    return std::nullopt;
  }
  [[nodiscard]] std::optional<Observation> parse_observation(std::string_view text) const {
    const auto fields = read_fields(trimmed(text), "pulls left: #");
    return fields ? std::optional(Observation{static_cast<int>((*fields)[0])}) : std::nullopt;
  }
  [[nodiscard]] bool accepts_observation(std::string_view text) const { return parse_observation(text).has_value(); }
};

static_assert(Enumerable<TwoArmedBandit> && StateSettable<TwoArmedBandit>);
static_assert(ParsesObservations<TwoArmedBanditFormatter, TwoArmedBandit>);

}  // namespace icpi::untuned

namespace icpi {
template <>
struct DefaultFormatter<untuned::TwoArmedBandit> {
  using type = untuned::TwoArmedBanditFormatter;
};
}  // namespace icpi
