// SPDX-License-Identifier: MIT
// A value estimator: value iteration over three sampled outcomes of every imagined edge.
#pragma once

#include <icpi/icpi.hpp>

#include <algorithm>
#include <string>
#include <vector>

struct SampledOutcomes {
  static constexpr std::size_t samples = 3;
  int depth = 3;

  [[nodiscard]] std::string description() const { return "sampled_outcomes(depth=" + std::to_string(depth) + ")"; }

  void estimate(const icpi::Imagination& imagination, std::span<const icpi::DecisionTask> tasks,
                std::span<icpi::DecisionResult> results) const {
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      results[i].clear();
      results[i].values = values(imagination, tasks[i], tasks[i].observation, depth);
    }
  }

 private:
  /// Of all actions at one observation, with `left` steps to go. What cannot be predicted is worth nothing.
  std::vector<double> values(const icpi::Imagination& imagination, const icpi::DecisionTask& task,
                             icpi::ObservationId observation, int left) const {
    std::vector<icpi::Question> questions(task.actions * samples);
    for (std::size_t i = 0; i < questions.size(); ++i) {
      questions[i].prompt_context = task.prompt_context;
      questions[i].observation = observation;
      questions[i].action = static_cast<std::uint32_t>(i / samples);
      questions[i].sample = static_cast<std::uint32_t>(i % samples);
    }
    const auto ask = [&](icpi::QueryKind kind) {
      for (std::size_t i = 0; i < questions.size(); ++i) {
        questions[i].kind = kind;
        questions[i].key = task.key.child(left).child(observation).child(i).child(static_cast<std::uint64_t>(kind));
      }
      std::vector<icpi::Answer> answers(questions.size());
      imagination.answer(questions, answers);
      return answers;
    };
    const auto ended = ask(icpi::QueryKind::termination);
    for (std::size_t i = 0; i < questions.size(); ++i) questions[i].terminated = ended[i].terminated;
    const auto rewards = ask(icpi::QueryKind::reward);
    const auto next = left > 1 ? ask(icpi::QueryKind::observation) : std::vector<icpi::Answer>(questions.size());
    std::vector<double> result(task.actions, 0);
    for (std::size_t i = 0; i < questions.size(); ++i) {
      double value = rewards[i].status == icpi::AnswerStatus::valid ? rewards[i].reward : 0;
      if (!ended[i].terminated && next[i].status == icpi::AnswerStatus::valid)
        value += task.discount * std::ranges::max(values(imagination, task, next[i].observation, left - 1));
      result[i / samples] += value / samples;
    }
    return result;
  }
};
