// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "icpi/concepts/rollout_model.hpp"

namespace icpi::testing {

/// Answers that are a pure function of the question: a world in which everything happens, bad answers included.
class RandomRolloutModel {
 public:
  struct Rates {
    double termination = 0.1;
    double invalid = 0.1;
    double failed = 0.05;
    double impossible = 0.02;
  };

  RandomRolloutModel() : RandomRolloutModel(Rates()) {}
  explicit RandomRolloutModel(Rates rates, std::uint32_t actions = 3) : rates_(rates), actions_(actions) {}

  void answer(std::span<const Question> questions, std::span<Answer> answers) {
    ++batches;
    for (std::size_t i = 0; i < questions.size(); ++i) answers[i] = answer(questions[i]);
    asked += questions.size();
  }

  [[nodiscard]] Answer answer(const Question& question) const {
    RandomStream stream(question.key.child(question.attempt)
                            .child(std::uint64_t{question.observation} << 32 | question.action)
                            .child(question.terminated ? 1 : 0));
    Answer answer;
    answer.status = AnswerStatus::valid;
    double luck = stream.uniform();
    if ((luck -= rates_.invalid) < 0) {
      answer.status = AnswerStatus::invalid;
    } else if ((luck -= rates_.failed) < 0) {
      answer.status = AnswerStatus::failed;
    } else if ((luck -= rates_.impossible) < 0) {
      answer.status = AnswerStatus::impossible;
    }
    if (answer.status != AnswerStatus::valid) return answer;
    switch (question.kind) {
      case QueryKind::termination: answer.terminated = stream.uniform() < rates_.termination; break;
      case QueryKind::reward: answer.reward = stream.uniform() - 0.3; break;
      case QueryKind::observation: answer.observation = static_cast<std::uint32_t>(stream.index(1000)); break;
      case QueryKind::action: answer.action = static_cast<std::uint32_t>(stream.index(actions_)); break;
      case QueryKind::transition: break;  // never asked: it does not know whole ones
    }
    return answer;
  }

  std::uint64_t batches = 0;
  std::uint64_t asked = 0;

 private:
  Rates rates_;
  std::uint32_t actions_;
};

/// The same, as an asynchronous model that answers in random order.
class ShuffledRolloutModel : public RandomRolloutModel {
 public:
  ShuffledRolloutModel(RandomRolloutModel model, std::size_t concurrency, std::uint64_t seed)
      : RandomRolloutModel(model), concurrency_(concurrency), order_(RandomKey(seed)) {}

  [[nodiscard]] bool asynchronous() const { return true; }
  [[nodiscard]] std::size_t concurrency() const { return concurrency_; }
  void submit(const Question& question, std::uint64_t ticket) {
    waiting_.push_back({ticket, RandomRolloutModel::answer(question)});
    most_in_flight = std::max(most_in_flight, waiting_.size());
  }
  std::size_t collect(std::span<FinishedAnswer> out) {
    std::size_t count = 0;
    const std::size_t wanted = 1 + order_.index(std::min(out.size(), waiting_.size()));
    for (; count < wanted; ++count) {
      std::swap(waiting_[order_.index(waiting_.size())], waiting_.back());
      out[count] = waiting_.back();
      waiting_.pop_back();
    }
    return count;
  }
  void cancel_all() {}

  std::size_t most_in_flight = 0;

 private:
  std::size_t concurrency_;
  RandomStream order_;
  std::vector<FinishedAnswer> waiting_;
};

}  // namespace icpi::testing
