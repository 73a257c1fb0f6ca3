// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/error.hpp"
#include "icpi/models/finished_queue.hpp"
#include "icpi/models/model_decorator.hpp"

namespace icpi {

/// Why a question got no answer, where that ends everything.
class ModelFailure : public Error {
 public:
  /// `error` is one.
  explicit ModelFailure(CompletionError error)
      : Error(fmt::format("the model gave no answer ({}): {}", name(error.category), error.message)),
        error_(std::move(error)) {}
  /// As the model said it.
  [[nodiscard]] const CompletionError& error() const noexcept { return error_; }

 private:
  CompletionError error_;
};

/// Throws ModelFailure as soon as an item fails for good, instead of answering it: for runs that had better end, and go
/// on later, than act on what they were not told. Items that the caller called off are no failures.
/// Put it outermost, so that what did arrive was recorded and cached before.
/// Thread-safety: one object by one thread at a time.
template <LanguageModel LM>
class StopOnFailure : public ModelDecorator<LM> {
 public:
  /// Takes over `model`.
  explicit StopOnFailure(LM model) : ModelDecorator<LM>(std::move(model)) {}

  /// See LanguageModel.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    this->model_.complete(requests, completions);
    for (const Completion& each : completions) check(each.error);
  }
  /// See ScoresContinuations.
  void score(std::span<const ScoreRequest> requests, std::span<Scores> scores)
    requires ScoresContinuations<LM>
  {
    this->model_.score(requests, scores);
    for (const Scores& each : scores) check(each.error);
  }

  /// See AsynchronousLanguageModel.
  void submit(const CompletionRequest& request, Ticket ticket)
    requires AsynchronousLanguageModel<LM>
  {
    called_off_.erase(ticket);
    this->model_.submit(request, ticket);
  }
  /// See AsynchronousLanguageModel. After an exception the tickets of this call, the failed one too, can still be
  /// collected, for callers that put things in order.
  [[nodiscard]] std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait)
    requires AsynchronousLanguageModel<LM>
  {
    if (!kept_.empty()) return kept_.hand_over(finished);
    const std::size_t count = this->model_.collect(finished, wait);
    for (const FinishedCompletion& each : finished.first(count)) {
      const bool wanted = called_off_.erase(each.ticket) == 0;
      if (!wanted || !each.completion.error) continue;
      ModelFailure failure(each.completion.error);
      for (FinishedCompletion& kept : finished.first(count)) kept_.push(kept.ticket, std::move(kept.completion));
      throw failure;
    }
    return count;
  }
  /// See AsynchronousLanguageModel.
  void cancel(Ticket ticket)
    requires AsynchronousLanguageModel<LM>
  {
    called_off_.insert(ticket);
    this->model_.cancel(ticket);
  }
  /// See AsynchronousLanguageModel.
  [[nodiscard]] std::size_t concurrency()
    requires AsynchronousLanguageModel<LM>
  {
    return this->model_.concurrency();
  }

 private:
  static void check(const CompletionError& error) {
    if (error) throw ModelFailure(error);
  }

  std::unordered_set<Ticket> called_off_;
  detail::FinishedQueue kept_;  ///< came together with a failure
};

}  // namespace icpi
