// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <exception>
#include <new>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/core/random.hpp"
#include "icpi/policy/agent.hpp"
#include "icpi/policy/several_environments.hpp"
#include "icpi/policy/training.hpp"

namespace icpi {

/// Plays episodes in several environments side by side, one step of each in every round, and learns from all: see
/// PolicyIteration::train. An environment that throws, or whose texts or rewards are refused, is left out from then on.
/// Thread-safety: one object by one thread at a time.
template <class Env, class Memory, class Model>
class SharedTraining {
  using Agent = SeveralEnvironments<Env, Memory, Model>;
  using Place = typename Agent::Place;
  using Observation = typename Env::Observation;

 public:
  /// Throws InvalidArgument for limits that allow nothing, null pointers, an environment that comes twice, and actions or
  /// a discount that are not the agent's; passes on what model, tokenizer, buffer and callbacks throw.
  static TrainingResult train(Agent& agent, std::span<Env* const> envs, const TrainingLimits& limits) {
    check_training_limits(limits);
    if (envs.empty()) refuse_environment(0, "there is none");
    for (std::size_t number = 0; number < envs.size(); ++number) {
      if (envs[number] == nullptr) refuse_environment(number, "it is a null pointer");
      for (std::size_t other = 0; other < number; ++other)
        if (envs[other] == envs[number]) refuse_environment(number, "it is the same object as another one");
      check_actions(*envs[number], number, agent);
      if (static_cast<double>(envs[number]->discount()) != agent.discount())
        refuse_environment(number, "its discount is not that of the environment that the agent was made with");
    }
    Run run{agent, limits, {}, {}, {}, {}};
    for (std::size_t number = 0; number < envs.size(); ++number)
      run.seats.push_back({envs[number], &agent.environment(number), number});
    return run.play();
  }

 private:
  static void check_actions(const Env& env, std::size_t number, const Agent& agent) {
    if (gained_actions(env, agent.actions()))
      refuse_environment(number, "it has gained actions, which an agent in several environments does not take in");
  }

  struct Seat {
    Env* env;
    Place* place;
    std::size_t number;
    std::optional<Observation> observation{};  ///< where the running episode stands
    std::optional<Step<Observation>> step{};   ///< not yet observed
    std::size_t steps = 0;                     ///< of the running episode
    bool failed = false;
  };

  struct Run {
    Agent& agent;
    const TrainingLimits& limits;
    std::vector<Seat> seats;
    TrainingResult result;
    std::vector<std::size_t> numbers;
    std::vector<const Observation*> observations;

    TrainingResult play() {
      while (begin_episodes() > 0) {
        if (limits.until.over()) return end_early();
        if (!decide()) return end_early();
        for (Seat& seat : seats)
          if (seat.observation) step(seat);
        for (Seat& seat : seats)
          if (seat.step) learn(seat);
      }
      bool none_left = true;
      for (const Seat& seat : seats) none_left = none_left && seat.failed;
      result.end = result.steps >= limits.steps         ? TrainingEnd::steps
                   : result.episodes >= limits.episodes ? TrainingEnd::episodes
                   : none_left                          ? TrainingEnd::failed
                                                        : TrainingEnd::episodes;
      return std::move(result);
    }

    TrainingResult end_early() {
      result.end = limits.until.over() ? TrainingEnd::until : TrainingEnd::budget;
      return std::move(result);
    }

    /// Calls `body`, which is the environment's doing; when it throws, the environment is left out.
    template <class Body>
    bool attempt(Seat& seat, Body&& body) {
      const std::size_t episode = seat.place->episodes() - (seat.observation ? 1 : 0);
      try {
        body();
        return true;
      } catch (const std::bad_alloc&) {
        throw;
      } catch (...) {
        note_failure(result, seat.number, episode);
      }
      seat.failed = true;
      seat.observation.reset();
      seat.step.reset();
      seat.place->abandon();
      return false;
    }

    /// Those that have none begin an episode, as far as the limits go. Returns how many are under way.
    std::size_t begin_episodes() {
      std::size_t under_way = 0;
      for (const Seat& seat : seats) under_way += seat.observation ? 1 : 0;
      for (Seat& seat : seats) {
        if (seat.observation || seat.failed || result.steps >= limits.steps) continue;
        if (result.episodes >= limits.episodes || under_way >= limits.episodes - result.episodes) continue;
        const RandomKey key = agent.environment_key(seat.number).child(seat.place->episodes());
        const auto begin = [&] {
          seat.observation = seat.env->reset(key.seed());
          check_actions(*seat.env, seat.number, agent);
          seat.place->consult(*seat.env);
        };
        if (!attempt(seat, begin)) continue;
        seat.place->begin_episode(*seat.observation);
        seat.steps = 0;
        ++under_way;
      }
      return under_way;
    }

    /// What the environment shows and allows, before anybody decides on it.
    static void look(Seat& seat) {
      seat.place->memory().check(*seat.observation);
      offer_legal(*seat.env, *seat.place, *seat.observation);
    }

    /// False: time or budget ended it.
    bool decide() {
      numbers.clear();
      observations.clear();
      for (Seat& seat : seats) {
        if (!seat.observation) continue;
        if (!attempt(seat, [&] { look(seat); })) continue;
        numbers.push_back(seat.number);
        observations.push_back(&*seat.observation);
      }
      agent.decide(numbers, observations, decision_limit(limits));
      for (Seat& seat : seats)
        if (seat.observation && Agent::failure(*seat.place))
          attempt(seat, [&] { std::rethrow_exception(Agent::failure(*seat.place)); });
      for (const std::size_t number : numbers)
        if (agent.environment(number).decision().costs.over_budget > 0) return false;
      if (limits.until.over()) return false;
      for (const std::size_t number : numbers)
        result.cut_short += agent.environment(number).decision().cut_short ? 1 : 0;
      return true;
    }

    void step(Seat& seat) {
      const auto& action = agent.actions()[seat.place->decision().action];
      if (!attempt(seat, [&] { seat.step = seat.env->step(action); })) return;
      ++result.steps;
      ++seat.steps;
      seat.step->truncated = seat.step->truncated || (seat.steps == limits.episode_steps && !seat.step->terminated);
    }

    /// What is wrong with the step is the environment's doing; what counts and keeps its texts is not.
    void learn(Seat& seat) {
      if (!attempt(seat, [&] { Agent::check(*seat.place, *seat.step); })) return;
      Agent::take_checked(*seat.place, *seat.step);
      Agent::tell(*seat.place);
      if (seat.step->terminated || seat.step->truncated) {
        ++result.episodes;
        seat.observation.reset();
      } else {
        seat.observation = std::move(seat.step->observation);
      }
      seat.step.reset();
    }
  };
};

}  // namespace icpi
