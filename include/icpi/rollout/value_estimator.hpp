// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "icpi/concepts/history.hpp"
#include "icpi/concepts/legal_actions.hpp"
#include "icpi/concepts/rollout_model.hpp"
#include "icpi/concepts/rollout_model_ref.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/owned.hpp"
#include "icpi/core/strategy.hpp"
#include "icpi/core/until.hpp"
#include "icpi/rollout/decision_task.hpp"
#include "icpi/rollout/hope.hpp"

namespace icpi {

/// What an estimator makes values of: a model that answers questions about imagined steps, and the experience behind it.
/// A view, valid during one call of estimate().
class Imagination {
 public:
  /// All must outlive it; `hopes` may be null.
  Imagination(RolloutModelRef model, const History& history, Until until = {}, const Hopes* hopes = nullptr) noexcept
      : model_(model), history_(&history), until_(std::move(until)), hopes_(hopes) {}

  /// Answers questions in one batch: item i of one into item i of the other. Several samples of one question differ in
  /// Question::sample; Question::want_logprob asks how likely an answer was. An invalid answer may be asked for again,
  /// with the next Question::attempt.
  void answer(std::span<const Question> questions, std::span<Answer> answers) const {
    model_.answer(questions, answers);
  }
  /// Which of the task's actions are legal at an imagined observation; at the task's own, DecisionTask::legal says. Empty: all,
  /// or it is not known. Read before answer() is called again.
  [[nodiscard]] LegalActions legal(const DecisionTask& task, ObservationId observation) const {
    return model_.legal(task.prompt_context, observation);
  }

  /// Whether termination, reward and next observation can be asked for by one question, QueryKind::transition; separate ones
  /// are answered all the same.
  [[nodiscard]] bool whole_transitions(const DecisionTask& task) const {
    return model_.whole_transitions(task.prompt_context);
  }

  /// Whether explorations hope for something where an estimator that plans imagines to come to. With Question::want_logprob
  /// they know how sure the model is.
  [[nodiscard]] bool hopes(const DecisionTask& task) const {
    return hopes_ != nullptr && hopes_->hopes(task.prompt_context);
  }
  /// What they hope for, and into unknown[i] how much of steps[i], which may be anywhere, is not known to them, 0 to 1. Where
  /// hopes() is true.
  [[nodiscard]] Hope judge(const DecisionTask& task, std::span<const PlannedStep> steps,
                           std::span<double> unknown) const {
    return hopes_->judge(task, steps, unknown);
  }

  /// When values must be there. What is not answered then has failed; an estimator that goes on for long looks at it
  /// itself.
  [[nodiscard]] const Until& until() const noexcept { return until_; }

  /// What answers.
  [[nodiscard]] RolloutModelRef model() const noexcept { return model_; }

  /// Whether the task's action was ever done at this observation, real or imagined.
  [[nodiscard]] bool tried(const DecisionTask& task, ObservationId observation, std::uint32_t action) const {
    return history_->tried(task.prompt_context, observation, action);
  }
  /// What came of it.
  [[nodiscard]] OutcomeCounts outcomes(const DecisionTask& task, ObservationId observation,
                                       std::uint32_t action) const {
    return history_->outcomes(task.prompt_context, observation, action);
  }
  /// Replaces `seen` by the same, each different thing by itself, in the order in which they first came.
  void recall(const DecisionTask& task, ObservationId observation, std::uint32_t action,
              std::vector<SeenOutcome>& seen) const {
    history_->recall(task.prompt_context, observation, action, seen);
  }
  /// What is known of the task's action, wherever it was done.
  [[nodiscard]] ActionExperience experience(const DecisionTask& task, std::uint32_t action) const {
    return history_->experience(task.prompt_context, action);
  }

 private:
  RolloutModelRef model_;
  const History* history_;
  Until until_;
  const Hopes* hopes_;
};

/// How values of actions are made. Optional members:
/// `check()` throws InvalidArgument for parameters out of range;
/// `imagined(task)`: a std::vector<PlannedStep> of what was imagined for task number `task` of the last call;
/// `static constexpr bool needs_world_model = false`: for estimators that ask action questions alone.
///
/// Laws: results depend on the tasks, the answers and DecisionTask::key alone, not on which tasks come together; what is
/// random draws from that key. estimate() clears and fills results[i] for tasks[i]. Where the time was up it sets
/// DecisionResult::cut_short and gives the best values so far: NaN for an action of which nothing was imagined, which is
/// not chosen then, or none at all.
template <class T>
concept EstimatesValues = std::copyable<T> && DescribesItself<T> &&
                          requires(T& strategy, const Imagination& imagination, std::span<const DecisionTask> tasks,
                                   std::span<DecisionResult> results) {
                            strategy.estimate(imagination, tasks, results);  // estimate(imagination, tasks, results)
                          };

/// The calls behind ValueEstimator.
struct ICPI_API ValueEstimatorCalls : StrategyCalls {
  /// Which types are strategies of this kind.
  template <class T>
  static constexpr bool accepts = EstimatesValues<T>;

  /// See EstimatesValues.
  virtual void estimate(const Imagination& imagination, std::span<const DecisionTask> tasks,
                        std::span<DecisionResult> results) = 0;
  /// See EstimatesValues; nothing where the strategy does not say.
  [[nodiscard]] virtual std::vector<PlannedStep> imagined(std::size_t task) const = 0;
  /// Whether it asks more than action questions.
  [[nodiscard]] virtual bool needs_world_model() const = 0;
  /// A copy of what is held.
  [[nodiscard]] virtual Owned<ValueEstimatorCalls> clone() const = 0;

  /// A strategy of type T.
  template <class T>
  struct ICPI_API Of final : HeldStrategy<ValueEstimatorCalls, Of<T>, T> {
    using HeldStrategy<ValueEstimatorCalls, Of<T>, T>::HeldStrategy;
    void estimate(const Imagination& imagination, std::span<const DecisionTask> tasks,
                  std::span<DecisionResult> results) override {
      this->strategy.estimate(imagination, tasks, results);
    }
    std::vector<PlannedStep> imagined(std::size_t task) const override {
      if constexpr (requires { this->strategy.imagined(task); }) return this->strategy.imagined(task);
      return {};
    }
    bool needs_world_model() const override {
      if constexpr (requires { T::needs_world_model; }) return T::needs_world_model;
      return true;
    }
  };
};

/// Any value estimator: MeanOfRollouts, Planning, PolicyAlone or a user's own.
using ValueEstimator = Strategy<ValueEstimatorCalls>;

}  // namespace icpi
