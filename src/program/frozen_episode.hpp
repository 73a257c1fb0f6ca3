// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <utility>

#include "icpi/core/costs.hpp"
#include "icpi/core/random.hpp"
#include "icpi/experiment/episode_record.hpp"
#include "icpi/experiment/vector_runner.hpp"
#include "icpi/policy/decision.hpp"

namespace icpi::program {

/// How returns of episodes are judged, and when they are broken off.
template <class Observation>
struct FrozenRules {
  double discount = 1;                                       ///< of returns
  double return_scale = 1;                                   ///< they are divided by it
  double planning_discount = 1;                              ///< see RunSettings::planning_discount
  std::size_t episode_steps = 0;                             ///< of one episode, at most
  std::function<double(const Observation&)> optimal_return;  ///< from a first observation on; NaN: not known
};

/// Plays episode number `record.episode` of those from which a player learns nothing, and fills the record in. Its seed
/// is that of no episode of the player's run.
template <class Env, class A>
void play_frozen(Player<Env, A>& player, const FrozenRules<typename Env::Observation>& rules, EpisodeRecord& record) {
  double undiscounted = 0, discounted = 0;
  const Costs before = player.agent->costs();
  auto seen = player.env.reset(RandomKey(player.seed).child(2).child(record.episode).seed());
  const double optimum = rules.optimal_return(seen);
  record.optimum_known = !std::isnan(optimum);
  player.agent->begin_episode(seen, EpisodeKind::evaluation);
  double weight = 1 / rules.return_scale;
  double planning_weight = 1;
  while (!record.terminated && !record.truncated) {
    auto step = player.env.step(act_in(player.env, *player.agent, seen));
    ++record.length;
    step.truncated = step.truncated || (record.length == rules.episode_steps && !step.terminated);
    record.terminated = step.terminated;
    record.truncated = step.truncated;
    record.episode_return += weight * step.reward;
    weight *= rules.discount;
    undiscounted += step.reward;
    discounted += planning_weight * step.reward;
    planning_weight *= rules.planning_discount;
    player.agent->observe(step);
    seen = std::move(step.observation);
  }
  record.step = record.length;
  record.undiscounted_return = undiscounted;
  record.discounted_return = discounted;
  if (record.optimum_known) {
    record.optimal_return = optimum / rules.return_scale;
    record.regret = record.optimal_return - record.episode_return;
  }
  const Costs spent = player.agent->costs() - before;
  record.lm_calls = spent.lm_calls;
  record.prompt_tokens = spent.prompt_tokens;
  record.computed_tokens = spent.computed_tokens();
  record.completion_tokens = spent.completion_tokens;
  record.invalid = spent.invalid;
  record.failures = spent.failures;
}

}  // namespace icpi::program
