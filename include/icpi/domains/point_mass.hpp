// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cmath>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "icpi/concepts/environment.hpp"
#include "icpi/core/random.hpp"
#include "icpi/domains/domain.hpp"
#include "icpi/domains/domain_facts.hpp"

namespace icpi {

/// Push the mass one way or the other.
enum class PointMassAction : std::uint8_t { decel, accel };

/// A mass on a line.
struct PointMassObservation {
  double position = 0;  ///< any finite number
  double velocity = 0;  ///< position units per step

  friend bool operator==(const PointMassObservation&, const PointMassObservation&) = default;
  /// Ordered by position, then velocity.
  friend auto operator<=>(const PointMassObservation&, const PointMassObservation&) = default;
};

/// Options of PointMass; the defaults are the paper's.
struct PointMassOptions {
  double goal_distance = 2;   ///< positions this close to 0 are the goal
  double start_distance = 2;  ///< starts lie farther from 0 than this ...
  double start_limit = 6;     ///< ... and nearer than this
  int time_limit = 8;         ///< steps of an episode; 0: none
  double discount = 0.8;      ///< for planning
};

/// A mass that moves by its velocity, which the action then changes by one. The step taken at rest within the goal
/// distance brings reward 1 and ends the episode. Starts at rest, on either side.
/// Thread-safety: one object by one thread at a time.
class PointMass : public Domain<PointMass, PointMassObservation, PointMassAction> {
 public:
  static constexpr std::string_view name = "point-mass";                                   ///< of facts()
  static constexpr std::array action_set{PointMassAction::decel, PointMassAction::accel};  ///< in order

  /// Throws InvalidArgument for options that make no game.
  explicit PointMass(const PointMassOptions& options = {}) : options_(options) {
    detail::require(std::isfinite(options.goal_distance) && options.goal_distance >= 0,
                    "{}: goal distance {} must be finite and at least 0", name, options.goal_distance);
    detail::require(std::isfinite(options.start_distance) && options.start_distance >= 0,
                    "{}: start distance {} must be finite and at least 0", name, options.start_distance);
    detail::require(std::isfinite(options.start_limit) && options.start_limit - options.start_distance >= 1e-6,
                    "{}: start limit {} must be finite and more than the start distance {} (by at least 1e-6)", name,
                    options.start_limit, options.start_distance);
    detail::require_time_limit(name, options.time_limit);
    detail::require_discount(name, options.discount);
  }

  /// The options of this game.
  [[nodiscard]] const PointMassOptions& options() const noexcept { return options_; }
  /// The planning discount.
  [[nodiscard]] double discount() const noexcept { return options_.discount; }
  /// Steps until truncation; 0: none.
  [[nodiscard]] int time_limit() const noexcept { return options_.time_limit; }
  /// Facts for experiments.
  [[nodiscard]] DomainFacts facts() const noexcept {
    return {.name = name, .horizon = 240, .rollout_limit = 8, .evaluation_discount = options_.discount};
  }

 private:
  friend Domain;

  [[nodiscard]] static constexpr std::size_t noise_values() noexcept { return 1; }

  [[nodiscard]] Observation draw_start(RandomStream& stream) const noexcept {
    const double sign = stream.index(2) == 0 ? -1 : 1;
    const double range = options_.start_limit - options_.start_distance;
    double distance = 0;
    do distance = options_.start_distance + range * stream.uniform();
    while (distance <= options_.start_distance || distance >= options_.start_limit);
    return {sign * distance, 0};
  }

  static void check(const Observation& observation) {
    detail::require(std::isfinite(observation.position) && std::isfinite(observation.velocity),
                    "{}: position {} and velocity {} must be finite", name, observation.position, observation.velocity);
  }

  [[nodiscard]] Step<Observation> advance(const Observation& now, PointMassAction action, std::size_t) const noexcept {
    const bool arrived = std::abs(now.position) <= options_.goal_distance && now.velocity == 0;
    const double push = action == PointMassAction::accel ? 1 : -1;
    return {{now.position + now.velocity, now.velocity + push}, arrived ? 1.0 : 0.0, arrived, false};
  }

  PointMassOptions options_;
};

static_assert(StateSettable<PointMass> && Enumerable<PointMass>);

}  // namespace icpi
