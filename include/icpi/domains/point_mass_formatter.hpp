// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/text_scanner.hpp"
#include "icpi/domains/domain_formatter.hpp"
#include "icpi/domains/point_mass.hpp"

namespace icpi {

/// `assert pos == -3.45 and vel == 0.00 and pos < -2 and vel == 0`. Position and velocity are rounded to two decimals
/// (negative zero is written `0.00`); the hint, which begins at the second `pos`, compares the exact ones.
/// Thread-safety: const members may be called concurrently.
class PointMassFormatter : public DomainFormatter<PointMassFormatter, PointMass> {
 public:
  /// In the order of the actions.
  static constexpr std::array<std::string_view, 2> action_texts{"pos, vel = decel(pos, vel)\n",
                                                                "pos, vel = accel(pos, vel)\n"};
  static constexpr std::string_view start_text = "\npos, vel = reset()\n";  ///< of every trajectory

  /// Writes the texts of `env`: its goal distance is part of the hint.
  explicit PointMassFormatter(const PointMass& env = PointMass{}, FormatterOptions options = {})
      : DomainFormatter(env, options), goal_(env.options().goal_distance) {}

  /// What is seen.
  [[nodiscard]] std::string observation(const PointMassObservation& seen) const {
    std::string text = "assert pos == " + two_decimals(seen.position) + " and vel == " + two_decimals(seen.velocity);
    if (hints()) text += " and " + where(seen.position) + (seen.velocity == 0 ? " and vel == 0" : " and vel != 0");
    return text += "\n";
  }

  /// Observation, action and reward; after the last step also what is seen then.
  [[nodiscard]] std::string trajectory_step(const TransitionOf<PointMass>& transition) const {
    std::string text = LineFormatter::trajectory_step(transition);
    if (transition.terminated) text += observation(transition.next_observation);
    return text;
  }

  /// Position and velocity, as rounded; the hint is skipped.
  [[nodiscard]] std::optional<PointMassObservation> parse_observation(std::string_view text) const {
    PointMassObservation seen;
    TextScanner scanner(text);
    scanner.literal("assert pos == ").fixed(seen.position, 2).literal(" and vel == ").fixed(seen.velocity, 2);
    return ends_observation(scanner) ? std::optional(seen) : std::nullopt;
  }

 private:
  static std::string two_decimals(double value) {
    std::string text = fmt::format("{:.2f}", value);
    return text == "-0.00" ? "0.00" : text;
  }

  [[nodiscard]] std::string where(double position) const {
    const NumberText goal(goal_);
    const NumberText minus_goal(-goal_);
    if (position < -goal_) return fmt::format("pos < {}", minus_goal.view());
    if (position > goal_) return fmt::format("{} < pos", goal.view());
    return fmt::format("{} <= pos <= {}", minus_goal.view(), goal.view());
  }

  double goal_;
};

/// The formatter of point-mass.
template <>
struct DefaultFormatter<PointMass> {
  using type = PointMassFormatter;  ///< the formatter
};

static_assert(ParsesObservations<PointMassFormatter, PointMass>);

}  // namespace icpi
