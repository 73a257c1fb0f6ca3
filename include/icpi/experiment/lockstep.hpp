// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/core/costs.hpp"
#include "icpi/core/random.hpp"
#include "icpi/experiment/episode_record.hpp"
#include "icpi/policy/agent.hpp"
#include "icpi/policy/rollout_agent.hpp"

namespace icpi {

/// One run: an agent in its own environment.
template <Environment Env, Agent<Env> A>
struct Player {
  Env env;                   ///< stepped by the run
  std::unique_ptr<A> agent;  ///< asked by the run
  std::uint64_t seed = 0;    ///< episode n starts with reset(RandomKey(seed).child(0).child(n).seed())
};

/// What is written into the records of runs, and how returns are judged.
struct RunSettings {
  std::string domain;       ///< see EpisodeRecord
  std::string agent;        ///< see EpisodeRecord
  std::string model;        ///< see EpisodeRecord
  std::size_t steps = 0;    ///< of every run; an episode that crosses this is completed
  double discount = 1;      ///< evaluation discount
  double return_scale = 1;  ///< returns are divided by this
};

/// Plays the runs of several seeds side by side: in every round each of them takes one step, and agents that can
/// (RolloutAgent::act_together) decide in common batches. Every run is as if it were played alone.
/// Thread-safety: one object by one thread at a time.
template <Environment Env, Agent<Env> A>
class Lockstep {
 public:
  /// `players` must outlive this object.
  Lockstep(std::span<Player<Env, A>> players, RunSettings settings)
      : settings_(std::move(settings)), runs_(players.size()) {
    for (std::size_t i = 0; i < players.size(); ++i) runs_[i].player = &players[i];
  }

  /// Plays to the end. `optimal_return(observation)`: best expected return from a first observation on, discounted but
  /// not scaled. `on_episode(record)` is called for every finished episode; false: stop after this round. Returns
  /// whether it played to the end.
  template <class OptimalReturn, std::predicate<const EpisodeRecord&> Sink>
  bool play(OptimalReturn&& optimal_return, Sink&& on_episode) {
    std::vector<Run*> live;
    for (Run& run : runs_) {
      if (settings_.steps == 0) continue;
      begin_episode(run, optimal_return);
      live.push_back(&run);
    }
    for (bool wanted = true; wanted && !live.empty();) {
      act(live);
      for (Run* run : live) {
        if (!take_step(*run)) continue;
        wanted = on_episode(std::as_const(run->record)) && wanted;
        run->finished = run->record.step >= settings_.steps;
        ++run->record.episode;
        if (!run->finished) begin_episode(*run, optimal_return);
      }
      std::erase_if(live, [](const Run* run) { return run->finished; });
    }
    return live.empty();
  }

 private:
  using Observation = typename Env::Observation;
  using Action = typename Env::Action;

  struct Run {
    Player<Env, A>* player = nullptr;
    std::optional<Observation> observation;
    std::optional<Action> action;
    EpisodeRecord record;
    Costs costs_before;
    double weight = 1;
    bool finished = false;
  };

  template <class OptimalReturn>
  void begin_episode(Run& run, OptimalReturn& optimal_return) {
    Player<Env, A>& player = *run.player;
    const RandomKey key = RandomKey(player.seed).child(0).child(run.record.episode);
    run.observation = player.env.reset(key.seed());
    run.record.domain = settings_.domain;
    run.record.agent = settings_.agent;
    run.record.model = settings_.model;
    run.record.seed = player.seed;
    run.record.length = 0;
    run.record.episode_return = 0;
    run.record.optimal_return = optimal_return(std::as_const(*run.observation)) / settings_.return_scale;
    run.costs_before = player.agent->costs();
    run.weight = 1;
    player.agent->begin_episode(*run.observation);
  }

  /// Lets every live run choose its action.
  void act(std::span<Run* const> live) {
    if constexpr (requires { together(static_cast<A*>(nullptr)); }) {
      using Base = std::remove_pointer_t<decltype(together(static_cast<A*>(nullptr)))>;
      std::vector<Base*> agents;
      std::vector<const Observation*> observations;
      for (Run* run : live) {
        agents.push_back(run->player->agent.get());
        observations.push_back(&*run->observation);
      }
      std::vector<Action> actions(live.size(), *std::ranges::begin(live[0]->player->env.actions()));
      Base::act_together(agents, observations, actions);
      for (std::size_t i = 0; i < live.size(); ++i) live[i]->action = actions[i];
    } else {
      for (Run* run : live) run->action = run->player->agent->act(*run->observation);
    }
  }

  template <class E, class Lane, class Model>
  static RolloutAgent<E, Lane, Model>* together(RolloutAgent<E, Lane, Model>* agent) {
    return agent;
  }

  /// Whether the episode ended; then the record is complete.
  bool take_step(Run& run) {
    auto step = run.player->env.step(*run.action);
    run.player->agent->observe(step);
    EpisodeRecord& record = run.record;
    ++record.step;
    ++record.length;
    record.episode_return += run.weight * step.reward / settings_.return_scale;
    run.weight *= settings_.discount;
    run.observation = std::move(step.observation);
    if (!step.terminated && !step.truncated) return false;
    record.terminated = step.terminated;
    record.truncated = step.truncated;
    record.regret = record.optimal_return - record.episode_return;
    const Costs spent = run.player->agent->costs() - run.costs_before;
    record.lm_calls = spent.lm_calls;
    record.prompt_tokens = spent.prompt_tokens;
    record.computed_tokens = spent.computed_tokens();
    record.completion_tokens = spent.completion_tokens;
    return true;
  }

  RunSettings settings_;
  std::vector<Run> runs_;
};

}  // namespace icpi
