// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/legal_actions.hpp"
#include "icpi/concepts/rollout_model.hpp"
#include "icpi/core/costs.hpp"
#include "icpi/core/random.hpp"
#include "icpi/policy/rollout_agent.hpp"
#include "icpi/replay/trajectory_buffer.hpp"

namespace icpi {

/// Experience for look-up: what came of an action the last time exactly this was seen.
/// Observations need an order. Look-ups cost logarithmic time. One thread at a time.
template <Environment Env>
class MatchingMemory {
 public:
  /// Remembers steps of `env`. Readiness and warm-up count at most `recency` trajectories, as with prompts.
  MatchingMemory(const Env& env, std::size_t recency) : buffer(env), recency_(recency), actions_(actions_of(env)) {}

  void begin_episode(std::uint64_t) {}  ///< see AgentMemory

  /// See AgentMemory.
  void grow(const Env& env) {
    buffer.grow(env);
    actions_ = actions_of(env);
    for (auto& place : places_) place.last_by_action.resize(actions_.size(), none);
  }

  /// The handle of an observation; the same for equal ones, for good.
  [[nodiscard]] ObservationId observe(const typename Env::Observation& observation) {
    const auto [place, added] = ids_.try_emplace(observation, static_cast<ObservationId>(places_.size()));
    if (added) places_.push_back({none, std::vector<TransitionId>(actions_.size(), none), {}});
    return place->second;
  }

  void check(const TransitionOf<Env>&) const {}  ///< see AgentMemory: there is no text to refuse

  /// See AgentMemory. Throws as TrajectoryBuffer::append.
  void append(const TrajectoryOf<Env>& trajectory) {
    buffer.append(trajectory);
    update();
  }

  /// See AgentMemory. Throws as TrajectoryBuffer::extend.
  void extend(const TransitionOf<Env>& transition) {
    buffer.extend(transition);
    update();
  }

  void close() { buffer.close(); }  ///< see AgentMemory

  /// Every action, or every legal one, was tried, and a step that did not end was seen.
  [[nodiscard]] bool ready(LegalActions legal = {}) const {
    bool continues = false;
    for (std::size_t action = 0; action < actions_.size(); ++action) {
      if (is_legal(legal, action) && buffer.matching(action, false).empty() && buffer.matching(action, true).empty())
        return false;
      continues = continues || !buffer.matching(action, false).empty();
    }
    return continues;
  }

  /// Complete trajectories, at most the recency.
  [[nodiscard]] std::size_t trajectories() const { return std::min(buffer.trajectory_count(), recency_); }

  /// Whether this was ever done there.
  [[nodiscard]] bool tried(ObservationId observation, std::uint32_t action) const {
    return places_[observation].last_by_action[action] != none;
  }

  /// These were legal where this was seen.
  void note_legal(const typename Env::Observation& observation, LegalActions legal) {
    places_[observe(observation)].legal.assign(legal.begin(), legal.end());
  }
  /// What was legal the last time that this was seen; empty: it is not known.
  [[nodiscard]] LegalActions legal(ObservationId observation) {
    const auto& known = places_[observation].legal;
    legality_.count(known.empty() ? LegalSource::all : LegalSource::seen);
    return known;
  }
  /// How it was known what is legal, so far: questions, not observations, are counted.
  [[nodiscard]] const LegalSourceCounts& legality() const noexcept { return legality_; }

  /// The answer of the most recent match; `impossible` if there is none.
  [[nodiscard]] Answer look_up(const Question& question) {
    const auto& place = places_[question.observation];
    const bool asks_action = question.kind == QueryKind::action;
    const TransitionId id = asks_action ? place.last : place.last_by_action[question.action];
    Answer answer;
    answer.status = id == none ? AnswerStatus::impossible : AnswerStatus::valid;
    if (id == none) return answer;
    const auto& match = buffer[id];
    switch (question.kind) {
      case QueryKind::termination: answer.terminated = match.terminated; break;
      case QueryKind::reward: answer.reward = match.reward; break;
      case QueryKind::observation: answer.observation = observe(match.next_observation); break;
      case QueryKind::action: answer.action = static_cast<std::uint32_t>(buffer.action_index(id)); break;
      case QueryKind::transition: break;  // never asked
    }
    return answer;
  }

  TrajectoryBuffer<Env> buffer;  ///< the full history
  Costs costs;                   ///< nothing: looking up is free

 private:
  static constexpr TransitionId none = std::numeric_limits<TransitionId>::max();

  struct Order {
    bool operator()(const typename Env::Observation& a, const typename Env::Observation& b) const { return a < b; }
  };

  struct Place {
    TransitionId last = none;
    std::vector<TransitionId> last_by_action;
    std::vector<std::uint32_t> legal;
  };

  void update() {
    for (; known_ < buffer.size(); ++known_) {
      const auto id = static_cast<TransitionId>(known_);
      auto& place = places_[observe(buffer[id].observation)];
      place.last = id;
      place.last_by_action[buffer.action_index(id)] = id;
    }
  }

  std::size_t recency_;
  std::vector<typename Env::Action> actions_;
  std::map<typename Env::Observation, ObservationId, Order> ids_;
  std::vector<Place> places_;  ///< by observation id
  std::size_t known_ = 0;
  LegalSourceCounts legality_;
};

/// The rollout model of the matching-model baseline: answers from memory alone.
/// Thread-safety: one object by one thread at a time.
template <Environment Env>
class MatchingRolloutModel {
 public:
  /// From now on it serves no memory.
  void serve_none() { prompt_contexts_.clear(); }
  /// One more memory, the next that Question::prompt_context counts.
  void serve_also(MatchingMemory<Env>& memory) { prompt_contexts_.push_back(&memory); }

  /// See RolloutModel.
  void answer(std::span<const Question> questions, std::span<Answer> answers) {
    for (std::size_t i = 0; i < questions.size(); ++i)
      answers[i] = prompt_contexts_[questions[i].prompt_context]->look_up(questions[i]);
  }

  /// See KnowsLegalActions.
  [[nodiscard]] LegalActions legal(std::uint32_t prompt_context, ObservationId observation) {
    return prompt_contexts_[prompt_context]->legal(observation);
  }

 private:
  std::vector<MatchingMemory<Env>*> prompt_contexts_;
};

/// The paper's baseline "matching model": the same agent as PolicyIteration, but every prediction is what was recorded
/// at the most recent exact match of the observation, or of observation and action. Without a match the rollout ends,
/// or goes on with a random action.
/// Thread-safety: one object by one thread at a time.
template <Environment Env>
class MatchingModelAgent : public RolloutAgent<Env, MatchingMemory<Env>, MatchingRolloutModel<Env>> {
  using Base = RolloutAgent<Env, MatchingMemory<Env>, MatchingRolloutModel<Env>>;

 public:
  /// Throws InvalidArgument for options out of range and for an environment without actions.
  explicit MatchingModelAgent(const Env& env, std::uint64_t seed,
                              const DecisionOptions& options = paper_options().decisions, std::size_t recency = 8)
      : Base(env, make_owned<MatchingMemory<Env>>(env, recency), {}, seed, options) {}
};

}  // namespace icpi
