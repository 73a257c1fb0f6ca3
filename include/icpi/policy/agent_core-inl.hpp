// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "icpi/core/check_option.hpp"
#include "icpi/core/error.hpp"
#include "icpi/policy/agent_core.hpp"
#include "icpi/rollout/engine.hpp"
#include "icpi/rollout/planner.hpp"

namespace icpi {

/// What decisions need and keep from one to the next.
struct AgentCore::Workspace {
  RolloutEngine engine;
  Planner planner;
  std::vector<DecisionTask> tasks;
  std::vector<DecisionResult> results;
  std::vector<AgentCore*> deciding;  ///< whose tasks they are

  struct Gathered {
    AgentCore* agent = nullptr;
    const void* observation = nullptr;
  };
  std::vector<Gathered> gathered;  ///< who decides together
};

ICPI_INLINE AgentCore::AgentCore(std::size_t actions, double discount, std::uint64_t seed,
                                 const DecisionOptions& options)
    : options_(options), actions_(actions), discount_(discount), key_(agent_key(seed)) {
  check_options();
  work_ = std::make_unique<Workspace>();
}
ICPI_INLINE AgentCore::AgentCore(AgentCore&&) noexcept = default;
ICPI_INLINE AgentCore& AgentCore::operator=(AgentCore&&) noexcept = default;
ICPI_INLINE AgentCore::~AgentCore() = default;

ICPI_INLINE std::span<const Rollout> AgentCore::rollouts() const noexcept {
  return decision_.by_model ? work_->engine.rollouts() : std::span<const Rollout>();
}

ICPI_INLINE std::vector<PlannedStep> AgentCore::planned_steps() const {
  if (!decision_.by_model || options_.rule != ActionRule::planning) return {};
  return work_->planner.imagined(0);
}

ICPI_INLINE void AgentCore::check_options() const {
  check_option(actions_ > 0, "number of the environment's actions", actions_, "at least 1");
  check_option(discount_ > 0 && discount_ <= 1, "the environment's discount", discount_, "above 0, at most 1");
  const auto& rollouts = options_.rollouts;
  check_option(rollouts.step_limit >= 1, "step_limit", rollouts.step_limit, "at least 1");
  constexpr int most_rollouts = (1 << 24) - 1;  // their number is part of CompletionRequest::sample_index
  check_option(rollouts.rollouts_per_action >= 1 && rollouts.rollouts_per_action <= most_rollouts,
               "rollouts_per_action", rollouts.rollouts_per_action, "1 to 16777215");
  check_option(rollouts.attempts >= 1 && rollouts.attempts <= 255, "attempts", rollouts.attempts, "1 to 255");
  check_option(rollouts.random_action_rate >= 0 && rollouts.random_action_rate <= 1, "random_action_rate",
               rollouts.random_action_rate, "0 to 1");
  check_option(options_.node_limit >= 1, "node_limit", options_.node_limit, "at least 1");
  check_option(std::isfinite(options_.novelty_bonus), "novelty_bonus", options_.novelty_bonus, "finite numbers");
  const auto& warm_up = options_.warm_up;
  check_option(!std::isnan(warm_up.successes), "warm_up.successes", warm_up.successes, "numbers");
  check_option(std::isfinite(warm_up.slope), "warm_up.slope", warm_up.slope, "finite numbers");
}

ICPI_INLINE std::uint64_t AgentCore::begin(EpisodeKind kind) {
  kind_ = kind;
  running_ = true;
  step_ = 0;
  return episode_++;
}

ICPI_INLINE void AgentCore::end() noexcept { running_ = false; }

ICPI_INLINE void AgentCore::advance(bool ends) noexcept {
  ++step_;
  running_ = !ends;
}

ICPI_INLINE void AgentCore::check_observed(bool waits, double reward) {
  if (!waits) throw InvalidArgument("observe: no action is waiting for its result");
  if (!std::isfinite(reward)) throw InvalidArgument(fmt::format("observe: the reward {} is not finite", reward));
}

ICPI_INLINE RandomKey AgentCore::decision_key() const { return key_.child(1).child(episode_).child(step_); }

/// Whether this decision is the model's; draws from the decision's own stream.
ICPI_INLINE bool AgentCore::asks_model() {
  if (options_.rule != ActionRule::rollout_policy && !memory_ready()) return false;
  if (kind_ == EpisodeKind::evaluation) return memory_trajectories() > 0;
  RandomStream stream(decision_key().child(1));
  return stream.uniform() < options_.warm_up.probability(memory_trajectories());
}

ICPI_INLINE void AgentCore::gather_none() noexcept { work_->gathered.clear(); }

ICPI_INLINE void AgentCore::gather(AgentCore& agent, const void* observation) {
  work_->gathered.push_back({&agent, observation});
}

ICPI_INLINE void AgentCore::decide_alone(const void* observation) {
  gather_none();
  gather(*this, observation);
  decide_together();
}

ICPI_INLINE void AgentCore::decide_together() {
  Workspace& work = *work_;
  work.tasks.clear();
  work.deciding.clear();
  check_together();
  for (const auto& [agent, observation] : work.gathered) agent->prepare(*this, observation);
  try {
    if (!work.tasks.empty()) estimate();
  } catch (...) {  // what was spent was spent
    for (auto* agent : work.deciding) agent->costs_ += agent->memory_costs() - agent->spent_before_;
    throw;
  }
  std::size_t task = 0;
  for (const auto& [agent, observation] : work.gathered) {
    if (agent->decision_.by_model) agent->choose(*this, task++);
    agent->costs_ += agent->decision_.costs;
    agent->acted(observation);
  }
}

ICPI_INLINE void AgentCore::check_together() const {
  bool distinct = true;
  for (const auto& each : work_->gathered) distinct = !std::exchange(each.agent->joins_, true) && distinct;
  for (const auto& each : work_->gathered) each.agent->joins_ = false;
  if (!distinct) throw InvalidArgument("act_together: an agent comes twice");
  for (const auto& [agent, observation] : work_->gathered) {
    if (!agent->running_) throw InvalidArgument("act: begin_episode comes first");
    if (!(agent->options_ == options_)) throw InvalidArgument("act_together: the agents' DecisionOptions differ");
    if (!agent->model_agrees_with(*this))
      throw InvalidArgument("act_together: the agents' models or QueryOptions differ");
  }
}

/// Decides at random, or puts this agent's task on the leader's list.
ICPI_INLINE void AgentCore::prepare(AgentCore& leader, const void* observation) {
  forget_action();
  decision_.by_model = asks_model();
  decision_.values.clear();
  decision_.returns.resize(0, 0);
  decision_.costs = {};
  if (!decision_.by_model) {
    RandomStream stream(decision_key().child(2));
    decision_.action = stream.index(actions_);
    return;
  }
  Workspace& work = *leader.work_;
  work.tasks.push_back({static_cast<std::uint32_t>(work.deciding.size()), observe_for_decision(observation),
                        static_cast<std::uint32_t>(actions_), discount_, decision_key().child(0)});
  work.deciding.push_back(this);
  spent_before_ = memory_costs();
}

ICPI_INLINE void AgentCore::estimate() {
  Workspace& work = *work_;
  serve_none();
  for (auto* agent : work.deciding) serve_also(*agent);
  const RolloutModelRef model = serving_model();
  work.results.resize(std::max(work.results.size(), work.tasks.size()));
  const auto results = std::span(work.results).first(work.tasks.size());
  switch (options_.rule) {
    case ActionRule::rollouts: return work.engine.run(model, work.tasks, options_.rollouts, results);
    case ActionRule::planning:
      return work.planner.run(model, work.tasks, options_.rollouts, options_.node_limit, results);
    case ActionRule::rollout_policy: return ask_policy(model);
  }
}

/// One action question each. An invalid answer becomes a random action.
ICPI_INLINE void AgentCore::ask_policy(RolloutModelRef model) {
  for (std::size_t i = 0; i < work_->tasks.size(); ++i) {
    const auto& task = work_->tasks[i];
    auto& result = work_->results[i];
    result.returns.resize(0, 0);
    result.costs = {};
    Answer answer;
    for (int attempt = 0; attempt < options_.rollouts.attempts && answer.status != AnswerStatus::valid; ++attempt) {
      Question question;
      question.kind = QueryKind::action;
      question.lane = task.lane;
      question.observation = task.observation;
      question.attempt = static_cast<std::uint32_t>(attempt);
      question.key = task.key;
      model.answer(std::span(&question, 1), std::span(&answer, 1));
      ++result.costs.rounds;
      if (attempt > 0) ++result.costs.retries;
      if (answer.status == AnswerStatus::impossible || answer.final) break;
    }
    RandomStream stream(task.key.child(0));
    AgentCore& agent = *work_->deciding[i];
    agent.decision_.action = answer.status == AnswerStatus::valid ? answer.action : stream.index(agent.actions_);
  }
}

/// Takes the values of task number `task` and acts greedily.
ICPI_INLINE void AgentCore::choose(AgentCore& leader, std::size_t task) {
  const auto& result = leader.work_->results[task];
  decision_.costs = result.costs;
  decision_.costs += memory_costs() - spent_before_;
  if (options_.rule == ActionRule::rollout_policy) return;
  decision_.returns = result.returns;
  decision_.values.resize(actions_);
  for (std::size_t action = 0; action < actions_; ++action) {
    double sum = 0;
    for (std::size_t rollout = 0; rollout < result.returns.rollouts(); ++rollout)
      sum += result.returns(action, rollout);
    const double mean = sum / static_cast<double>(result.returns.rollouts());
    // Sums of huge rewards may overflow; an undefined value is never the best one.
    decision_.values[action] = std::isnan(mean) ? -std::numeric_limits<double>::infinity() : mean;
  }
  if (options_.novelty_bonus != 0) add_novelty(leader.work_->tasks[task].observation);
  decision_.action = greedy_action();
}

ICPI_INLINE void AgentCore::add_novelty(ObservationId observation) {
  for (std::uint32_t action = 0; action < actions_; ++action) {
    if (!memory_tried(observation, action)) decision_.values[action] += options_.novelty_bonus;
  }
}

/// The best action; ties are broken uniformly at random.
ICPI_INLINE std::size_t AgentCore::greedy_action() const {
  // Values closer than this part of the highest (of 1, if that is less) are equal: sums of the same rewards in another
  // order differ by rounding.
  constexpr double tie_tolerance = 1e-9;
  const auto& values = decision_.values;
  const double highest = *std::max_element(values.begin(), values.end());
  const double best = std::isfinite(highest) ? highest - tie_tolerance * std::max(1.0, std::abs(highest)) : highest;
  const auto ties = std::count_if(values.begin(), values.end(), [best](double value) { return value >= best; });
  RandomStream stream(decision_key().child(2));
  std::size_t skip = stream.index(static_cast<std::size_t>(ties));
  std::size_t action = 0;
  while (values[action] < best || skip-- > 0) ++action;
  return action;
}

}  // namespace icpi
