// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/legal_actions.hpp"
#include "icpi/core/check_option.hpp"
#include "icpi/core/costs.hpp"
#include "icpi/core/until.hpp"
#include "icpi/experiment/run_part.hpp"
#include "icpi/policy/agent.hpp"
#include "icpi/policy/training.hpp"

namespace icpi {

/// Where an agent stands after LoggedAgent::restore().
template <Environment Env>
struct RestoredEpisode {
  std::optional<typename Env::Observation> observation;  ///< seen last in the episode in progress; none: no episode is
  std::optional<typename Env::Action> action;            ///< chosen there, if it is not known what came of it
};

/// An agent, PolicyIteration or any other, whose episodes, decisions and steps are recorded before the next begins. The
/// language model that it asks should be a LoggedModel on the same part.
///
/// Two ways to go on with a log: play again from the beginning in an environment that answers as before (train() once
/// more), or restore() from the log alone and go on with what the environment says now.
/// Thread-safety: that of the agent.
template <Environment Env, Agent<Env> A>
class LoggedAgent {
 public:
  using Observation = typename Env::Observation;                     ///< of the environment
  using Action = typename Env::Action;                               ///< of the environment
  using Text = std::function<std::string(const Observation&)>;       ///< writes an observation
  using Read = std::function<Observation(const std::string& text)>;  ///< reads what Text wrote

  /// `agent` and `part` must outlive this object. `text` tells observations apart.
  LoggedAgent(const Env& env, A& agent, RunPart& part, std::uint64_t seed, Text text)
      : agent_(&agent), part_(&part), seed_(seed), text_(std::move(text)), actions_(actions_of(env)) {}

  /// See Agent.
  void begin_episode(const Observation& observation) {
    const RecordedStart start{seed_, episode_, text_(observation), {}};
    part_->started(std::span(&start, 1));
    agent_->begin_episode(observation);
    ++episode_;
  }

  /// See Agent.
  [[nodiscard]] Action act(const Observation& observation) { return record(agent_->act(observation), {}); }

  /// The same where only these actions are legal, for agents that can be told. What was legal is recorded too.
  template <RandomAccessRange Legal>
    requires RangeOf<Legal, Action> && TakesLegalActions<A, Env>
  [[nodiscard]] Action act(const Observation& observation, const Legal& legal) {
    std::vector<std::uint32_t> numbers;
    (void)places_among(legal, actions_, numbers);
    return record(agent_->act(observation, legal), std::move(numbers));
  }

  /// See Agent. What the agent does not accept is not recorded.
  void observe(const Step<Observation>& step) {
    agent_->observe(step);
    const RecordedStep record{seed_, text_(step.observation), step.reward, step.terminated, step.truncated, {}};
    part_->stepped(std::span(&record, 1));
  }

  [[nodiscard]] const Costs& costs() const noexcept { return agent_->costs(); }  ///< of the agent
  [[nodiscard]] std::uint64_t episodes() const noexcept { return episode_; }  ///< begun so far, restored ones included

  /// Plays whole episodes until a limit is reached, as PolicyIteration::train() does, but that `until` ends it between
  /// two steps. On the log of an earlier session what was recorded is played again first, and counts. Returns the steps
  /// taken. Throws InvalidArgument for a `decision_time`: what ran out of time cannot be played again.
  std::size_t train(Env& env, TrainingLimits limits) {
    check_training_limits(limits);
    check_option(limits.decision_time.count() == 0, "decision_time in nanoseconds", limits.decision_time.count(),
                 "0 where runs are logged: decisions that ran out of time cannot be played again");
    std::size_t steps = 0;
    const Until& until = limits.until;
    for (std::size_t episode = 0; episode < limits.episodes && steps < limits.steps && !until.over(); ++episode) {
      Observation observation = env.reset(environment_key(seed_).child(episode_).seed());
      grow(env);
      begin_episode(observation);
      bool ended = false;
      for (std::size_t played = 1; !ended && !until.over(); ++steps, ++played) {
        auto step = env.step(act_in(env, *this, observation));
        step.truncated = step.truncated || (played == limits.episode_steps && !step.terminated);
        observe(step);
        ended = step.terminated || step.truncated;
        observation = std::move(step.observation);
      }
    }
    return steps;
  }

  /// Brings a new agent to where the log ends, without an environment. Throws InvalidArgument when the agent decides
  /// otherwise than recorded.
  RestoredEpisode<Env> restore(const Read& read) {
    RestoredEpisode<Env> where;
    while (part_->is_decided()) {
      if (const auto starts = part_->peek("starts")) {
        where = {read(starts->array().at(0)["observation"].string()), std::nullopt};
        begin_episode(*where.observation);
      } else if (part_->peek("decisions") && where.observation) {
        where.action = act_again(*where.observation);
      } else if (const auto steps = part_->peek("steps"); steps && where.action) {
        const Json& json = steps->array().at(0);
        const Step<Observation> step{read(json["observation"].string()), json["reward"].number(),
                                     json["terminated"].boolean(), json["truncated"].boolean()};
        observe(step);
        where = {step.observation, std::nullopt};
        if (step.terminated || step.truncated) where = {};
      } else {
        part_->contradict("this record belongs to no episode of one agent");
      }
    }
    return where;
  }

 private:
  void grow(const Env& env) {
    if (!gained_actions(env, actions_)) return;
    if constexpr (requires { agent_->grow(env); }) agent_->grow(env);
    const auto& actions = env.actions();
    actions_.assign(std::begin(actions), std::end(actions));
  }

  Action record(Action action, std::vector<std::uint32_t> legal) {
    const auto number = std::find(actions_.begin(), actions_.end(), action) - actions_.begin();
    const RecordedDecision decision{seed_, static_cast<std::uint64_t>(number), std::move(legal)};
    part_->decided(std::span(&decision, 1));
    return action;
  }

  /// As recorded: what was legal then is legal now.
  Action act_again(const Observation& observation) {
    if constexpr (TakesLegalActions<A, Env>) {
      const Json decision = part_->peek("decisions")->array().at(0);
      if (decision.array().size() > 2) {
        std::deque<Action> legal;
        for (const Json& number : decision.array()[2].array())
          legal.push_back(actions_.at(number.integer<std::size_t>()));
        return act(observation, legal);
      }
    }
    return act(observation);
  }

  A* agent_;
  RunPart* part_;
  std::uint64_t seed_;
  Text text_;
  std::vector<Action> actions_;
  std::uint64_t episode_ = 0;
};

}  // namespace icpi
