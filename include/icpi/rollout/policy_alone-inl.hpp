// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "icpi/core/check_option.hpp"
#include "icpi/core/random.hpp"
#include "icpi/rollout/policy_alone.hpp"

namespace icpi {

static_assert(EstimatesValues<PolicyAlone>);

ICPI_INLINE std::string PolicyAlone::description() const { return fmt::format("policy_alone(attempts={})", attempts); }

ICPI_INLINE void PolicyAlone::check() const {
  check_option(attempts >= 1 && attempts <= 255, "attempts", attempts, "1 to 255");
}

ICPI_INLINE void PolicyAlone::estimate(const Imagination& imagination, std::span<const DecisionTask> tasks,
                                       std::span<DecisionResult> results) const {
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const DecisionTask& task = tasks[i];
    DecisionResult& result = results[i];
    result.clear();
    Answer answer;
    for (int attempt = 0; attempt < attempts && answer.status != AnswerStatus::valid; ++attempt) {
      Question question;
      question.kind = QueryKind::action;
      question.lane = task.lane;
      question.observation = task.observation;
      question.attempt = static_cast<std::uint32_t>(attempt);
      question.key = task.key;
      imagination.answer(std::span(&question, 1), std::span(&answer, 1));
      ++result.costs.rounds;
      if (attempt > 0) ++result.costs.retries;
      if (answer.status == AnswerStatus::impossible || answer.final) break;
    }
    result.cut_short = imagination.until().over() && answer.status == AnswerStatus::failed;
    if (result.cut_short) continue;
    RandomStream stream(task.key.child(0));
    const bool valid = answer.status == AnswerStatus::valid && is_legal(task.legal, answer.action);
    result.action = valid ? answer.action : draw_legal(task.legal, task.actions, stream);
  }
}

}  // namespace icpi
