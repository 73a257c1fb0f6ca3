// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/core/random.hpp"
#include "icpi/domains/domain.hpp"
#include "icpi/domains/domain_facts.hpp"

namespace icpi {

/// What the ship does.
enum class MiniInvadersAction : std::uint8_t { left, shoot, right };

/// Where an alien is.
struct Alien {
  int x = 0;  ///< column
  int y = 0;  ///< height; -1 after it has landed

  friend auto operator<=>(const Alien&, const Alien&) = default;
};

/// The ship, whose height is always 0, and the aliens; nullopt: a dead one.
struct MiniInvadersObservation {
  int ship = 0;                              ///< the ship's column
  std::vector<std::optional<Alien>> aliens;  ///< in a constant order

  friend bool operator==(const MiniInvadersObservation&, const MiniInvadersObservation&) = default;

  /// Any total order, for maps.
  friend bool operator<(const MiniInvadersObservation& left, const MiniInvadersObservation& right) {
    return left.ship != right.ship ? left.ship < right.ship : left.aliens < right.aliens;
  }
};

/// Options of MiniInvaders; the defaults are the paper's.
struct MiniInvadersOptions {
  int aliens = 2;         ///< how many
  int width = 4;          ///< columns 0 .. width - 1; more than there are aliens
  int height = 5;         ///< where the aliens start
  double discount = 0.8;  ///< for planning
};

/// Aliens come down, a ship shoots. `shoot` kills every living alien in the ship's column, reward 1 each; `left` and
/// `right` move the ship by one and stop at the borders. Living aliens then come down by one. The episode ends when an
/// alien that was at height 0 before the step survives it, or when all are dead. Ship and aliens start in distinct
/// columns.
/// Thread-safety: one object by one thread at a time.
class MiniInvaders : public Domain<MiniInvaders, MiniInvadersObservation, MiniInvadersAction> {
 public:
  static constexpr std::string_view name = "mini-invaders";  ///< of facts()
  static constexpr std::array action_set{MiniInvadersAction::left, MiniInvadersAction::shoot,
                                         MiniInvadersAction::right};  ///< in order

  /// Throws InvalidArgument for options that make no game.
  explicit MiniInvaders(const MiniInvadersOptions& options = {}) : options_(options) {
    detail::require(options.aliens >= 1, "{}: aliens {} must be at least 1", name, options.aliens);
    detail::require(options.width > options.aliens, "{}: width {} must be more than the number of aliens, {}", name,
                    options.width, options.aliens);
    detail::require(options.height >= 0, "{}: height {} must be at least 0", name, options.height);
    detail::require_discount(name, options.discount);
  }

  /// The options of this game.
  [[nodiscard]] const MiniInvadersOptions& options() const noexcept { return options_; }
  /// The planning discount.
  [[nodiscard]] double discount() const noexcept { return options_.discount; }
  /// None: the aliens land.
  [[nodiscard]] static constexpr int time_limit() noexcept { return 0; }
  /// Facts for experiments; a success is a return above 1, as in the paper.
  [[nodiscard]] DomainFacts facts() const noexcept {
    return {.name = name,
            .horizon = 175,
            .rollout_limit = std::max(8, options_.height + 1),
            .evaluation_discount = 1,
            .return_scale = static_cast<double>(options_.aliens),
            .success_threshold = 1};
  }

 private:
  friend Domain;

  [[nodiscard]] static constexpr std::size_t noise_values() noexcept { return 1; }

  [[nodiscard]] Observation draw_start(RandomStream& stream) const {
    std::vector<int> columns(static_cast<std::size_t>(options_.width));
    std::iota(columns.begin(), columns.end(), 0);
    stream.shuffle(std::span(columns));
    Observation start{columns[0], {}};
    for (int alien = 1; alien <= options_.aliens; ++alien)
      start.aliens.emplace_back(Alien{columns[static_cast<std::size_t>(alien)], options_.height});
    return start;
  }

  void check(const Observation& observation) const {
    const auto require_in = [](std::string_view what, int value, int first, int last) {
      detail::require(value >= first && value <= last, "{}: {} {} must be in {}..{}", name, what, value, first, last);
    };
    require_in("ship column", observation.ship, 0, options_.width - 1);
    detail::require(observation.aliens.size() == static_cast<std::size_t>(options_.aliens),
                    "{}: an observation has {} aliens but must have {}", name, observation.aliens.size(),
                    options_.aliens);
    for (const auto& alien : observation.aliens) {
      if (!alien) continue;
      require_in("alien column", alien->x, 0, options_.width - 1);
      require_in("alien height", alien->y, -1, options_.height);
    }
  }

  [[nodiscard]] Step<Observation> advance(const Observation& now, MiniInvadersAction action, std::size_t) const {
    Step<Observation> result{now, 0, false, false};
    bool any_alive = false;
    bool any_landed = false;
    for (auto& alien : result.observation.aliens) {
      if (!alien) continue;
      if (action == MiniInvadersAction::shoot && alien->x == now.ship) {
        alien.reset();
        result.reward += 1;
        continue;
      }
      any_alive = true;
      any_landed = any_landed || alien->y <= 0;
      --alien->y;
    }
    const int offset = static_cast<int>(action) - static_cast<int>(MiniInvadersAction::shoot);
    result.observation.ship = std::clamp(now.ship + offset, 0, options_.width - 1);
    result.terminated = any_landed || !any_alive;
    return result;
  }

  MiniInvadersOptions options_;
};

static_assert(StateSettable<MiniInvaders> && Enumerable<MiniInvaders>);

}  // namespace icpi
