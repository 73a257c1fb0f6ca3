// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/legal_actions.hpp"
#include "icpi/core/random.hpp"

namespace icpi::testing {

namespace detail {

/// One of `actions`, or of those that are legal, if any are.
template <Environment Env>
typename Env::Action draw_action([[maybe_unused]] const Env& env,
                                 [[maybe_unused]] const typename Env::Observation& seen,
                                 const std::vector<typename Env::Action>& actions, RandomStream& stream) {
  if constexpr (HasLegalActions<Env>) {
    if (limits_actions(env)) {
      const auto& legal = env.legal_actions(seen);
      const auto count = static_cast<std::size_t>(std::end(legal) - std::begin(legal));
      if (count > 0) return *(std::begin(legal) + static_cast<std::ptrdiff_t>(stream.index(count)));
    }
  }
  return actions[stream.index(actions.size())];
}

}  // namespace detail

/// One episode of `env` with actions drawn uniformly from the stream of `key`, among legal ones where it says which those
/// are, or its first `max_steps` steps. The environment is reset with `seed`.
template <Environment Env>
TrajectoryOf<Env> random_episode(Env& env, std::uint64_t seed, RandomKey key, int max_steps) {
  const auto actions = actions_of(env);
  TrajectoryOf<Env> episode;
  RandomStream stream(key);
  typename Env::Observation seen = env.reset(seed);
  for (int i = 0; i < max_steps && !actions.empty(); ++i) {
    const auto action = detail::draw_action(env, seen, actions, stream);
    auto step = env.step(action);
    episode.push_back({seen, action, step.reward, step.terminated, step.truncated, step.observation});
    if (step.terminated || step.truncated) break;
    seen = step.observation;
  }
  return episode;
}

}  // namespace icpi::testing
