// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include "icpi/rollout/engine.hpp"

namespace icpi::testing {

/// The paper's algorithm word for word: one rollout after the other, one question after the other. What the batched
/// engine must agree with.
template <RolloutModel Model>
class SequentialRollouts {
 public:
  SequentialRollouts(Model& model, const RolloutOptions& options) : model_(&model), options_(options) {}

  [[nodiscard]] ReturnTable run(const DecisionTask& task) {
    ReturnTable returns;
    returns.resize(task.actions, static_cast<std::size_t>(options_.rollouts_per_action));
    for (std::uint32_t action = 0; action < task.actions; ++action) {
      for (std::uint32_t sample = 0; sample < static_cast<std::uint32_t>(options_.rollouts_per_action); ++sample) {
        returns(action, sample) = rollout(task, action, sample);
      }
    }
    return returns;
  }

  std::uint64_t questions = 0;

 private:
  double rollout(const DecisionTask& task, std::uint32_t action, std::uint32_t sample) {
    const RandomKey key = task.key.child(std::uint64_t{action} << 32 | sample);
    Question question;
    question.prompt_context = task.prompt_context;
    question.observation = task.observation;
    question.action = action;
    question.sample = sample;
    double sum = 0;
    double weight = 1;
    for (question.step = 0;; ++question.step) {
      question.terminated = false;
      const auto ended = ask(question, QueryKind::termination, key);
      if (ended.status != AnswerStatus::valid) return sum;
      question.terminated = ended.terminated;
      const auto reward = ask(question, QueryKind::reward, key);
      if (reward.status != AnswerStatus::valid) return sum;
      sum += weight * reward.reward;
      weight *= task.discount;
      if (ended.terminated || static_cast<int>(question.step) + 1 == options_.step_limit) return sum;
      const auto next = ask(question, QueryKind::observation, key);
      if (next.status != AnswerStatus::valid) return sum;
      question.observation = next.observation;
      const auto chosen = next_action(question, key, task.actions);
      if (!chosen) return sum;
      question.action = *chosen;
    }
  }

  /// None when the infrastructure failed.
  std::optional<std::uint32_t> next_action(Question question, RandomKey key, std::uint32_t actions) {
    const RandomKey own = key.child((std::uint64_t{1} << 32) + question.step);
    RandomStream stream(own);
    if (options_.random_action_rate > 0 && stream.uniform() < options_.random_action_rate) {
      return static_cast<std::uint32_t>(stream.index(actions));
    }
    question.action = 0;
    const auto answer = ask(question, QueryKind::action, key);
    if (answer.status == AnswerStatus::valid) return answer.action;
    if (answer.status == AnswerStatus::failed) return std::nullopt;
    return static_cast<std::uint32_t>(RandomStream(own.child(0)).index(actions));
  }

  Answer ask(Question question, QueryKind kind, RandomKey key) {
    question.kind = kind;
    if (kind != QueryKind::reward) question.terminated = false;
    question.key = key.child(question.step * query_kinds.size() + static_cast<std::size_t>(kind));
    Answer answer;
    for (question.attempt = 0; static_cast<int>(question.attempt) < options_.attempts; ++question.attempt) {
      answer = Answer{};
      model_->answer(std::span(&question, 1), std::span(&answer, 1));
      ++questions;
      if (answer.status == AnswerStatus::valid || answer.status == AnswerStatus::impossible) break;
    }
    return answer;
  }

  Model* model_;
  RolloutOptions options_;
};

}  // namespace icpi::testing
