// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "icpi/core/check_option.hpp"
#include "icpi/core/random.hpp"
#include "icpi/rollout/policy_alone.hpp"
#include "icpi/rollout/question_flow.hpp"

namespace icpi {

static_assert(EstimatesValues<PolicyAlone>);

ICPI_INLINE std::string PolicyAlone::description() const { return fmt::format("policy_alone(attempts={})", attempts); }

ICPI_INLINE void PolicyAlone::check() const {
  check_option(attempts >= 1 && attempts <= 255, "attempts", attempts, "1 to 255");
}

ICPI_INLINE void PolicyAlone::estimate(const Imagination& imagination, std::span<const DecisionTask> tasks,
                                       std::span<DecisionResult> results) const {
  const RolloutModelRef model = imagination.model();
  QuestionFlow flow;
  flow.start(model, imagination.until());
  const auto ask = [&](std::uint32_t number, std::uint32_t attempt) {
    Question question;
    question.kind = QueryKind::action;
    question.prompt_context = tasks[number].prompt_context;
    question.observation = tasks[number].observation;
    question.attempt = attempt;
    question.key = tasks[number].key;
    if (attempt > 0) ++results[number].costs.retries;
    results[number].costs.rounds = flow.batch();
    flow.ask(question, number);
  };
  std::vector<Answer> answers(tasks.size(), Answer{AnswerStatus::failed});
  std::vector<char> open(tasks.size(), true);  // no answer yet to the last attempt
  const auto exchange = [&] {
    if (!flow.open()) return false;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> again;
    const auto take = [&](std::uint32_t number, const Question& question, const Answer& answer) {
      answers[number] = answer;
      open[number] = worth_another_attempt(answer, question.attempt, attempts);
      if (open[number]) again.emplace_back(number, question.attempt + 1);
    };
    flow.exchange(
        model, [](std::uint32_t) { return true; }, take);
    for (const auto& [number, attempt] : again) ask(number, attempt);
    return true;
  };
  for (std::uint32_t number = 0; number < tasks.size(); ++number) {
    results[number].clear();
    ask(number, 0);
  }
  flow.run(model, exchange, [&](std::uint32_t number) { ++results[number].costs.wasted; });
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    results[i].cut_short = imagination.until().over() && (open[i] || answers[i].status == AnswerStatus::failed);
    if (results[i].cut_short) continue;
    RandomStream stream(tasks[i].key.child(0));
    const bool valid = answers[i].status == AnswerStatus::valid && is_legal(tasks[i].legal, answers[i].action);
    results[i].action = valid ? answers[i].action : draw_legal(tasks[i].legal, tasks[i].actions, stream);
  }
}

#if !defined(ICPI_HEADER_ONLY)
template struct HeldStrategy<ValueEstimatorCalls, ValueEstimatorCalls::Of<PolicyAlone>, PolicyAlone>;
template struct ValueEstimatorCalls::Of<PolicyAlone>;
#endif

}  // namespace icpi
