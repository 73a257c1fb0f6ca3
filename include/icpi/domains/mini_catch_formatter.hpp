// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/query_kind.hpp"
#include "icpi/concepts/text_scanner.hpp"
#include "icpi/core/fill_text.hpp"
#include "icpi/domains/domain_formatter.hpp"
#include "icpi/domains/mini_catch.hpp"

namespace icpi {

/// `assert paddle == C(2, 0) and ball == C(0, 4) and paddle.x == 2 and ball.x == 0 and paddle.x > ball.x and
/// ball.y == 4` on one line; the hint begins at `paddle.x`. Actions take two lines.
/// Thread-safety: const members may be called concurrently.
class MiniCatchFormatter : public DomainFormatter<MiniCatchFormatter, MiniCatch> {
 public:
  /// In the order of the actions.
  static constexpr std::array<std::string_view, 3> action_texts{"reward = paddle.left()\nball.descend()\n",
                                                                "reward = paddle.stay()\nball.descend()\n",
                                                                "reward = paddle.right()\nball.descend()\n"};
  static constexpr std::string_view start_text = "\npaddle, ball = reset()\n";  ///< of every trajectory

  /// Writes the texts of `env`.
  explicit MiniCatchFormatter(const MiniCatch& env = MiniCatch{}, FormatterOptions options = {})
      : DomainFormatter(env, options) {}

  /// What is seen.
  [[nodiscard]] std::string observation(const MiniCatchObservation& seen) const {
    const auto [paddle, x, y] = seen;
    std::string text = detail::fill_text("assert paddle == C({}, 0) and ball == C({}, {})", {paddle, x, y});
    if (hints())
      text += detail::fill_text(" and paddle.x == {} and ball.x == {} and paddle.x {} ball.x and ball.y == {}",
                                {paddle, x, detail::comparison(paddle, x), y});
    return text += "\n";
  }

  /// Observation, action, reward and termination; after the last step also what is seen then.
  [[nodiscard]] std::string trajectory_step(const TransitionOf<MiniCatch>& transition) const {
    std::string text = LineFormatter::trajectory_step(transition) + termination(transition.terminated);
    if (transition.terminated) text += observation(transition.next_observation);
    return text;
  }

  /// An action ends with its second line, which is the same for all.
  [[nodiscard]] std::string_view stop(QueryKind kind) const {
    return kind == QueryKind::action ? "\nball.descend()\n" : "\n";
  }

  /// Paddle and ball; the hint is skipped.
  [[nodiscard]] std::optional<MiniCatchObservation> parse_observation(std::string_view text) const {
    MiniCatchObservation seen;
    TextScanner scanner(text);
    scanner.literal("assert paddle == C(").integer(seen.paddle).literal(", 0) and ball == C(");
    scanner.integer(seen.ball_x).literal(", ").integer(seen.ball_y).literal(")");
    return ends_observation(scanner) ? std::optional(seen) : std::nullopt;
  }
};

/// The formatter of mini-catch.
template <>
struct DefaultFormatter<MiniCatch> {
  using type = MiniCatchFormatter;  ///< the formatter
};

static_assert(ParsesObservations<MiniCatchFormatter, MiniCatch>);

}  // namespace icpi
