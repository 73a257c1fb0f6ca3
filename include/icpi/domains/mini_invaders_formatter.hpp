// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/query_kind.hpp"
#include "icpi/concepts/text_scanner.hpp"
#include "icpi/core/fill_text.hpp"
#include "icpi/domains/domain_formatter.hpp"
#include "icpi/domains/mini_invaders.hpp"

namespace icpi {

/// `assert ship == C(2, 0) and aliens == [C(3, 5), None] and (ship.x, aliens[0].x) == (2, 3) and ship.x < aliens[0].x`;
/// the hint begins at the second parenthesis and leaves dead aliens out. Rewards take three lines.
/// Thread-safety: const members may be called concurrently.
class MiniInvadersFormatter : public DomainFormatter<MiniInvadersFormatter, MiniInvaders> {
 public:
  /// In the order of the actions.
  static constexpr std::array<std::string_view, 3> action_texts{"ship.left()\n", "reward = ship.shoot(aliens)\n",
                                                                "ship.right()\n"};
  static constexpr std::string_view start_text = "\nship, aliens = reset()\n";  ///< of every trajectory

  /// Writes the texts of `env`: observations list its number of aliens.
  explicit MiniInvadersFormatter(const MiniInvaders& env = MiniInvaders{}, FormatterOptions options = {})
      : DomainFormatter(env, options), aliens_(static_cast<std::size_t>(env.options().aliens)) {}

  /// What is seen.
  [[nodiscard]] std::string observation(const MiniInvadersObservation& seen) const {
    std::string text = detail::fill_text("assert ship == C({}, 0) and aliens == [", {seen.ship});
    for (std::size_t i = 0; i < seen.aliens.size(); ++i) {
      if (i > 0) text += ", ";
      text += seen.aliens[i] ? detail::fill_text("C({}, {})", {seen.aliens[i]->x, seen.aliens[i]->y}) : "None";
    }
    text += "]";
    if (hints()) text += hint(seen);
    return text += "\n";
  }

  /// `assert reward == 1`, then the aliens come down.
  [[nodiscard]] std::string reward(double value) const {
    return LineFormatter::reward(value).append(reward_end).append("()\n");
  }

  /// Observation, action, reward and termination; after the last step also what is seen then.
  [[nodiscard]] std::string trajectory_step(const TransitionOf<MiniInvaders>& transition) const {
    std::string text = LineFormatter::trajectory_step(transition) + termination(transition.terminated);
    if (transition.terminated) text += observation(transition.next_observation);
    return text;
  }

  /// A reward ends with its third line.
  [[nodiscard]] std::string_view stop(QueryKind kind) const { return kind == QueryKind::reward ? "()\n" : "\n"; }

  /// Exactly what reward() writes for some finite value.
  [[nodiscard]] std::optional<double> parse_reward(std::string_view text) const {
    double value = 0;
    TextScanner scanner(text);
    scanner.literal(reward_begin).number(value).literal("\n").literal(reward_end);
    return scanner.at_end() ? std::optional(value) : std::nullopt;
  }

  /// Ship and aliens, as many as the environment has; the hint is skipped.
  [[nodiscard]] std::optional<MiniInvadersObservation> parse_observation(std::string_view text) const {
    MiniInvadersObservation seen;
    seen.aliens.reserve(aliens_);
    if (!read_observation(text, seen.ship, [&](const auto& alien) { seen.aliens.push_back(alien); }))
      return std::nullopt;
    return seen;
  }

  /// Whether parse_observation reads it; allocates nothing.
  [[nodiscard]] bool accepts_observation(std::string_view text) const {
    int ship = 0;
    return read_observation(text, ship, [](const auto&) {});
  }

 private:
  static constexpr std::string_view reward_end = "for a in aliens:\n    a.descend";
  using Alien = decltype(MiniInvadersObservation::aliens)::value_type;

  /// Calls take(alien) for every alien, dead ones included, in their order. Whether the text is an observation.
  template <class Take>
  [[nodiscard]] bool read_observation(std::string_view text, int& ship, Take&& take) const {
    TextScanner scanner(text);
    scanner.literal("assert ship == C(").integer(ship).literal(", 0) and aliens == [");
    for (std::size_t i = 0; i < aliens_; ++i) {
      if (i > 0) scanner.literal(", ");
      Alien alien;
      if (scanner.starts_with("None")) {
        scanner.literal("None");
      } else {
        alien.emplace();
        scanner.literal("C(").integer(alien->x).literal(", ").integer(alien->y).literal(")");
      }
      take(alien);
    }
    scanner.literal("]");
    return ends_observation(scanner);
  }

  static std::string hint(const MiniInvadersObservation& seen) {
    std::string names = "ship.x";
    std::string values = detail::fill_text("{}", {seen.ship});
    std::string comparisons;
    for (std::size_t i = 0; i < seen.aliens.size(); ++i) {
      if (!seen.aliens[i]) continue;
      const int x = seen.aliens[i]->x;
      names += detail::fill_text(", aliens[{}].x", {i});
      values += detail::fill_text(", {}", {x});
      comparisons += detail::fill_text(" and ship.x {} aliens[{}].x", {detail::comparison(seen.ship, x), i});
    }
    return detail::fill_text(" and ({}) == ({}){}", {names, values, comparisons});
  }

  std::size_t aliens_;
};

/// The formatter of mini-invaders.
template <>
struct DefaultFormatter<MiniInvaders> {
  using type = MiniInvadersFormatter;  ///< the formatter
};

static_assert(ParsesObservations<MiniInvadersFormatter, MiniInvaders>);

}  // namespace icpi
