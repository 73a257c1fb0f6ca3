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
  using Lane = PromptLane<Env, default_formatter_t<Env>, TrajectoryBuffer<Env>>;
  using Model = PromptedRolloutModel;

  RepeatedDecisions(LM lm, const DecisionShape& shape)
      : shape_(shape), lm_(std::make_unique<LM>(std::move(lm))), model_(*lm_, shape.queries) {
    for (std::size_t i = 0; i < shape.environments; ++i) add_lane(i);
    for (auto& lane : lanes_) served_.push_back(lane.get());
    model_.serve(served_);
    results_.resize(lanes_.size());
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
  [[nodiscard]] Lane& lane() noexcept { return *lanes_[0]; }
  [[nodiscard]] const RolloutEngine& engine() const noexcept { return engine_; }
  [[nodiscard]] std::span<const DecisionTask> tasks(std::size_t number) const { return decisions_[number]; }
  [[nodiscard]] std::span<const DecisionResult> results() const noexcept { return results_; }
  [[nodiscard]] std::size_t different() const noexcept { return decisions_.size(); }

  /// What answering has cost so far.
  [[nodiscard]] Costs costs() const {
    Costs sum;
    for (const auto& lane : lanes_) sum += lane->costs;
    return sum;
  }

  /// Imagined steps of the last decision.
  [[nodiscard]] std::size_t imagined_steps() const {
    std::size_t steps = 0;
    for (const auto& rollout : engine_.rollouts()) steps += rollout.steps().size();
    return steps;
  }

  /// Puts the lanes into the state in which decision `number` was made.
  void begin(std::size_t number) {
    for (auto& lane : lanes_) {
      lane->state().decision = number + 1;
      lane->state().memo.clear();
    }
  }

 private:
  void add_lane(std::size_t number) {
    const Env env;
    auto& lane = lanes_.emplace_back(std::make_unique<Lane>(
        env, TrajectoryBuffer<Env>(env), make_formatter<default_formatter_t<Env>>(env), shape_.prompts,
        [](std::string_view text) { return estimated_tokens(text); }, RandomKey(number).child(0)));
    Env playing;
    for (std::size_t episode = 0; episode < shape_.episodes; ++episode) {
      lane->append(random_episode(playing, RandomKey(number).child(1).child(episode).seed()));
    }
    lane->begin_episode(shape_.episodes);
  }

  void add_decisions() {
    Env env;
    const auto actions = shape_.actions != 0 ? shape_.actions : static_cast<std::uint32_t>(env.actions().size());
    for (std::size_t number = 0; number < shape_.different; ++number) {
      auto& tasks = decisions_.emplace_back();
      for (std::uint32_t lane = 0; lane < lanes_.size(); ++lane) {
        const RandomKey key = RandomKey(number).child(2).child(lane);
        const auto observation = lanes_[lane]->observe(env.reset(key.child(0).seed()));
        tasks.push_back({lane, observation, actions, env.discount(), key.child(1)});
      }
    }
  }

  void run(std::size_t number) {
    begin(number);
    engine_.run(model_, decisions_[number], shape_.rollouts, results_);
  }

  DecisionShape shape_;
  std::unique_ptr<LM> lm_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<PromptContext*> served_;
  Model model_;
  RolloutEngine engine_;
  std::vector<std::vector<DecisionTask>> decisions_;
  std::vector<DecisionResult> results_;
  std::size_t next_ = 0;
};

}  // namespace icpi::testing
