// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/core/random.hpp"

namespace icpi::testing {

/// One episode of `env` with actions drawn uniformly from the stream of `key`, or its first `max_steps` steps.
/// The environment is reset with `seed`.
template <Environment Env>
TrajectoryOf<Env> random_episode(Env& env, std::uint64_t seed, RandomKey key, int max_steps) {
  std::vector<typename Env::Action> actions;
  for (const auto& action : env.actions()) actions.push_back(action);
  TrajectoryOf<Env> episode;
  RandomStream stream(key);
  typename Env::Observation seen = env.reset(seed);
  for (int i = 0; i < max_steps && !actions.empty(); ++i) {
    const auto& action = actions[stream.index(actions.size())];
    auto step = env.step(action);
    episode.push_back({seen, action, step.reward, step.terminated, step.truncated, step.observation});
    if (step.terminated || step.truncated) break;
    seen = step.observation;
  }
  return episode;
}

}  // namespace icpi::testing
