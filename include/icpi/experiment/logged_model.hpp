// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/language_model_ref.hpp"
#include "icpi/core/export.hpp"
#include "icpi/experiment/run_part.hpp"
#include "icpi/models/model_decorator.hpp"

namespace icpi {

/// What a LoggedModel does with failed answers.
enum class ModelFailures : std::uint8_t {
  /// It throws ModelFailure once what did arrive is recorded: nothing is decided on what the model did not say, and the
  /// run can be continued later.
  stop,
  /// They are recorded like others, and fail again when the run is played again. Throws all the same when a budget is
  /// used up, and when something is cancelled that the caller wants.
  record
};

namespace detail {

/// What a LoggedModel does, for any model: that of the caller is handed to every call and always the same.
/// Thread-safety: one object by one thread at a time.
class ICPI_API LoggedAnswers {
 public:
  /// `part` must outlive the object. Throws InvalidArgument for ModelFailures that are none.
  LoggedAnswers(RunPart& part, ModelFailures failures);
  LoggedAnswers(LoggedAnswers&&) noexcept;             ///< leaves nothing behind that may be used
  LoggedAnswers& operator=(LoggedAnswers&&) noexcept;  ///< as construction
  ~LoggedAnswers();

  /// See LoggedModel.
  void complete(LanguageModelRef model, std::span<const CompletionRequest> requests, std::span<Completion> completions);
  /// See LoggedModel.
  void submit(LanguageModelRef model, const CompletionRequest& request, Ticket ticket);
  /// See LoggedModel.
  [[nodiscard]] std::size_t collect(LanguageModelRef model, std::span<FinishedCompletion> finished,
                                    std::chrono::milliseconds wait);
  /// See LoggedModel.
  void cancel(LanguageModelRef model, Ticket ticket);
  /// See LoggedModel.
  void score(LanguageModelRef model, std::span<const ScoreRequest> requests, std::span<Scores> scores);

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace detail

/// Answers as another model does, and puts every answer into a run log before it is used. When a run is played again,
/// what the log has is answered from there and the model is not asked.
///
/// Thread-safety: one object by one thread at a time.
template <LanguageModel LM>
class LoggedModel : public ModelDecorator<LM> {
 public:
  /// `part` must outlive the model.
  LoggedModel(LM model, RunPart& part, ModelFailures failures = ModelFailures::stop)
      : ModelDecorator<LM>(std::move(model)), answers_(part, failures) {}

  /// See LanguageModel. Asynchronous models get the requests one by one, and every answer is recorded as it comes.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    answers_.complete(this->model_, requests, completions);
  }

  /// See AsynchronousLanguageModel. When a decision is played again, what is not in the log was cancelled.
  void submit(const CompletionRequest& request, Ticket ticket)
    requires AsynchronousLanguageModel<LM>
  {
    answers_.submit(this->model_, request, ticket);
  }

  /// See AsynchronousLanguageModel.
  [[nodiscard]] std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait)
    requires AsynchronousLanguageModel<LM>
  {
    return answers_.collect(this->model_, finished, wait);
  }

  /// See AsynchronousLanguageModel.
  void cancel(Ticket ticket)
    requires AsynchronousLanguageModel<LM>
  {
    answers_.cancel(this->model_, ticket);
  }

  /// See AsynchronousLanguageModel.
  [[nodiscard]] std::size_t concurrency()
    requires AsynchronousLanguageModel<LM>
  {
    return this->model_.concurrency();
  }

  /// See ScoresContinuations. Recorded like completions.
  void score(std::span<const ScoreRequest> requests, std::span<Scores> scores)
    requires ScoresContinuations<LM>
  {
    answers_.score(this->model_, requests, scores);
  }

 private:
  detail::LoggedAnswers answers_;
};

}  // namespace icpi
