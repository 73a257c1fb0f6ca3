// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "icpi/core/random.hpp"
#include "icpi/rollout/question_flow.hpp"
#include "icpi/rollout/rollout.hpp"

namespace icpi {

ICPI_INLINE void Rollout::restart(const Start& start) {
  start_ = start;
  step_ = 0;
  acting_ = false;
  end_ = RolloutEnd::running;
  weight_ = 1;
  value_ = 0;
  now_ = {start.observation, start.action, 0, false};
  parts_ = {};
  steps_.clear();
}

ICPI_INLINE void Rollout::ask(const RolloutOptions& options, Costs& costs, std::vector<Question>& questions) {
  if (done()) return;
  for (std::uint8_t part = 0; part < parts; ++part) {
    auto& pending = parts_[part];
    if (pending.state != State::idle || !wanted(static_cast<Part>(part), options)) continue;
    if (pending.attempt > 0) ++costs.retries;
    pending.state = State::asked;
    questions.push_back(question(static_cast<Part>(part), pending.attempt));
  }
}

ICPI_INLINE void Rollout::take(const Question& question, const Answer& answer, const RolloutOptions& options,
                               Costs& costs, const RolloutModelRef* model) {
  const Part part = part_of(question);
  if (done() || question.step != step_ || acting_ != (part == action)) {
    ++costs.wasted;
    return;
  }
  auto& pending = parts_[part];
  const bool transition = question.kind == QueryKind::transition;
  pending.answer = answer;
  if (suffices(answer, transition, options)) {
    pending.state = State::valid;
  } else if (worth_another_attempt(answer, pending.attempt, options.attempts)) {
    pending.state = State::idle;
    ++pending.attempt;
  } else {
    pending.state = State::lost;
  }
  if (transition && pending.state != State::idle) divide(answer);
  settle(options, costs, model);
}

ICPI_INLINE Rollout::Part Rollout::part_of(const Question& question) noexcept {
  switch (question.kind) {
    case QueryKind::termination:
    case QueryKind::transition: return termination;
    case QueryKind::reward: return question.terminated ? reward_if_terminated : reward;
    case QueryKind::observation: return observation;
    case QueryKind::action: break;
  }
  return action;
}

ICPI_INLINE Question Rollout::question(Part part, std::uint32_t attempt) const {
  static constexpr std::array kinds{QueryKind::termination, QueryKind::reward, QueryKind::reward,
                                    QueryKind::observation, QueryKind::action};
  Question question;
  question.kind = start_.whole_transitions && part == termination ? QueryKind::transition : kinds[part];
  question.terminated = part == reward_if_terminated;
  question.prompt_context = start_.prompt_context;
  question.action = part == action ? 0 : now_.action;
  question.observation = part == action ? parts_[observation].answer.observation : now_.observation;
  question.sample = start_.sample;
  question.attempt = attempt;
  question.step = step_;
  question.key = start_.key.child(step_ * query_kinds.size() + static_cast<std::size_t>(question.kind));
  return question;
}

ICPI_INLINE bool Rollout::last_step(const RolloutOptions& options) const {
  return static_cast<int>(step_) + 1 >= options.step_limit;
}

ICPI_INLINE bool Rollout::suffices(const Answer& answer, bool transition, const RolloutOptions& options) const {
  return answer.status == AnswerStatus::valid || (transition && last_step(options) && answer.parts == 2);
}

ICPI_INLINE void Rollout::divide(const Answer& whole) {
  const auto tell = [&](Part part, bool told) {
    parts_[part].state = told ? State::valid : State::lost;
    parts_[part].answer = whole;
  };
  tell(termination, whole.parts >= 1);
  if (whole.parts >= 1) tell(whole.terminated ? reward_if_terminated : reward, whole.parts >= 2);
  if (whole.parts >= 2 && !whole.terminated) tell(observation, whole.parts >= 3);
}

ICPI_INLINE bool Rollout::wanted(Part part, const RolloutOptions& options) const {
  const bool known = parts_[termination].state == State::valid;
  const bool terminated = known && parts_[termination].answer.terminated;
  const bool guess = options.speculate && !start_.whole_transitions && !known && parts_[part].attempt == 0;
  switch (part) {
    case termination: return true;
    case reward: return known ? !terminated : guess;
    case reward_if_terminated: return known ? terminated : guess;
    case observation: return !last_step(options) && (known ? !terminated : guess);
    default: return acting_;
  }
}

ICPI_INLINE void Rollout::settle(const RolloutOptions& options, Costs& costs, const RolloutModelRef* model) {
  if (acting_) return settle_action(model);
  const auto& ended = parts_[termination];
  if (ended.state == State::lost) {
    costs.wasted += answers(reward) + answers(reward_if_terminated) + answers(observation);
    return finish_without(ended);
  }
  if (ended.state != State::valid) return;
  const Part likely = ended.answer.terminated ? reward_if_terminated : reward;
  const auto& gain = parts_[likely];
  if (gain.state == State::lost) {
    costs.wasted += answers(likely == reward ? reward_if_terminated : reward) + answers(observation);
    return finish_without(gain);
  }
  if (gain.state != State::valid) return;
  const auto& next = parts_[observation];
  const bool leaves = ended.answer.terminated || last_step(options);
  if (!leaves && next.state != State::valid && next.state != State::lost) return;
  now_.terminated = ended.answer.terminated;
  now_.reward = gain.answer.reward;
  steps_.push_back(now_);
  value_ += weight_ * now_.reward;
  weight_ *= start_.discount;
  costs.wasted += answers(likely == reward ? reward_if_terminated : reward);
  if (now_.terminated) costs.wasted += answers(observation);
  if (leaves) {
    end_ = now_.terminated ? RolloutEnd::terminated : RolloutEnd::step_limit;
  } else if (next.state == State::lost) {
    finish_without(next);
  } else {
    begin_action(options, model);
  }
}

ICPI_INLINE std::uint32_t Rollout::answers(Part part) const {
  const auto& pending = parts_[part];
  return pending.attempt + (pending.state == State::valid || pending.state == State::lost ? 1 : 0);
}

ICPI_INLINE void Rollout::begin_action(const RolloutOptions& options, const RolloutModelRef* model) {
  acting_ = true;
  RandomStream stream(start_.key.child(action_stream + step_));
  if (options.random_action_rate > 0 && stream.uniform() < options.random_action_rate) {
    begin_step(draw(stream, model));
  }
}

ICPI_INLINE std::uint32_t Rollout::draw(RandomStream& stream, const RolloutModelRef* model) const {
  const ObservationId here = parts_[observation].answer.observation;
  return draw_legal(model == nullptr ? LegalActions() : model->legal(start_.prompt_context, here), start_.actions,
                    stream);
}

ICPI_INLINE void Rollout::settle_action(const RolloutModelRef* model) {
  const auto& chosen = parts_[action];
  if (chosen.state == State::valid) {
    begin_step(chosen.answer.action);
  } else if (chosen.state == State::lost && chosen.answer.status == AnswerStatus::failed) {
    end_ = RolloutEnd::failed;
  } else if (chosen.state == State::lost) {
    RandomStream stream(start_.key.child(action_stream + step_).child(0));
    begin_step(draw(stream, model));
  }
}

ICPI_INLINE void Rollout::begin_step(std::uint32_t chosen) {
  now_ = {parts_[observation].answer.observation, chosen, 0, false};
  parts_ = {};
  acting_ = false;
  ++step_;
}

ICPI_INLINE void Rollout::finish_without(const Pending& missing) {
  end_ = missing.answer.status == AnswerStatus::failed ? RolloutEnd::failed : RolloutEnd::invalid;
}

}  // namespace icpi
