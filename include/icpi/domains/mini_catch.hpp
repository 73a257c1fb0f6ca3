// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "icpi/concepts/environment.hpp"
#include "icpi/core/random.hpp"
#include "icpi/domains/domain.hpp"
#include "icpi/domains/domain_facts.hpp"

namespace icpi {

/// What the paddle does.
enum class MiniCatchAction : std::uint8_t { left, stay, right };

/// Where paddle and ball are; the paddle's height is always 0.
struct MiniCatchObservation {
  int paddle = 0;  ///< the paddle's column
  int ball_x = 0;  ///< the ball's column
  int ball_y = 0;  ///< the ball's height

  friend auto operator<=>(const MiniCatchObservation&, const MiniCatchObservation&) = default;
};

/// Options of MiniCatch; the defaults are the paper's.
struct MiniCatchOptions {
  int width = 4;         ///< columns 0 .. width - 1
  int height = 4;        ///< where the ball starts; an episode has height + 1 steps
  int paddle_start = 2;  ///< the paddle's first column
  double discount = 1;   ///< for planning
};

/// A ball falls, a paddle moves below it. On the step taken when the ball is at height 0 nothing moves, the episode
/// ends, and the reward is 1 if the paddle is in the ball's column. The ball's column is drawn at the start.
/// Thread-safety: one object by one thread at a time.
class MiniCatch : public Domain<MiniCatch, MiniCatchObservation, MiniCatchAction> {
 public:
  static constexpr std::string_view name = "mini-catch";  ///< of facts()
  static constexpr std::array action_set{MiniCatchAction::left, MiniCatchAction::stay,
                                         MiniCatchAction::right};  ///< in order

  /// Throws InvalidArgument for options that make no game.
  explicit MiniCatch(const MiniCatchOptions& options = {}) : options_(options) {
    detail::require(options.width >= 1, "{}: width {} must be at least 1", name, options.width);
    detail::require(options.height >= 0, "{}: height {} must be at least 0", name, options.height);
    detail::require(options.paddle_start >= 0 && options.paddle_start < options.width,
                    "{}: paddle start {} must be in 0..{}", name, options.paddle_start, options.width - 1);
    detail::require_discount(name, options.discount);
  }

  /// The options of this game.
  [[nodiscard]] const MiniCatchOptions& options() const noexcept { return options_; }
  /// The planning discount.
  [[nodiscard]] double discount() const noexcept { return options_.discount; }
  /// None: the ball arrives.
  [[nodiscard]] static constexpr int time_limit() noexcept { return 0; }
  /// Facts for experiments.
  [[nodiscard]] DomainFacts facts() const noexcept {
    return {.name = name, .horizon = 280, .rollout_limit = options_.height + 1, .evaluation_discount = 1};
  }

 private:
  friend Domain;

  [[nodiscard]] static constexpr std::size_t noise_values() noexcept { return 1; }

  [[nodiscard]] Observation draw_start(RandomStream& stream) const noexcept {
    const auto column = static_cast<int>(stream.index(static_cast<std::size_t>(options_.width)));
    return {options_.paddle_start, column, options_.height};
  }

  void check(const Observation& observation) const {
    const auto require_in = [](std::string_view what, int value, int last) {
      detail::require(value >= 0 && value <= last, "{}: {} {} must be in 0..{}", name, what, value, last);
    };
    require_in("paddle column", observation.paddle, options_.width - 1);
    require_in("ball column", observation.ball_x, options_.width - 1);
    require_in("ball height", observation.ball_y, options_.height);
  }

  [[nodiscard]] Step<Observation> advance(const Observation& now, MiniCatchAction action, std::size_t) const noexcept {
    if (now.ball_y == 0) return {now, now.paddle == now.ball_x ? 1.0 : 0.0, true, false};
    const int offset = static_cast<int>(action) - static_cast<int>(MiniCatchAction::stay);
    return {{std::clamp(now.paddle + offset, 0, options_.width - 1), now.ball_x, now.ball_y - 1}, 0, false, false};
  }

  MiniCatchOptions options_;
};

static_assert(StateSettable<MiniCatch> && Enumerable<MiniCatch>);

}  // namespace icpi
