// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/random.hpp"

namespace icpi::untuned {

/// An environment from a table of its dynamics: `Rules` lists starts, actions and outcomes, this class draws from them.
/// Rules must give: Observation, Action, actions(), starts(), outcomes(o, a), discount(), time_limit().
template <class Rules>
class ListedEnvironment {
 public:
  using Observation = typename Rules::Observation;
  using Action = typename Rules::Action;

  [[nodiscard]] const std::vector<Action>& actions() const { return Rules::actions(); }
  [[nodiscard]] double discount() const { return Rules::discount(); }
  [[nodiscard]] int time_limit() const { return Rules::time_limit(); }

  Observation reset(std::uint64_t seed) {
    random_ = RandomStream(RandomKey(seed));
    const std::vector<Observation> starts = Rules::starts();
    set(starts[random_.index(starts.size())]);
    return state_;
  }

  void set_state(const Observation& observation, std::uint64_t seed) {
    random_ = RandomStream(RandomKey(seed));
    set(observation);
  }

  Step<Observation> step(const Action& action) {
    const std::vector<Outcome<Observation>> possible = Rules::outcomes(state_, action);
    if (possible.empty()) throw InvalidArgument("untuned environment: no outcome is listed for this step");
    double left = random_.uniform();
    std::size_t chosen = 0;
    while (chosen + 1 < possible.size() && left >= possible[chosen].probability) left -= possible[chosen++].probability;
    Step<Observation> result = possible[chosen].step;
    ++steps_;
    result.truncated = !result.terminated && time_limit() > 0 && steps_ >= time_limit();
    state_ = result.observation;
    return result;
  }

  [[nodiscard]] std::vector<Outcome<Observation>> outcomes(const Observation& o, const Action& a) const {
    return Rules::outcomes(o, a);
  }

 private:
  void set(const Observation& observation) {
    state_ = observation;
    steps_ = 0;
  }

  RandomStream random_{RandomKey(0)};
  Observation state_{};
  int steps_ = 0;
};

}  // namespace icpi::untuned
