// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/core/fill_text.hpp"
#include "icpi/core/random.hpp"

namespace icpi {

namespace detail {

/// What the discount of every domain must satisfy.
inline void require_discount(std::string_view domain, double discount) {
  require(discount > 0 && discount <= 1, "{}: discount {} must be in (0, 1]", domain, discount);
}

/// What the time limit of every domain must satisfy.
inline void require_time_limit(std::string_view domain, int limit) {
  require(limit >= 0, "{}: time limit {} must be 0 (none) or a positive number of steps", domain, limit);
}

}  // namespace detail

/// Turns a pure description of dynamics into an environment: StateSettable and Enumerable follow from it.
///
/// `Derived` gives, to this class alone, `advance(state, action, noise)`, the step that follows when the dice show
/// `noise`; `noise_values()`, how many equally likely values the dice have; `draw_start(stream)`; and
/// `check(observation)`, which throws InvalidArgument for a state that does not exist. Publicly it gives `name`,
/// `action_set` and `time_limit()`.
///
/// The seed of reset() and set_state() drives everything random until the next one. step() throws InvalidArgument
/// unless an episode is running.
/// Thread-safety: one object by one thread at a time.
template <class Derived, class State, class ActionType>
class Domain {
 public:
  using Observation = State;  ///< the whole state is seen
  using Action = ActionType;  ///< an enumeration that counts from 0 in the order of actions()

  /// Every action, in the order of the enumeration.
  [[nodiscard]] static constexpr const auto& actions() noexcept { return Derived::action_set; }

  /// Starts an episode and returns its first observation.
  Observation reset(std::uint64_t seed) {
    const RandomKey key(seed);
    RandomStream start(key.child(0));
    begin(derived().draw_start(start), key);
    return state_;
  }

  /// Continues from `observation` as if an episode had just started there.
  void set_state(const Observation& observation, std::uint64_t seed) {
    derived().check(observation);
    begin(observation, RandomKey(seed));
  }

  /// Carries out `action`; the episode ends with a step that is terminated or truncated.
  Step<Observation> step(const Action& action) {
    detail::require(running_, "{}: step() without a running episode; call reset(seed) first", Derived::name);
    check_action(action);
    const std::size_t values = derived().noise_values();
    Step<Observation> result = derived().advance(state_, action, values > 1 ? noise_.index(values) : 0);
    ++steps_;
    result.truncated = !result.terminated && steps_ == derived().time_limit();
    running_ = !result.terminated && !result.truncated;
    state_ = result.observation;
    return result;
  }

  /// Every step that can follow, time limits left aside.
  [[nodiscard]] std::vector<Outcome<Observation>> outcomes(const Observation& observation, const Action& action) const {
    derived().check(observation);
    check_action(action);
    const std::size_t values = derived().noise_values();
    std::vector<Outcome<Observation>> result;
    result.reserve(values);
    for (std::size_t noise = 0; noise < values; ++noise)
      result.push_back({1.0 / static_cast<double>(values), derived().advance(observation, action, noise)});
    return result;
  }

 private:
  friend Derived;
  Domain() = default;

  static void check_action(const Action& action) {
    detail::require(static_cast<std::size_t>(action) < Derived::action_set.size(), "{}: action {} must be in 0..{}",
                    Derived::name, static_cast<int>(action), Derived::action_set.size() - 1);
  }

  [[nodiscard]] const Derived& derived() const noexcept { return static_cast<const Derived&>(*this); }

  void begin(Observation state, RandomKey key) {
    state_ = std::move(state);
    noise_ = RandomStream(key.child(1));
    steps_ = 0;
    running_ = true;
  }

  Observation state_{};
  RandomStream noise_{RandomKey{}};
  int steps_ = 0;
  bool running_ = false;
};

}  // namespace icpi
