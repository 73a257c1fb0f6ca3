// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/legal_actions.hpp"
#include "icpi/concepts/rollout_model.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/owned.hpp"
#include "icpi/policy/agent.hpp"
#include "icpi/policy/agent_core.hpp"
#include "icpi/policy/decision.hpp"
#include "icpi/policy/memory_calls.hpp"
#include "icpi/policy/options.hpp"
#include "icpi/policy/training.hpp"

namespace icpi {

template <class Env, class Memory, class Model>
class SeveralEnvironments;

/// An agent that acts greedily on imagined rollouts, whatever they are imagined with: PolicyIteration prompts a language
/// model, the matching-model baseline looks steps up.
///
/// Thread-safety: one object by one thread at a time; objects that share a language model count as one.
template <Environment Env, AgentMemory<Env> Memory, RolloutModel Model>
class RolloutAgent : public AgentCore {
 public:
  using Observation = typename Env::Observation;  ///< the environment's
  using Action = typename Env::Action;            ///< the environment's

  /// Called when something happened, in evaluations too; empty ones are not. They may look at the agent, but not begin an
  /// episode, evaluate, train, or replace themselves.
  struct Callbacks {
    std::function<void(const Decision&)> on_decision;          ///< an action was chosen
    std::function<void(const TransitionOf<Env>&)> on_step;     ///< a step was observed
    std::function<void(const TrajectoryOf<Env>&)> on_episode;  ///< an episode ended
  };

  /// Throws InvalidArgument for options out of range and for an environment without actions.
  RolloutAgent(const Env& env, Owned<Memory> prompt_context, Model model, std::uint64_t seed,
               const DecisionOptions& options)
      : AgentCore(count_actions(env), env.discount(), seed, options),
        memory_(std::move(prompt_context)),
        model_(std::move(model)),
        adviser_(env),
        actions_(actions_of(env)) {}

  /// An episode begins. One that was running is abandoned.
  void begin_episode(const Observation&, EpisodeKind kind = EpisodeKind::training) {
    abandon();
    memory_->begin_episode(begin(kind));
  }

  /// Chooses an action; when the time is up, by what was imagined until then, or at random if that was nothing: see
  /// Decision::cut_short. Throws InvalidArgument unless an episode is running; passes on what model and environment throw.
  [[nodiscard]] Action act(const Observation& observation, const Until& until = {}) {
    decide_alone(&observation, until);
    return chosen_action();
  }

  /// The same where only some actions are legal, a range of them. Throws InvalidArgument as offer().
  template <RandomAccessRange Legal>
    requires RangeOf<Legal, Action>
  [[nodiscard]] Action act(const Observation& observation, const Legal& legal, const Until& until = {}) {
    offer(legal);
    return act(observation, until);
  }

  /// The next decision is among these actions. Throws InvalidArgument when there are none, when one of them is none of
  /// actions(), and unless an episode is running.
  template <RandomAccessRange Legal>
    requires RangeOf<Legal, Action>
  void offer(const Legal& legal) {
    check_running();
    std::vector<std::uint32_t> places;
    const std::size_t unknown = places_among(legal, actions_, places);
    offer_places(unknown, places);
  }

  /// Asks `env` from now on which actions are legal: where a decision is made without an offer, and at what is imagined for
  /// it. Of an environment that can be copied a copy is asked, from construction on; another one must outlive
  /// the agent, or the next call. Without legal actions it is nothing.
  void consult([[maybe_unused]] const Env& env) {
    check_whole();
    if constexpr (HasLegalActions<Env>) {
      adviser_.consult(env);
      if constexpr (requires { memory_->consult(env); }) memory_->consult(env);
    }
  }

  /// Takes in what `env` has gained of actions; an episode that was running is abandoned then. Throws InvalidArgument when an
  /// action is gone or stands elsewhere, and where memory or formatter do not take in more; then nothing has changed.
  void grow(const Env& env) {
    check_whole();
    if (!gained_actions(env, actions_)) return;
    abandon();
    if constexpr (requires { memory_->grow(env); })
      memory_->grow(env);
    else
      throw InvalidArgument("the agent's memory has no grow(env): the environment must not gain actions");
    actions_ = actions_of(env);
    know_actions(actions_.size());
    consult(env);
  }

  /// Lets agents that share a model decide together, in common batches, each as if it were alone. agents[i] acts on
  /// *observations[i]; the result goes to actions[i]. Throws InvalidArgument, before anything is asked, for spans of
  /// different length, null pointers, an agent that comes twice or runs no episode, options that are not all equal, and different
  /// models. Queries are shown to the observer of agents[0].
  static void act_together(std::span<RolloutAgent* const> agents, std::span<const Observation* const> observations,
                           std::span<Action> actions, const Until& until = {}) {
    if (actions.size() != agents.size()) throw InvalidArgument("act_together: as many actions as agents");
    if (observations.size() != agents.size()) throw InvalidArgument("act_together: as many observations as agents");
    if (agents.empty()) return;
    for (std::size_t i = 0; i < agents.size(); ++i)
      if (agents[i] == nullptr || observations[i] == nullptr)
        throw InvalidArgument("act_together: an agent or an observation is a null pointer");
    RolloutAgent& leader = *agents[0];
    leader.gather_none();
    for (std::size_t i = 0; i < agents.size(); ++i) leader.gather(*agents[i], observations[i]);
    leader.decide_together(until);
    leader.pass_on_failure();
    for (std::size_t i = 0; i < agents.size(); ++i) actions[i] = agents[i]->chosen_action();
  }

  /// What came of the last action. A terminated or truncated step ends the episode, which is then remembered.
  /// Throws InvalidArgument when the reward is not finite, no action is waiting for a result, or the memory refuses the
  /// step (see PromptContext::remember); passes on what formatter and memory throw. Then nothing has changed: the
  /// episode may be abandoned or another result given. Callbacks are called when all is done.
  void observe(const Step<Observation>& step) {
    take(step);
    tell();
  }

  /// Abandons the running episode, if there is one: it is not remembered, except where its steps already are.
  void abandon() {
    if (running() && options().update_within_episode && kind() == EpisodeKind::training) memory_->close();
    end();
    detail::note_in_memory(memory_.get());
    acted_.reset();
    trajectory_.clear();
  }

  /// Adds recorded experience, all or nothing. Not during an episode. Throws as TrajectoryBuffer::append.
  void import(const TrajectoryOf<Env>& trajectory) {
    check_whole();
    if (running()) throw InvalidArgument("import: an episode is running");
    memory_->append(trajectory);
  }

  /// Experience and prompts. Not of an agent that was moved from; its other members that need them throw InvalidArgument.
  [[nodiscard]] Memory& memory() noexcept { return *memory_; }
  /// Experience and prompts.
  [[nodiscard]] const Memory& memory() const noexcept { return *memory_; }
  [[deprecated("memory()")]] [[nodiscard]] Memory& lane() noexcept { return *memory_; }  ///< its former name
  /// What answers the questions of rollouts.
  [[nodiscard]] Model& model() noexcept { return model_; }
  /// What answers the questions of rollouts.
  [[nodiscard]] const Model& model() const noexcept { return model_; }
  /// Set these to be told what happens.
  [[nodiscard]] Callbacks& callbacks() noexcept { return callbacks_; }
  /// The environment's actions, in its order.
  [[nodiscard]] std::span<const Action> actions() const noexcept { return actions_; }

 private:
  friend class SeveralEnvironments<Env, Memory, Model>;
  /// The same agent in environment number `environment`, not 0.
  RolloutAgent(const RolloutAgent& with, std::uint64_t environment, Owned<Memory> prompt_context, Model model)
      : AgentCore(with, environment),
        memory_(std::move(prompt_context)),
        model_(std::move(model)),
        adviser_(with.adviser_.limits()),
        actions_(with.actions_) {}

  [[nodiscard]] const Action& chosen_action() const { return actions_[decision().action]; }
  /// Throws what take() would throw because of the step.
  void check(const Step<Observation>& step) const {
    check_observed(acted_.has_value(), step.reward);
    if (kind() == EpisodeKind::training)
      memory_->check({*acted_, chosen_action(), step.reward, step.terminated, step.truncated, step.observation});
  }

  /// Keeps the step. `checked`: check() let it pass, so that it need not be written once more; else it may be refused.
  void take(const Step<Observation>& step, bool checked = false) {
    check_observed(acted_.has_value(), step.reward);
    const bool ends = step.terminated || step.truncated;
    trajectory_.push_back(
        {*acted_, actions_[decision().action], step.reward, step.terminated, step.truncated, step.observation});
    try {
      if (kind() == EpisodeKind::training) remember(ends, checked);
    } catch (...) {
      trajectory_.pop_back();
      throw;
    }
    acted_.reset();
    detail::note_in_memory(memory_.get());
    advance(ends);
  }

  /// Calls back when all is done.
  void tell() {
    if (callbacks_.on_step) callbacks_.on_step(trajectory_.back());
    if (!running() && callbacks_.on_episode) callbacks_.on_episode(trajectory_);
  }

  [[nodiscard]] static std::size_t count_actions(const Env& env) {
    const auto& actions = env.actions();
    return static_cast<std::size_t>(std::end(actions) - std::begin(actions));
  }

  ObservationId observe_for_decision(const void* observation) override {
    return memory_->observe(*static_cast<const Observation*>(observation));
  }
  void find_legal([[maybe_unused]] const void* observation,
                  [[maybe_unused]] std::vector<std::uint32_t>& legal) override {
    if constexpr (HasLegalActions<Env>) {
      if (!adviser_.limits()) return;
      if (!adviser_.knows())
        throw InvalidArgument(
            "act: it is not known which actions are legal: say it with the observation, or call consult(env)");
      std::size_t unknown = 0;
      adviser_.ask(*static_cast<const Observation*>(observation),
                   [&](const auto& actions) { unknown = places_among(actions, actions_, legal); });
      check_legal(unknown, legal.size());
    }
  }
  void memory_note_legal(const void* observation, LegalActions legal) override {
    detail::stand_in_memory(*memory_, *static_cast<const Observation*>(observation), legal);
  }
  std::exception_ptr memory_failure() const override { return detail::legal_failure_of(*memory_); }
  LegalSourceCounts memory_legality() const override { return detail::legality_of(*memory_); }
  bool memory_ready(LegalActions legal) const override { return detail::memory_ready(*memory_, legal); }
  std::size_t memory_trajectories() const override { return memory_->trajectories(); }
  bool memory_tried(ObservationId seen, std::uint32_t action) const override { return memory_->tried(seen, action); }
  OutcomeCounts memory_outcomes(ObservationId observation, std::uint32_t action) const override {
    return detail::memory_outcomes(*memory_, observation, action);
  }
  void memory_recall(ObservationId observation, std::uint32_t action, std::vector<SeenOutcome>& seen) override {
    detail::recall_from_memory(*memory_, observation, action, seen);
  }
  ActionExperience memory_experience(std::uint32_t done) const override { return detail::experience(*memory_, done); }
  std::uint64_t memory_step(ObservationId observation, std::size_t action) const override {
    return detail::step_hash(*memory_, observation, action);
  }
  const Costs& memory_costs() const override { return memory_->costs; }
  void begin_round() override { detail::begin_round_of(*memory_); }
  void serve_none() override { model_.serve_none(); }
  void serve_also(AgentCore& agent) override { model_.serve_also(*static_cast<RolloutAgent&>(agent).memory_); }
  RolloutModelRef serving_model() override { return model_; }
  bool model_agrees_with(const AgentCore& other) const override {
    if constexpr (requires { model_.agrees_with(model_); })
      return model_.agrees_with(static_cast<const RolloutAgent&>(other).model_);
    return true;
  }
  void forget_action() override { acted_.reset(); }
  void acted(const void* observation) override {
    acted_ = *static_cast<const Observation*>(observation);
    if (callbacks_.on_decision) callbacks_.on_decision(decision());
  }

  /// Hands the newest step to the memory: at once where updated within the episode, else with the whole episode when that `ends`.
  void remember(bool ends, bool checked) {
    if (options().update_within_episode) {
      memory_->extend(trajectory_.back());
      if (ends) memory_->close();
    } else if (ends) {
      memory_->append(trajectory_);
    } else if (!checked) {
      memory_->check(trajectory_.back());
    }
  }

  Owned<Memory> memory_;
  Model model_;
  LegalAdviser<Env> adviser_;
  std::vector<Action> actions_;
  Callbacks callbacks_;
  std::optional<Observation> acted_;
  TrajectoryOf<Env> trajectory_;
};

}  // namespace icpi
