// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/core/error.hpp"
#include "icpi/policy/rollout_agent.hpp"
#include "icpi/policy/training.hpp"
#include "icpi/policy/validation.hpp"
#include "icpi/prompt/prompt_lane.hpp"
#include "icpi/prompt/prompted_rollout_model.hpp"
#include "icpi/replay/trajectory_buffer.hpp"

namespace icpi {

/// In-Context Policy Iteration (Brooks, Walls, Lewis, Singh 2023): a frozen language model, through prompts alone, is
/// world model and rollout policy; the agent acts greedily on imagined rollouts; what it lives through goes back into
/// the prompts.
///
/// Two loops: train(env, limits), or begin_episode / act / observe where a host steps its environment itself.
/// Equal options, seeds and models give equal runs for any batch size and thread count.
/// Thread-safety: one object by one thread at a time; objects that share a model count as one.
template <Environment Env, LanguageModel LM, PromptFormatter<Env> Formatter = default_formatter_t<Env>,
          ReplayBuffer<Env> Buffer = TrajectoryBuffer<Env>>
class PolicyIteration : public RolloutAgent<Env, PromptLane<Env, Formatter, Buffer>, PromptedRolloutModel> {
  using Lane = PromptLane<Env, Formatter, Buffer>;

 public:
  /// What act_together takes.
  using Base = RolloutAgent<Env, Lane, PromptedRolloutModel>;

  /// `model` must outlive the agent. `experience` may hold trajectories from before.
  /// Throws InvalidArgument for options out of range, a context that the model does not have, actions that are not told
  /// apart by their texts, and a formatter that does not read back what it writes.
  PolicyIteration(const Env& env, LM& model, const PolicyIterationOptions& options, Formatter formatter,
                  Buffer experience)
      : Base(env, make_lane(env, model, options, std::move(formatter), std::move(experience)),
             PromptedRolloutModel(model, checked_queries(options)), options.seed, options.decisions),
        environment_key_(RandomKey(options.seed).child(0)) {}

  /// Without experience. The formatter is made from the environment where it can be.
  PolicyIteration(const Env& env, LM& model, const PolicyIterationOptions& options = {})
      : PolicyIteration(env, model, options, make_formatter<Formatter>(env), Buffer(env)) {}

  /// Without experience.
  PolicyIteration(const Env& env, LM& model, const PolicyIterationOptions& options, Formatter formatter)
      : PolicyIteration(env, model, options, std::move(formatter), Buffer(env)) {}

  /// Plays whole episodes in `env` until a limit is reached or the model's budget is used up, and learns. The last episode
  /// is completed, unless the budget ends it. Episode number n starts with
  /// reset(RandomKey(seed).child(0).child(n).seed()). Throws InvalidArgument when the environment's actions are no longer
  /// those that the agent was made with.
  TrainingResult train(Env& env, TrainingLimits limits) {
    check_training_limits(limits);
    TrainingResult result;
    while (result.episodes < limits.episodes && result.steps < limits.steps) {
      const Played played = play(env, EpisodeKind::training, limits.episode_steps);
      result.steps += played.steps;
      if (!played.whole) {
        result.end = TrainingEnd::budget;
        return result;
      }
      ++result.episodes;
    }
    result.end = result.steps >= limits.steps ? TrainingEnd::steps : TrainingEnd::episodes;
    return result;
  }

  /// Plays one episode without learning, truncated after `episode_steps`. Returns its undiscounted return. Throws Error
  /// when the model's budget is used up, InvalidArgument as train().
  double evaluate(Env& env, std::size_t episode_steps = default_episode_steps) {
    check_training_limits({.episode_steps = episode_steps});
    const Played played = play(env, EpisodeKind::evaluation, episode_steps);
    if (!played.whole) throw Error("evaluate: the model's budget is used up");
    return played.undiscounted_return;
  }

 private:
  /// The rollout model starts threads: nothing may be left to find out after that. Which argument is made first is unspecified.
  static const QueryOptions& checked_queries(const PolicyIterationOptions& options) {
    check_options(options);
    return options.queries;
  }

  static std::unique_ptr<Lane> make_lane(const Env& env, LM& model, const PolicyIterationOptions& options,
                                         Formatter formatter, Buffer experience) {
    check_options(options);
    check_context_fits(model, options);
    return std::unique_ptr<Lane>(new Lane(env, std::move(experience), std::move(formatter), options.prompts,
                                          token_counter(model), Base::agent_key(options.seed).child(0)));
  }

  struct Played {
    std::size_t steps = 0;
    double undiscounted_return = 0;
    bool whole = false;  ///< false: the budget ended it
  };

  Played play(Env& env, EpisodeKind kind, std::size_t episode_steps) {
    check_same_actions(env, this->actions());
    Played played;
    auto observation = env.reset(environment_key_.child(this->episodes()).seed());
    this->begin_episode(observation, kind);
    while (!played.whole) {
      const auto action = this->act(observation);
      if (this->decision().costs.over_budget > 0) break;
      auto step = env.step(action);
      ++played.steps;
      step.truncated = step.truncated || (played.steps == episode_steps && !step.terminated);
      this->observe(step);
      played.undiscounted_return += step.reward;
      played.whole = step.terminated || step.truncated;
      observation = std::move(step.observation);
    }
    return played;
  }

  RandomKey environment_key_;
};

}  // namespace icpi
