// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/policy/rollout_agent.hpp"
#include "icpi/policy/validation.hpp"
#include "icpi/prompt/prompt_lane.hpp"
#include "icpi/prompt/prompted_rollout_model.hpp"
#include "icpi/replay/trajectory_buffer.hpp"

namespace icpi {

/// When train() stops, whichever comes first.
struct TrainingLimits {
  std::size_t steps = std::numeric_limits<std::size_t>::max();     ///< environment steps
  std::size_t episodes = std::numeric_limits<std::size_t>::max();  ///< whole episodes
};

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

  /// Plays whole episodes in `env` until a limit is reached, and learns. The last episode is completed. Episode number
  /// n starts with reset(RandomKey(seed).child(0).child(n).seed()). Returns the steps taken.
  std::size_t train(Env& env, TrainingLimits limits) {
    std::size_t steps = 0;
    for (std::size_t episode = 0; episode < limits.episodes && steps < limits.steps; ++episode) {
      steps += play(env, EpisodeKind::training).first;
    }
    return steps;
  }

  /// Plays one episode without learning. Returns its undiscounted return.
  double evaluate(Env& env) { return play(env, EpisodeKind::evaluation).second; }

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

  std::pair<std::size_t, double> play(Env& env, EpisodeKind kind) {
    auto observation = env.reset(environment_key_.child(this->episodes()).seed());
    this->begin_episode(observation, kind);
    double total = 0;
    for (std::size_t steps = 1;; ++steps) {
      auto step = env.step(this->act(observation));
      this->observe(step);
      total += step.reward;
      if (step.terminated || step.truncated) return {steps, total};
      observation = std::move(step.observation);
    }
  }

  RandomKey environment_key_;
};

}  // namespace icpi
