// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "icpi/models/oracle.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "icpi/prompt/prompt_state.hpp"
#include "icpi/rollout/engine.hpp"
#include "support/random_episodes.hpp"
#include "support/replaying_model.hpp"

namespace icpi::testing {

/// Recorded valid answers of a perfect world model.
template <class Env>
using FreeModel = ReplayingModel<OracleModel<Env>>;
/// The same, asynchronous.
template <class Env>
using FreeSubmittedModel = SubmittedReplayingModel<OracleModel<Env>>;

/// What RepeatedDecisions decides about.
struct DecisionShape {
  PromptOptions prompts = paper_options().prompts;
  QueryOptions queries = paper_options().queries;
  RolloutOptions rollouts{};
  std::size_t episodes = 500;  ///< of random experience
  std::uint32_t actions = 0;   ///< whose values are asked for; 0: all
  std::size_t environments = 1;
  std::size_t different = 8;  ///< decisions that are repeated in turn
};

/// Everything between an observation and its values, with a model that costs nothing: a few different decisions are
/// made once with a true model, and then again and again with the answers that were given.
template <Environment Env, class LM = FreeModel<Env>>
class RepeatedDecisions {
 public:
  using Memory = TypedPromptContext<Env, default_formatter_t<Env>, TrajectoryBuffer<Env>>;
  using Model = PromptedRolloutModel;

  RepeatedDecisions(LM lm, const DecisionShape& shape)
      : shape_(shape), lm_(std::make_unique<LM>(std::move(lm))), model_(*lm_, shape.queries) {
    for (std::size_t i = 0; i < shape.environments; ++i) add_lane(i);
    for (auto& prompt_context : prompt_contexts_) model_.serve_also(*prompt_context);
    results_.resize(prompt_contexts_.size());
    add_decisions();
    for (std::size_t number = 0; number < decisions_.size(); ++number) {
      lm_->record(number);
      run(number);
    }
  }

  /// Makes the next decision.
  void run() {
    lm_->replay(next_);
    run(next_);
    next_ = (next_ + 1) % decisions_.size();
  }

  [[nodiscard]] LM& language_model() noexcept { return *lm_; }
  [[nodiscard]] Model& model() noexcept { return model_; }
  [[nodiscard]] Memory& memory() noexcept { return *prompt_contexts_[0]; }
  [[nodiscard]] const RolloutEngine& engine() const noexcept { return engine_; }
  [[nodiscard]] std::span<const DecisionTask> tasks(std::size_t number) const { return decisions_[number]; }
  [[nodiscard]] std::span<const DecisionResult> results() const noexcept { return results_; }
  [[nodiscard]] std::size_t different() const noexcept { return decisions_.size(); }

  /// What answering has cost so far.
  [[nodiscard]] Costs costs() const {
    Costs sum;
    for (const auto& prompt_context : prompt_contexts_) sum += prompt_context->costs;
    return sum;
  }

  /// Imagined steps of the last decision.
  [[nodiscard]] std::size_t imagined_steps() const {
    std::size_t steps = 0;
    for (const auto& rollout : engine_.rollouts()) steps += rollout.steps().size();
    return steps;
  }

  /// Puts the prompt contexts into the state in which decision `number` was made.
  void begin(std::size_t number) {
    for (auto& prompt_context : prompt_contexts_) {
      prompt_context->state().decision = number + 1;
      prompt_context->state().memo.clear();
    }
  }

 private:
  void add_lane(std::size_t number) {
    const Env env;
    auto& prompt_context = prompt_contexts_.emplace_back(std::make_unique<Memory>(
        env, TrajectoryBuffer<Env>(env), make_formatter<default_formatter_t<Env>>(env), shape_.prompts,
        [](std::string_view text) { return estimated_tokens(text); }, RandomKey(number).child(0)));
    Env playing;
    for (std::size_t episode = 0; episode < shape_.episodes; ++episode) {
      prompt_context->append(random_episode(playing, RandomKey(number).child(1).child(episode).seed()));
    }
    prompt_context->begin_episode(shape_.episodes);
  }

  void add_decisions() {
    Env env;
    const auto actions = shape_.actions != 0 ? shape_.actions : static_cast<std::uint32_t>(env.actions().size());
    for (std::size_t number = 0; number < shape_.different; ++number) {
      auto& tasks = decisions_.emplace_back();
      for (std::uint32_t prompt_context = 0; prompt_context < prompt_contexts_.size(); ++prompt_context) {
        const RandomKey key = RandomKey(number).child(2).child(prompt_context);
        const auto observation = prompt_contexts_[prompt_context]->observe(env.reset(key.child(0).seed()));
        tasks.push_back({prompt_context, observation, actions, env.discount(), key.child(1)});
      }
    }
  }

  void run(std::size_t number) {
    begin(number);
    engine_.run(model_, decisions_[number], shape_.rollouts, results_);
  }

  DecisionShape shape_;
  std::unique_ptr<LM> lm_;
  std::vector<std::unique_ptr<Memory>> prompt_contexts_;
  Model model_;
  RolloutEngine engine_;
  std::vector<std::vector<DecisionTask>> decisions_;
  std::vector<DecisionResult> results_;
  std::size_t next_ = 0;
};

}  // namespace icpi::testing
