// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/rollout_model.hpp"
#include "icpi/core/check_option.hpp"
#include "icpi/core/error.hpp"
#include "icpi/policy/agent.hpp"
#include "icpi/policy/options.hpp"
#include "icpi/rollout/engine.hpp"
#include "icpi/rollout/planner.hpp"

namespace icpi {

/// How one action was chosen.
struct Decision {
  bool by_model = false;    ///< false: at random, during the warm-up
  std::size_t action = 0;   ///< index into the environment's actions
  Eigen::ArrayXd values;    ///< by action, novelty bonus included; empty when no values were asked for
  Eigen::ArrayXXd returns;  ///< actions x rollouts; what `values` is the mean of
  Costs costs;              ///< of this decision alone
};

/// Whether an episode is for learning.
enum class EpisodeKind : std::uint8_t {
  training,
  evaluation  ///< nothing is remembered, and nothing is done at random once the prompts can be filled
};

/// An agent that acts greedily on imagined rollouts, whatever they are imagined with: PolicyIteration prompts a language
/// model, the matching-model baseline looks steps up.
///
/// Thread-safety: one object by one thread at a time; objects that share a language model count as one.
template <Environment Env, AgentMemory<Env> Lane, RolloutModel Model>
class RolloutAgent {
 public:
  using Observation = typename Env::Observation;  ///< the environment's
  using Action = typename Env::Action;            ///< the environment's

  /// Called when something happened; empty ones are not.
  struct Callbacks {
    std::function<void(const Decision&)> on_decision;          ///< an action was chosen
    std::function<void(const TransitionOf<Env>&)> on_step;     ///< a step was observed
    std::function<void(const TrajectoryOf<Env>&)> on_episode;  ///< an episode ended
  };

  /// Throws InvalidArgument for options out of range and for an environment without actions.
  RolloutAgent(const Env& env, std::unique_ptr<Lane> lane, Model model, std::uint64_t seed,
               const DecisionOptions& options)
      : options_(options),
        discount_(env.discount()),
        key_(agent_key(seed)),
        lane_(std::move(lane)),
        model_(std::move(model)) {
    for (const auto& action : env.actions()) actions_.push_back(action);
    check_options();
  }

  /// The key of everything random in an agent; environments draw from RandomKey(seed).child(0).
  [[nodiscard]] static RandomKey agent_key(std::uint64_t seed) noexcept { return RandomKey(seed).child(1); }

  /// An episode begins. One that was running is abandoned.
  void begin_episode(const Observation&, EpisodeKind kind = EpisodeKind::training) {
    abandon_episode();
    kind_ = kind;
    running_ = true;
    step_ = 0;
    lane_->begin_episode(episode_++);
  }

  /// Chooses an action. Throws InvalidArgument unless an episode is running.
  [[nodiscard]] Action act(const Observation& observation) {
    RolloutAgent* self = this;
    const Observation* where = &observation;
    decide(std::span(&self, 1), std::span(&where, 1));
    return actions_[decision_.action];
  }

  /// Lets agents that share a model decide together, in common batches, each as if it were alone. agents[i] acts on
  /// *observations[i]; the result goes to actions[i]. Throws InvalidArgument, before anything is asked, for spans of
  /// different length, an agent that comes twice or runs no episode, options that are not all equal, and different models. Queries
  /// are shown to the observer of agents[0].
  static void act_together(std::span<RolloutAgent* const> agents, std::span<const Observation* const> observations,
                           std::span<Action> actions) {
    if (actions.size() != agents.size()) throw InvalidArgument("act_together: as many actions as agents");
    decide(agents, observations);
    for (std::size_t i = 0; i < agents.size(); ++i) actions[i] = agents[i]->actions_[agents[i]->decision_.action];
  }

  /// What came of the last action. A terminated or truncated step ends the episode, which is then remembered.
  /// Throws InvalidArgument when the reward is not finite, no action is waiting for a result, or the memory refuses the
  /// step (see PromptBook::check); passes on what formatter and memory throw. Then nothing has changed: the episode may
  /// be abandoned or another result given. Callbacks are called when all is done.
  void observe(const Step<Observation>& step) {
    if (!acted_) throw InvalidArgument("observe: no action is waiting for its result");
    if (!std::isfinite(step.reward)) {
      throw InvalidArgument(fmt::format("observe: the reward {} is not finite", step.reward));
    }
    const bool ends = step.terminated || step.truncated;
    trajectory_.push_back(
        {*acted_, actions_[decision_.action], step.reward, step.terminated, step.truncated, step.observation});
    try {
      if (kind_ == EpisodeKind::training) remember(ends);
    } catch (...) {
      trajectory_.pop_back();
      throw;
    }
    acted_.reset();
    ++step_;
    running_ = !ends;
    if (callbacks_.on_step) callbacks_.on_step(trajectory_.back());
    if (ends && callbacks_.on_episode) callbacks_.on_episode(trajectory_);
  }

  /// Adds recorded experience, all or nothing. Not during an episode. Throws as TrajectoryBuffer::append.
  void import(const TrajectoryOf<Env>& trajectory) {
    if (running_) throw InvalidArgument("import: an episode is running");
    lane_->append(trajectory);
  }

  /// How the last action was chosen.
  [[nodiscard]] const Decision& decision() const noexcept { return decision_; }
  /// The rollouts behind the last decision, by action then sample, if this agent decided alone; none behind a random one.
  [[nodiscard]] std::span<const Rollout> rollouts() const noexcept {
    return decision_.by_model ? engine_.rollouts() : std::span<const Rollout>();
  }
  /// Everything spent so far.
  [[nodiscard]] const Costs& costs() const noexcept { return costs_; }
  /// Episodes begun so far.
  [[nodiscard]] std::size_t episodes() const noexcept { return episode_; }
  /// Experience and prompts.
  [[nodiscard]] Lane& lane() noexcept { return *lane_; }
  /// Experience and prompts.
  [[nodiscard]] const Lane& lane() const noexcept { return *lane_; }
  /// What answers the questions of rollouts.
  [[nodiscard]] Model& model() noexcept { return model_; }
  /// Set these to be told what happens.
  [[nodiscard]] Callbacks& callbacks() noexcept { return callbacks_; }
  /// The environment's actions, in its order.
  [[nodiscard]] std::span<const Action> actions() const noexcept { return actions_; }

 private:
  void check_options() const {
    check_option(!actions_.empty(), "number of the environment's actions", actions_.size(), "at least 1");
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

  [[nodiscard]] RandomKey decision_key() const { return key_.child(1).child(episode_).child(step_); }

  /// Whether this decision is the model's; draws from the decision's own stream.
  [[nodiscard]] bool asks_model() {
    if (options_.rule != ActionRule::rollout_policy && !lane_->ready()) return false;
    if (kind_ == EpisodeKind::evaluation) return lane_->trajectories() > 0;
    RandomStream stream(decision_key().child(1));
    return stream.uniform() < options_.warm_up.probability(lane_->trajectories());
  }

  static void decide(std::span<RolloutAgent* const> agents, std::span<const Observation* const> observations) {
    if (agents.empty()) return;
    RolloutAgent& first = *agents[0];
    first.tasks_.clear();
    first.deciding_.clear();
    first.lanes_.clear();
    if (agents.size() != observations.size()) throw InvalidArgument("act_together: as many observations as agents");
    check_together(agents);
    for (std::size_t i = 0; i < agents.size(); ++i) agents[i]->prepare(first, *observations[i]);
    try {
      if (!first.tasks_.empty()) first.estimate();
    } catch (...) {  // what was spent was spent
      for (auto* agent : first.deciding_) agent->costs_ += agent->lane_->costs - agent->spent_before_;
      throw;
    }
    for (std::size_t i = 0, task = 0; i < agents.size(); ++i) {
      RolloutAgent& agent = *agents[i];
      if (agent.decision_.by_model) agent.choose(first, task++);
      agent.acted_ = *observations[i];
      agent.costs_ += agent.decision_.costs;
      if (agent.callbacks_.on_decision) agent.callbacks_.on_decision(agent.decision_);
    }
  }

  static void check_together(std::span<RolloutAgent* const> agents) {
    bool distinct = true;
    for (auto* agent : agents) distinct = !std::exchange(agent->joins_, true) && distinct;
    for (auto* agent : agents) agent->joins_ = false;
    if (!distinct) throw InvalidArgument("act_together: an agent comes twice");
    for (const auto* agent : agents) {
      if (!agent->running_) throw InvalidArgument("act: begin_episode comes first");
      if (!(agent->options_ == agents[0]->options_)) {
        throw InvalidArgument("act_together: the agents' DecisionOptions differ");
      }
      if constexpr (requires { agent->model_.agrees_with(agent->model_); }) {
        if (!agent->model_.agrees_with(agents[0]->model_))
          throw InvalidArgument("act_together: the agents' models or QueryOptions differ");
      }
    }
  }

  /// Decides at random, or puts this agent's task on the leader's list.
  void prepare(RolloutAgent& leader, const Observation& observation) {
    acted_.reset();
    decision_.by_model = asks_model();
    decision_.values.resize(0);
    decision_.returns.resize(0, 0);
    decision_.costs = {};
    if (!decision_.by_model) {
      RandomStream stream(decision_key().child(2));
      decision_.action = stream.index(actions_.size());
      return;
    }
    leader.tasks_.push_back({static_cast<std::uint32_t>(leader.lanes_.size()), lane_->observe(observation),
                             static_cast<std::uint32_t>(actions_.size()), discount_, decision_key().child(0)});
    leader.lanes_.push_back(lane_.get());
    leader.deciding_.push_back(this);
    spent_before_ = lane_->costs;
  }

  void estimate() {
    model_.serve(lanes_);
    results_.resize(std::max(results_.size(), tasks_.size()));
    const auto results = std::span(results_).first(tasks_.size());
    switch (options_.rule) {
      case ActionRule::rollouts: return engine_.run(model_, tasks_, options_.rollouts, results);
      case ActionRule::planning: return planner_.run(model_, tasks_, options_.rollouts, options_.node_limit, results);
      case ActionRule::rollout_policy: return ask_policy(results);
    }
  }

  /// One action question each. An invalid answer becomes a random action.
  void ask_policy(std::span<DecisionResult> results) {
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      const auto& task = tasks_[i];
      results[i].returns.resize(0, 0);
      results[i].costs = {};
      Answer answer;
      for (int attempt = 0; attempt < options_.rollouts.attempts && answer.status != AnswerStatus::valid; ++attempt) {
        Question question;
        question.kind = QueryKind::action;
        question.lane = task.lane;
        question.observation = task.observation;
        question.attempt = static_cast<std::uint32_t>(attempt);
        question.key = task.key;
        model_.answer(std::span(&question, 1), std::span(&answer, 1));
        ++results[i].costs.rounds;
        if (attempt > 0) ++results[i].costs.retries;
        if (answer.status == AnswerStatus::impossible || answer.final) break;
      }
      RandomStream stream(task.key.child(0));
      deciding_[i]->decision_.action =
          answer.status == AnswerStatus::valid ? answer.action : stream.index(deciding_[i]->actions_.size());
    }
  }

  /// Takes the values of task number `task` and acts greedily; ties are broken uniformly at random.
  void choose(RolloutAgent& leader, std::size_t task) {
    auto& result = leader.results_[task];
    decision_.costs = result.costs;
    decision_.costs += lane_->costs - spent_before_;
    if (options_.rule == ActionRule::rollout_policy) return;
    decision_.returns = result.returns;
    decision_.values = result.returns.rowwise().mean();
    // Sums of huge rewards may overflow; an undefined value is never the best one.
    decision_.values =
        decision_.values.isNaN().select(-std::numeric_limits<double>::infinity(), decision_.values).eval();
    if (options_.novelty_bonus != 0) {
      for (std::uint32_t action = 0; action < actions_.size(); ++action) {
        if (!lane_->tried(leader.tasks_[task].observation, action)) decision_.values(action) += options_.novelty_bonus;
      }
    }
    const double highest = decision_.values.maxCoeff();
    const double best = std::isfinite(highest) ? highest - tie_tolerance * std::max(1.0, std::abs(highest)) : highest;
    RandomStream stream(decision_key().child(2));
    std::size_t skip = stream.index(static_cast<std::size_t>((decision_.values >= best).count()));
    Eigen::Index action = 0;
    while (decision_.values(action) < best || skip-- > 0) ++action;
    decision_.action = static_cast<std::size_t>(action);
  }

  /// Hands the newest step to the memory: online at once, else with the whole episode when that `ends`.
  void remember(bool ends) {
    if (options_.online) {
      lane_->extend(trajectory_.back());
      if (ends) lane_->close();
    } else if (ends) {
      lane_->append(trajectory_);
    } else {
      lane_->check(trajectory_.back());
    }
  }

  /// An episode that was not finished is not remembered, except online, where its steps already are.
  void abandon_episode() {
    if (running_ && options_.online && kind_ == EpisodeKind::training) lane_->close();
    running_ = false;
    acted_.reset();
    trajectory_.clear();
  }

  /// Values closer than this part of the highest (of 1, if that is less) are equal: sums of the same rewards in another
  /// order differ by rounding.
  static constexpr double tie_tolerance = 1e-9;

  DecisionOptions options_;
  double discount_;
  RandomKey key_;
  std::unique_ptr<Lane> lane_;
  Model model_;
  std::vector<Action> actions_;
  Callbacks callbacks_;

  EpisodeKind kind_ = EpisodeKind::training;
  bool running_ = false;
  bool joins_ = false;  ///< seen by check_together
  std::uint64_t episode_ = 0;
  std::uint64_t step_ = 0;
  std::optional<Observation> acted_;
  TrajectoryOf<Env> trajectory_;
  Decision decision_;
  Costs costs_;
  Costs spent_before_;

  RolloutEngine engine_;
  Planner planner_;
  std::vector<DecisionTask> tasks_;
  std::vector<DecisionResult> results_;
  std::vector<Lane*> lanes_;
  std::vector<RolloutAgent*> deciding_;
};

}  // namespace icpi
