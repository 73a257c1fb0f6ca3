// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/export.hpp"
#include "icpi/models/finished_queue.hpp"
#include "icpi/models/model_decorator.hpp"

namespace icpi {

/// Why a question got no answer, where that ends everything.
class ICPI_API ModelFailure : public Error {
 public:
  /// `error` is one.
  explicit ModelFailure(CompletionError error);
  /// As the model said it.
  [[nodiscard]] const CompletionError& error() const noexcept { return error_; }

 private:
  CompletionError error_;
};

namespace detail {

/// Throws ModelFailure for answers that carry an error, unless the caller cancelled them.
/// Thread-safety: one object by one thread at a time.
class ICPI_API FailureWatch {
 public:
  /// Of a batch.
  static void check_completions(std::span<Completion> completions);
  /// Of a batch.
  static void check_scores(std::span<Scores> scores);

  /// A ticket is under way.
  void submitted(Ticket ticket);
  /// The caller no longer wants its answer.
  void cancelled(Ticket ticket);
  /// The first `count` are answers that came. When it throws, all of them wait in kept().
  void check_finished(std::span<FinishedCompletion> finished, std::size_t count);
  /// Came together with a failure.
  [[nodiscard]] FinishedQueue& kept() noexcept { return kept_; }

 private:
  bool forget(Ticket ticket);

  std::vector<Ticket> cancelled_;  ///< ascending
  FinishedQueue kept_;
};

}  // namespace detail

/// Throws ModelFailure as soon as an item fails for good, instead of answering it: for runs that had better end, and go
/// on later, than act on what they were not told. Items that the caller cancelled are no failures.
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
    detail::FailureWatch::check_completions(completions);
  }
  /// See ScoresContinuations.
  void score(std::span<const ScoreRequest> requests, std::span<Scores> scores)
    requires ScoresContinuations<LM>
  {
    this->model_.score(requests, scores);
    detail::FailureWatch::check_scores(scores);
  }

  /// See AsynchronousLanguageModel.
  void submit(const CompletionRequest& request, Ticket ticket)
    requires AsynchronousLanguageModel<LM>
  {
    watch_.submitted(ticket);
    this->model_.submit(request, ticket);
  }
  /// See AsynchronousLanguageModel. After an exception the tickets of this call, the failed one too, can still be
  /// collected, for callers that put things in order.
  [[nodiscard]] std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait)
    requires AsynchronousLanguageModel<LM>
  {
    if (!watch_.kept().empty()) return watch_.kept().hand_over(finished);
    const std::size_t count = this->model_.collect(finished, wait);
    watch_.check_finished(finished, count);
    return count;
  }
  /// See AsynchronousLanguageModel.
  void cancel(Ticket ticket)
    requires AsynchronousLanguageModel<LM>
  {
    watch_.cancelled(ticket);
    this->model_.cancel(ticket);
  }
  /// See AsynchronousLanguageModel.
  [[nodiscard]] std::size_t concurrency()
    requires AsynchronousLanguageModel<LM>
  {
    return this->model_.concurrency();
  }

 private:
  detail::FailureWatch watch_;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/models/stop_on_failure-inl.hpp"
#endif
