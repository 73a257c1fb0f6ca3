// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/legal_actions.hpp"
#include "icpi/experiment/vector_runner_core.hpp"
#include "icpi/policy/agent.hpp"
#include "icpi/policy/rollout_agent.hpp"

namespace icpi {

/// One run: an agent in its own environment.
template <Environment Env, Agent<Env> A>
struct Player {
  Env env;                   ///< stepped by the run
  std::unique_ptr<A> agent;  ///< asked by the run
  std::uint64_t seed = 0;    ///< episode n starts as environment_key() tells
  /// Where several environments share one agent, of which `agent` is the place in this one, as place() says.
  std::optional<std::uint64_t> environment{};
};

/// Where everything that happens is recorded before the next thing happens.
template <Environment Env>
struct RunRecorder {
  RunPart* part = nullptr;                                              ///< null: nowhere
  std::function<std::string(const typename Env::Observation&)> text{};  ///< different for different observations
};

/// An environment that can begin resets and steps of several of its kind at once; reset() and step() of each, called
/// next, then give what came of it.
template <class Env>
concept BeginsTogether = Environment<Env> && requires(std::span<Env* const> envs, std::span<const std::uint64_t> seeds,
                                                      std::span<const typename Env::Action* const> actions) {
  Env::begin_resets(envs, seeds);   // begin_resets(environments, seeds)
  Env::begin_steps(envs, actions);  // begin_steps(environments, actions)
};

/// Plays the runs of several seeds side by side: in every round each of them takes one step, and agents that can
/// (RolloutAgent::act_together) decide in common batches. Every run is as if it were played alone.
///
/// With a recorder the run can be continued: play again with equal players on the log that was left, and with models
/// that are LoggedModels on it.
/// Thread-safety: one object by one thread at a time.
template <Environment Env, Agent<Env> A>
class VectorRunner : private VectorRunnerCore {
 public:
  /// `players`, and the recorder's part, must outlive this object.
  VectorRunner(std::span<Player<Env, A>> players, RunSettings settings, RunRecorder<Env> recorder = {})
      : VectorRunnerCore(std::move(settings), recorder.part, names_of(players)),
        players_(players),
        text_(std::move(recorder.text)),
        places_(players.size()) {}

  /// Plays to the end. `optimal_return(observation)`: best expected return from a first observation on, discounted but
  /// not scaled. `on_episode(record)` is called for every finished episode; false: stop after this round. Returns
  /// whether it played to the end. Throws EnvironmentError as the settings say, and what agents and recorder throw.
  template <class OptimalReturn, std::predicate<const EpisodeRecord&> Episodes>
  bool play(OptimalReturn&& optimal_return, Episodes&& on_episode) {
    optimal_return_ = [&](const Observation& start) { return static_cast<double>(optimal_return(start)); };
    return play_runs([&](const EpisodeRecord& record) { return static_cast<bool>(on_episode(record)); });
  }

 private:
  using Observation = typename Env::Observation;
  using Action = typename Env::Action;

  /// Where a run stands.
  struct Place {
    std::optional<Observation> observation;
    std::optional<Action> action;
    std::deque<Action> legal;  ///< empty: the environment does not say; a vector of bool would be none of values
    std::optional<Step<Observation>> step;
  };

  [[nodiscard]] static std::vector<Name> names_of(std::span<Player<Env, A>> players) {
    std::vector<Name> names;
    for (const auto& player : players) names.emplace_back(player.seed, player.environment);
    return names;
  }

  void reset(std::size_t run, std::uint64_t seed) override { places_[run].observation = players_[run].env.reset(seed); }
  void begin_resets(std::span<const std::size_t> runs, std::span<const std::uint64_t> seeds) override {
    if constexpr (BeginsTogether<Env>) Env::begin_resets(environments(runs), seeds);
  }
  void begin_steps(std::span<const std::size_t> runs) override {
    if constexpr (BeginsTogether<Env>) {
      std::vector<const Action*> actions;
      for (const std::size_t run : runs) actions.push_back(&*places_[run].action);
      Env::begin_steps(environments(runs), actions);
    }
  }
  std::vector<Env*> environments(std::span<const std::size_t> runs) {
    std::vector<Env*> chosen;
    for (const std::size_t run : runs) chosen.push_back(&players_[run].env);
    return chosen;
  }
  double optimal_return(std::size_t run) override { return optimal_return_(*places_[run].observation); }
  void begin_episode(std::size_t run) override {
    const Env& env = players_[run].env;
    A& agent = *players_[run].agent;
    if constexpr (requires { agent.grow(env); }) agent.grow(env);
    if constexpr (requires { agent.consult(env); }) agent.consult(env);
    agent.begin_episode(*places_[run].observation);
  }

  void find_legal(std::size_t run) {
    places_[run].legal.clear();
    if constexpr (HasLegalActions<Env>) {
      const Env& env = players_[run].env;
      if (!limits_actions(env)) return;
      const auto& legal = env.legal_actions(*places_[run].observation);
      places_[run].legal.assign(std::begin(legal), std::end(legal));
    }
  }

  void act(std::span<const std::size_t> runs) override {
    for (const std::size_t run : runs) find_legal(run);
    if constexpr (requires { together(static_cast<A*>(nullptr)); }) {
      using Base = std::remove_pointer_t<decltype(together(static_cast<A*>(nullptr)))>;
      std::vector<Base*> agents;
      std::vector<const Observation*> observations;
      for (const std::size_t run : runs) {
        agents.push_back(together(players_[run].agent.get()));
        if (!places_[run].legal.empty()) agents.back()->offer(places_[run].legal);
        observations.push_back(&*places_[run].observation);
      }
      std::vector<Action> actions(runs.size(), *std::begin(players_[runs[0]].env.actions()));
      Base::act_together(agents, observations, actions);
      for (std::size_t i = 0; i < runs.size(); ++i) places_[runs[i]].action = actions[i];
    } else {
      for (const std::size_t run : runs) act_alone(*players_[run].agent, places_[run]);
    }
  }
  static void act_alone(A& agent, Place& place) {
    if constexpr (TakesLegalActions<A, Env>)
      if (!place.legal.empty()) {
        place.action = agent.act(*place.observation, place.legal);
        return;
      }
    place.action = agent.act(*place.observation);
  }
  template <class E, class Memory, class Model>
  static RolloutAgent<E, Memory, Model>* together(RolloutAgent<E, Memory, Model>* agent) {
    return agent;
  }
  template <class Shared>
    requires requires(Shared& agent) { agent.place(); }
  static auto together(Shared* agent) {
    return together(&agent->place());
  }

  std::uint64_t action_number(std::size_t run) override {
    const auto& actions = players_[run].env.actions();
    return static_cast<std::uint64_t>(std::find(std::begin(actions), std::end(actions), *places_[run].action) -
                                      std::begin(actions));
  }
  std::vector<std::uint32_t> legal_numbers(std::size_t run) override {
    std::vector<std::uint32_t> numbers;
    (void)places_among(places_[run].legal, players_[run].env.actions(), numbers);
    return numbers;
  }
  Outcome step(std::size_t run) override {
    places_[run].step = players_[run].env.step(*places_[run].action);
    const auto& step = *places_[run].step;
    return {step.reward, step.terminated, step.truncated};
  }
  void truncate(std::size_t run) override { places_[run].step->truncated = true; }
  void observe(std::size_t run) override {
    players_[run].agent->observe(*places_[run].step);
    places_[run].observation = std::move(places_[run].step->observation);
  }
  void forget_observation(std::size_t run) override { places_[run].observation.reset(); }
  std::string text_of(std::size_t run) override {
    return places_[run].observation ? text_(*places_[run].observation) : std::string();
  }
  const Costs& costs_of(std::size_t run) override { return players_[run].agent->costs(); }

  std::span<Player<Env, A>> players_;
  std::function<std::string(const Observation&)> text_;
  std::function<double(const Observation&)> optimal_return_;
  std::vector<Place> places_;
};

/// The former name.
template <Environment Env, Agent<Env> A>
using Lockstep [[deprecated("VectorRunner")]] = VectorRunner<Env, A>;

}  // namespace icpi
