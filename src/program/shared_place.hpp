// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "icpi/concepts/environment.hpp"
#include "icpi/core/costs.hpp"

namespace icpi::program {

/// The place in one of its environments of an agent that is in several, as an agent of its own for a VectorRunner.
template <class Shared>
class SharedPlace {
 public:
  using Place = typename Shared::Place;              ///< what acts
  using Observation = typename Shared::Observation;  ///< of the environments
  using Action = typename Shared::Action;            ///< of the environments

  /// In environment number `environment`; the agent is there as long as one of its places.
  SharedPlace(std::shared_ptr<Shared> agent, std::size_t environment)
      : agent_(std::move(agent)), place_(&agent_->environment(environment)) {}

  /// What acts together with others.
  [[nodiscard]] Place& place() noexcept { return *place_; }

  // See RolloutAgent.
  void begin_episode(const Observation& first) { place_->begin_episode(first); }
  [[nodiscard]] Action act(const Observation& seen) { return place_->act(seen); }
  void observe(const Step<Observation>& step) { place_->observe(step); }
  template <class Env>
  void grow(const Env& env) {
    place_->grow(env);
  }
  template <class Env>
  void consult(const Env& env) {
    place_->consult(env);
  }
  [[nodiscard]] const Costs& costs() const noexcept { return place_->costs(); }

 private:
  std::shared_ptr<Shared> agent_;
  Place* place_;
};

/// Calls with seed 0, 0, ..., 1, 1, ...: the places of one agent of each seed, which make(seed) makes, in their order.
template <class Shared, class Make>
auto places_of(Make& make) {
  return [&make, agent = std::shared_ptr<Shared>(), now = std::uint64_t{0},
          next = std::size_t{0}](std::uint64_t seed) mutable {
    if (agent == nullptr || seed != now) {
      agent = make(seed);
      now = seed;
      next = 0;
    }
    return std::make_unique<SharedPlace<Shared>>(agent, next++);
  };
}

}  // namespace icpi::program
