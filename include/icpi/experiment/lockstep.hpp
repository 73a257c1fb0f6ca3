// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/core/costs.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/random.hpp"
#include "icpi/experiment/episode_record.hpp"
#include "icpi/experiment/run_part.hpp"
#include "icpi/experiment/run_settings.hpp"
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

/// Where everything that happens is recorded before the next thing happens.
template <Environment Env>
struct RunRecorder {
  RunPart* part = nullptr;                                              ///< null: nowhere
  std::function<std::string(const typename Env::Observation&)> text{};  ///< different for different observations
};

/// Plays the runs of several seeds side by side: in every round each of them takes one step, and agents that can
/// (RolloutAgent::act_together) decide in common batches. Every run is as if it were played alone.
///
/// With a recorder the run can be continued: play again with equal players on the log that was left, and with models
/// that are LoggedModels on it.
/// Thread-safety: one object by one thread at a time.
template <Environment Env, Agent<Env> A>
class Lockstep {
 public:
  /// `players`, and the recorder's part, must outlive this object.
  Lockstep(std::span<Player<Env, A>> players, RunSettings settings, RunRecorder<Env> recorder = {})
      : settings_(std::move(settings)), recorder_(std::move(recorder)), runs_(players.size()) {
    for (std::size_t i = 0; i < players.size(); ++i) runs_[i].player = &players[i];
  }

  /// Plays to the end. `optimal_return(observation)`: best expected return from a first observation on, discounted but
  /// not scaled. `on_episode(record)` is called for every finished episode; false: stop after this round. Returns
  /// whether it played to the end. Throws EnvironmentError as the settings say, and what agents and recorder throw.
  template <class OptimalReturn, std::predicate<const EpisodeRecord&> Sink>
  bool play(OptimalReturn&& optimal_return, Sink&& on_episode) {
    std::vector<Run*> live;
    for (Run& run : runs_) {
      if (settings_.steps > 0) live.push_back(&run);
    }
    const auto is_finished = [](const Run* run) { return run->finished; };
    bool wanted = true;
    const auto finish = [&](Run& run) { wanted = on_episode(end_episode(run)) && wanted; };
    begin_episodes(live, optimal_return, finish);
    std::erase_if(live, is_finished);
    while (wanted && !live.empty() && !(settings_.interrupted && settings_.interrupted())) {
      act(live);
      take_steps(live);
      std::vector<Run*> ended;
      for (Run* run : live) {
        if (!run->ended) continue;
        finish(*run);
        if (!run->finished) ended.push_back(run);
      }
      stop_on_failure();
      begin_episodes(ended, optimal_return, finish);
      std::erase_if(live, is_finished);
    }
    return live.empty();
  }

 private:
  using Observation = typename Env::Observation;
  using Action = typename Env::Action;
  using Errors = std::map<std::uint64_t, std::string>;

  struct Run {
    Player<Env, A>* player = nullptr;
    std::optional<Observation> observation;
    std::optional<Action> action;
    EpisodeRecord record;
    Costs costs_before;
    double weight = 1;
    bool ended = false;  ///< the episode
    bool finished = false;
  };

  /// Begins episodes until each of these runs is in one, or has used up its steps in episodes that did not begin.
  template <class OptimalReturn, class Finish>
  void begin_episodes(std::vector<Run*> starting, OptimalReturn& optimal_return, Finish& finish) {
    while (!starting.empty()) {
      const Errors known = recorded_errors("starts");
      for (Run* run : starting) begin_episode(*run, known, optimal_return);
      if (recorder_.part != nullptr) {
        std::vector<RecordedStart> starts;
        for (const Run* run : starting) {
          const EpisodeRecord& record = run->record;
          starts.push_back({record.seed, record.episode, text_of(*run), record.environment_error});
        }
        recorder_.part->started(starts);
      }
      std::erase_if(starting, [](const Run* run) { return !run->ended; });
      for (Run* run : starting) finish(*run);
      stop_on_failure();
      std::erase_if(starting, [](const Run* run) { return run->finished; });
    }
  }

  template <class OptimalReturn>
  void begin_episode(Run& run, const Errors& known, OptimalReturn& optimal_return) {
    Player<Env, A>& player = *run.player;
    EpisodeRecord& record = run.record;
    record.domain = settings_.domain;
    record.agent = settings_.agent;
    record.model = settings_.model;
    record.seed = player.seed;
    record.length = 0;
    record.episode_return = 0;
    record.optimal_return = 0;
    record.terminated = record.truncated = false;
    record.environment_error.clear();
    run.costs_before = player.agent->costs();
    run.weight = 1;
    run.ended = false;
    run.observation.reset();
    guarded(run, known,
            [&] { run.observation = player.env.reset(RandomKey(player.seed).child(0).child(record.episode).seed()); });
    if (run.ended) return;
    record.optimal_return = optimal_return(std::as_const(*run.observation)) / settings_.return_scale;
    player.agent->begin_episode(*run.observation);
  }

  /// Calls the environment, unless it is known to fail. What it throws ends the episode, and counts as a step, so that
  /// runs end even where nothing works.
  template <class Call>
  void guarded(Run& run, const Errors& known, Call&& call) {
    EpisodeRecord& record = run.record;
    if (const auto found = known.find(record.seed); found != known.end()) {
      record.environment_error = found->second;
    } else {
      try {
        return call();
      } catch (const std::exception& error) {
        record.environment_error = error.what();
      } catch (...) {
        record.environment_error = "an exception that is no std::exception";
      }
      if (record.environment_error.empty()) record.environment_error = "an exception without a message";
      if (failure_.empty())
        failure_ = fmt::format("{}, seed {}, episode {}: the environment failed: {}", record.domain, record.seed,
                               record.episode, record.environment_error);
    }
    ++record.step;
    ++record.length;
    run.ended = true;
  }

  void stop_on_failure() const {
    if (!failure_.empty() && settings_.on_environment_error == OnEnvironmentError::stop)
      throw EnvironmentError(failure_);
  }

  [[nodiscard]] Errors recorded_errors(std::string_view kind) const {
    return recorder_.part == nullptr ? Errors{} : recorder_.part->recorded_errors(kind);
  }

  [[nodiscard]] std::string text_of(const Run& run) const {
    return run.observation ? recorder_.text(*run.observation) : std::string();
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
    if (recorder_.part == nullptr) return;
    std::vector<RecordedDecision> decisions;
    for (const Run* run : live) decisions.push_back({run->record.seed, action_number(*run)});
    recorder_.part->decided(decisions);
  }

  [[nodiscard]] static std::uint64_t action_number(const Run& run) {
    const auto& actions = run.player->env.actions();
    return static_cast<std::uint64_t>(std::find(std::begin(actions), std::end(actions), *run.action) -
                                      std::begin(actions));
  }

  template <class E, class Lane, class Model>
  static RolloutAgent<E, Lane, Model>* together(RolloutAgent<E, Lane, Model>* agent) {
    return agent;
  }

  void take_steps(std::span<Run* const> live) {
    const Errors known = recorded_errors("steps");
    std::vector<RecordedStep> steps;
    for (Run* run : live) {
      const double reward = take_step(*run, known);
      if (recorder_.part == nullptr) continue;
      const EpisodeRecord& record = run->record;
      steps.push_back(
          {record.seed, text_of(*run), reward, record.terminated, record.truncated, record.environment_error});
    }
    if (recorder_.part != nullptr) recorder_.part->stepped(steps);
  }

  /// Returns the reward.
  double take_step(Run& run, const Errors& known) {
    std::optional<Step<Observation>> step;
    guarded(run, known, [&] {
      step = run.player->env.step(*run.action);
      if (!std::isfinite(step->reward))
        throw EnvironmentError(fmt::format("the reward {} is not finite", step->reward));
    });
    run.observation.reset();
    if (run.ended) return 0;
    run.player->agent->observe(*step);
    EpisodeRecord& record = run.record;
    ++record.step;
    ++record.length;
    record.episode_return += run.weight * step->reward / settings_.return_scale;
    run.weight *= settings_.discount;
    record.terminated = step->terminated;
    record.truncated = step->truncated;
    run.ended = step->terminated || step->truncated;
    run.observation = std::move(step->observation);
    return step->reward;
  }

  /// The complete record; a recorded one is taken as it is.
  EpisodeRecord end_episode(Run& run) {
    EpisodeRecord record = run.record;
    record.regret = record.optimal_return - record.episode_return;
    const Costs spent = run.player->agent->costs() - run.costs_before;
    record.lm_calls = spent.lm_calls;
    record.prompt_tokens = spent.prompt_tokens;
    record.computed_tokens = spent.computed_tokens();
    record.completion_tokens = spent.completion_tokens;
    record.invalid = spent.invalid;
    record.failures = spent.failures;
    record.over_budget = spent.over_budget;
    record.cancelled = spent.cancelled;
    if (recorder_.part != nullptr) {
      record = parse_episode_record(recorder_.part->summarised("episode", to_json(record)));
      if (record.seed != run.record.seed || record.episode != run.record.episode || record.step != run.record.step)
        recorder_.part->contradict("another episode was recorded here");
    }
    run.finished = run.record.step >= settings_.steps;
    ++run.record.episode;
    return record;
  }

  RunSettings settings_;
  RunRecorder<Env> recorder_;
  std::vector<Run> runs_;
  std::string failure_;  ///< the first one that is not from the record
};

}  // namespace icpi
