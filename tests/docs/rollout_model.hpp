// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "icpi/concepts/rollout_model.hpp"
#include "icpi/core/random.hpp"

namespace skeletons {

/// A walk along numbered observations: action 0 stays, action 1 goes to the next one; arriving at `goal` ends it, with
/// reward 1. The rollout policy chooses at random.
class RandomWalkModel {
 public:
  explicit RandomWalkModel(icpi::ObservationId goal) : goal_(goal) {}

  // answers[i] depends on questions[i] alone: what is random is drawn from the question's own key.
  void answer(std::span<const icpi::Question> questions, std::span<icpi::Answer> answers) const {
    for (std::size_t i = 0; i < questions.size(); ++i) answers[i] = answer(questions[i]);
  }

 private:
  [[nodiscard]] icpi::Answer answer(const icpi::Question& question) const {
    icpi::Answer answer{.status = icpi::AnswerStatus::valid};
    const bool arrives = question.action == 1 && question.observation + 1 == goal_;
    switch (question.kind) {
      case icpi::QueryKind::termination: answer.terminated = arrives; break;
      case icpi::QueryKind::reward: answer.reward = arrives ? 1 : 0; break;
      case icpi::QueryKind::observation: answer.observation = question.observation + question.action; break;
      case icpi::QueryKind::action:
        answer.action = static_cast<std::uint32_t>(icpi::RandomStream(question.key).index(2));
        break;
      case icpi::QueryKind::transition: break;  // never asked: there is no whole_transitions()
    }
    return answer;
  }

  icpi::ObservationId goal_;
};

static_assert(icpi::RolloutModel<RandomWalkModel>);

}  // namespace skeletons
