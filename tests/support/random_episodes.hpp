// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "icpi/concepts/environment.hpp"
#include "icpi/core/random.hpp"

namespace icpi::testing {

/// An episode with uniformly random actions.
template <Environment Env>
TrajectoryOf<Env> random_episode(Env& env, std::uint64_t seed) {
  TrajectoryOf<Env> trajectory;
  RandomStream random(RandomKey(seed).child(1));
  auto observation = env.reset(RandomKey(seed).child(0).seed());
  for (bool running = true; running;) {
    const auto action = env.actions()[random.index(env.actions().size())];
    const auto step = env.step(action);
    trajectory.push_back({observation, action, step.reward, step.terminated, step.truncated, step.observation});
    running = !step.terminated && !step.truncated;
    observation = step.observation;
  }
  return trajectory;
}

}  // namespace icpi::testing
