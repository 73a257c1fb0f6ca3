// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <utility>
#include <vector>

#include "icpi/core/check_option.hpp"
#include "icpi/core/error.hpp"
#include "icpi/policy/agent_core.hpp"
#include "icpi/policy/agent_workspace.hpp"
#include "icpi/rollout/decision_task.hpp"
#include "icpi/rollout/value_estimator.hpp"

namespace icpi {

ICPI_INLINE AgentCore::AgentCore(std::size_t actions, double discount, std::uint64_t seed,
                                 const DecisionOptions& options)
    : options_(options),
      description_(options.description()),
      actions_(actions),
      discount_(discount),
      key_(agent_key(seed)) {
  check_options();
  work_ = make_owned<Workspace>();
}
ICPI_INLINE AgentCore::AgentCore(const AgentCore& with, std::uint64_t environment)
    : options_(with.options_),
      description_(with.description_),
      actions_(with.actions_),
      discount_(with.discount_),
      key_(with.key_),
      environment_(environment),
      work_(make_owned<Workspace>()) {}
ICPI_INLINE AgentCore::AgentCore(AgentCore&&) noexcept = default;
ICPI_INLINE AgentCore& AgentCore::operator=(AgentCore&&) noexcept = default;
ICPI_INLINE AgentCore::~AgentCore() = default;

ICPI_INLINE std::span<const Rollout> AgentCore::rollouts() const noexcept {
  if (!decided_alone()) return {};
  const auto* rollouts = options_.values.get_if<MeanOfRollouts>();
  return rollouts != nullptr ? rollouts->rollouts() : std::span<const Rollout>();
}

ICPI_INLINE std::vector<PlannedStep> AgentCore::planned_steps() const {
  if (!decided_alone()) return {};
  return options_.values->imagined(0);
}

ICPI_INLINE void AgentCore::check_whole() const {
  if (work_ == nullptr)
    throw InvalidArgument("this agent was moved from: it can be assigned to and destroyed, and nothing else");
}

ICPI_INLINE void AgentCore::check_options() const {
  check_option(actions_ > 0, "number of the environment's actions", actions_, "at least 1");
  check_option(discount_ > 0 && discount_ <= 1, "the environment's discount", discount_, "above 0, at most 1");
  options_.values->check();
  for (const Exploration& each : options_.explorations) each->check();
  options_.selection->check();
}

ICPI_INLINE void AgentCore::restore(std::uint64_t episodes, const Costs& costs) noexcept {
  episode_ = episodes;
  costs_ = costs;
}

ICPI_INLINE std::uint64_t AgentCore::begin(EpisodeKind kind) {
  check_whole();
  check_option(kind <= EpisodeKind::evaluation, "kind of an episode", static_cast<int>(kind), "training, evaluation");
  kind_ = kind;
  offered_.clear();
  work_->done.clear();
  running_ = true;
  step_ = 0;
  return episode_++;
}

ICPI_INLINE void AgentCore::check_observed(bool waits, double reward) const {
  check_whole();
  if (!waits) throw InvalidArgument("observe: no action is waiting for its result");
  if (!std::isfinite(reward)) throw InvalidArgument(fmt::format("observe: the reward {} is not finite", reward));
}

ICPI_INLINE void AgentCore::check_legal(std::size_t unknown, std::size_t legal) {
  if (unknown > 0)
    throw InvalidArgument(fmt::format("act: {} of the legal actions are none of the environment's", unknown));
  if (legal == 0) throw InvalidArgument("act: no action is legal, and the episode goes on");
}

ICPI_INLINE void AgentCore::check_running() const {
  if (!running()) throw InvalidArgument("act: begin_episode comes first");
}

ICPI_INLINE void AgentCore::offer_places(std::size_t unknown, std::vector<std::uint32_t>& places) {
  check_legal(unknown, places.size());
  offered_.swap(places);
}

ICPI_INLINE RandomKey AgentCore::decision_key() const {
  return key_.child(1 + environment_).child(episode_).child(step_);
}

ICPI_INLINE DecisionContext AgentCore::context() const {
  DecisionContext context;
  context.kind = kind_;
  context.episode = episode_;
  context.step = step_;
  context.trajectories = memory_trajectories();
  context.actions = actions_;
  context.legal = decision_.legal;
  return context;
}

/// The same where explorations may ask what is known.
ICPI_INLINE DecisionContext AgentCore::context(const DecisionTask& task, const History& history) const {
  DecisionContext context = this->context();
  context.prompt_context = task.prompt_context;
  context.observation = task.observation;
  context.history = &history;
  context.repeats = work_->done.repeat(step_);
  return context;
}

/// Whether this decision is the model's: not before every action was tried, unless hopes see to that. Explorations draw from
/// streams of their own.
ICPI_INLINE bool AgentCore::asks_model() {
  if (options_.values->needs_world_model() && !hopes() && !memory_ready(decision_.legal)) return false;
  if (kind_ == EpisodeKind::evaluation) return memory_trajectories() > 0;
  const DecisionContext context = this->context();
  const RandomKey key = decision_key().child(1);
  for (std::size_t i = 0; i < options_.explorations.size(); ++i) {
    RandomStream stream(i == 0 ? key : key.child(i));
    if (options_.explorations[i]->acts_at_random(context, stream)) return false;
  }
  return true;
}

ICPI_INLINE bool AgentCore::hopes() const {
  return kind_ == EpisodeKind::training &&
         std::ranges::any_of(options_.explorations, [](const Exploration& each) { return each->hopes(); });
}

ICPI_INLINE void AgentCore::gather_none() {
  check_whole();
  work_->gathered.clear();
}

ICPI_INLINE void AgentCore::gather(AgentCore& agent, const void* observation) {
  work_->gathered.push_back({&agent, observation});
}

ICPI_INLINE void AgentCore::decide_alone(const void* observation, const Until& until) {
  gather_none();
  gather(*this, observation);
  decide_together(until);
  pass_on_failure();
}

ICPI_INLINE void AgentCore::pass_on_failure() const {
  for (const auto& [agent, observation] : work_->gathered)
    if (agent->failure_) std::rethrow_exception(agent->failure_);
}

ICPI_INLINE void AgentCore::decide_together(const Until& until) {
  Workspace& work = *work_;
  work.tasks.clear();
  work.deciding.clear();
  check_together();
  for (const auto& [agent, observation] : work.gathered) agent->begin_round();
  for (const auto& [agent, observation] : work.gathered) agent->prepare(*this, observation);
  try {
    if (!work.tasks.empty()) estimate(until);
  } catch (...) {  // what was spent was spent
    for (auto* agent : work.deciding) agent->costs_ += agent->memory_costs() - agent->spent_before_;
    throw;
  }
  std::size_t task = 0;
  for (const auto& [agent, observation] : work.gathered) {
    if (agent->decision_.by_model) agent->choose(*this, task++);
    agent->costs_ += agent->decision_.costs;
    agent->alone_ = work.gathered.size() == 1 && agent == this;
    agent->failure_ = agent->memory_failure();
  }
  for (const auto& [agent, observation] : work.gathered) {
    if (agent->failure_) continue;
    agent->offered_.clear();
    agent->acted(observation);  // whatever callbacks do
  }
}

ICPI_INLINE void AgentCore::check_together() const {
  bool distinct = true;
  for (const auto& each : work_->gathered) distinct = !std::exchange(each.agent->joins_, true) && distinct;
  for (const auto& each : work_->gathered) each.agent->joins_ = false;
  if (!distinct) throw InvalidArgument("act_together: an agent comes twice");
  for (const auto& [agent, observation] : work_->gathered) {
    if (!agent->running()) throw InvalidArgument("act: begin_episode comes first");
    if (agent->description_ != description_) throw InvalidArgument("act_together: the agents' DecisionOptions differ");
    if (!agent->model_agrees_with(*this))
      throw InvalidArgument("act_together: the agents' models or QueryOptions differ");
  }
}

/// Decides at random, or puts this agent's task on the leader's list.
ICPI_INLINE void AgentCore::prepare(AgentCore& leader, const void* observation) {
  forget_action();
  decision_.legal = offered_;
  if (decision_.legal.empty()) find_legal(observation, decision_.legal);
  if (!decision_.legal.empty() && kind_ == EpisodeKind::training) memory_note_legal(observation, decision_.legal);
  decision_.imagined_legality = {};
  decision_.by_model = asks_model();
  decision_.cut_short = false;
  decision_.values.clear();
  decision_.returns.resize(0, 0);
  decision_.costs = {};
  if (!decision_.by_model) return decide_at_random();
  Workspace& work = *leader.work_;
  work.tasks.push_back({static_cast<std::uint32_t>(work.deciding.size()), observe_for_decision(observation),
                        static_cast<std::uint32_t>(actions_), discount_, decision_key().child(0), decision_.legal});
  work.deciding.push_back(this);
  spent_before_ = memory_costs();
  legality_before_ = memory_legality();
}

ICPI_INLINE void AgentCore::decide_at_random() {
  decision_.by_model = false;
  decision_.values.clear();
  decision_.returns.resize(0, 0);
  RandomStream stream(decision_key().child(2));
  decision_.action = draw_legal(decision_.legal, actions_, stream);
}

ICPI_INLINE void AgentCore::estimate(const Until& until) {
  Workspace& work = *work_;
  serve_none();
  for (auto* agent : work.deciding) serve_also(*agent);
  work.results.resize(std::max(work.results.size(), work.tasks.size()));
  const RolloutModelRef model = serving_model();
  struct Limited {  // beyond this decision nothing is
    RolloutModelRef model;
    ~Limited() { model.limit({}); }
  } const limited{model};
  model.limit(until);
  const Imagination imagination(model, work, until, &work);
  options_.values->estimate(imagination, work.tasks, std::span(work.results).first(work.tasks.size()));
}

/// Takes what came of task number `task`, and selects an action.
ICPI_INLINE void AgentCore::choose(AgentCore& leader, std::size_t task) {
  const DecisionResult& result = leader.work_->results[task];
  decision_.costs = result.costs;
  decision_.costs += memory_costs() - spent_before_;
  decision_.imagined_legality = memory_legality() - legality_before_;
  decision_.cut_short = result.cut_short;
  if (result.action) {
    decision_.action = *result.action;
    return check_chosen(decision_.action, options_.values.description());
  }
  decision_.returns = result.returns;
  take_values(result, actions_, decision_.values);
  if (decision_.values.size() != actions_)
    throw Error(fmt::format("{} made {} values for {} actions", options_.values.description(), decision_.values.size(),
                            actions_));
  mark_illegal(decision_.legal, decision_.values);
  const DecisionContext context = this->context(leader.work_->tasks[task], *leader.work_);
  for (const Exploration& each : options_.explorations) each->adjust(context, decision_.values);
  mark_illegal(decision_.legal, decision_.values);
  select();
  if (hopes()) work_->done.note(step_, memory_step(leader.work_->tasks[task].observation, decision_.action));
}

/// Among the legal actions whose value is known, strategies see no others; at random where there are none.
ICPI_INLINE void AgentCore::select() {
  work_->candidates.take(decision_.values);
  const auto actions = work_->candidates.actions();
  if (actions.empty()) return decide_at_random();
  RandomStream stream(decision_key().child(2));
  const std::size_t place = options_.selection->select(work_->candidates.values(), stream);
  if (place >= actions.size())
    throw Error(fmt::format("{} selected action {} of {}", options_.selection.description(), place, actions.size()));
  decision_.action = actions[place];
}

/// Throws when a strategy, `by`, chose what cannot be done.
ICPI_INLINE void AgentCore::check_chosen(std::size_t action, const std::string& by) const {
  if (action >= actions_) throw Error(fmt::format("{} selected action {} of {}", by, action, actions_));
  if (!is_legal(decision_.legal, action))
    throw Error(fmt::format("{} selected action {}, which is not legal here", by, action));
}

}  // namespace icpi
