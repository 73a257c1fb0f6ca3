// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/language_model_ref.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/owned.hpp"
#include "icpi/models/budget_account.hpp"
#include "icpi/models/model_decorator.hpp"

namespace icpi {

namespace detail {

/// Why an account refuses a request.
[[nodiscard]] ICPI_API CompletionError budget_refusal(const BudgetAccount& account);
/// Asks `model` as many requests at a time as the account has room for; the rest is refused.
ICPI_API void complete_within(BudgetAccount& account, LanguageModelRef model,
                              std::span<const CompletionRequest> requests, std::span<Completion> completions);
/// The same.
ICPI_API void score_within(BudgetAccount& account, LanguageModelRef model, std::span<const ScoreRequest> requests,
                           std::span<Scores> scores);

/// What an account set aside for submissions under way, and the submissions that wait until it has room. May be moved
/// from; then it can be assigned to and destroyed, and nothing else. What is set aside is given back when it ends.
/// Thread-safety: one object by one thread at a time.
class ICPI_API BudgetedSubmissions {
 public:
  /// Throws InvalidArgument when there is no account.
  explicit BudgetedSubmissions(std::shared_ptr<BudgetAccount> account);
  BudgetedSubmissions(BudgetedSubmissions&&) noexcept;
  BudgetedSubmissions& operator=(BudgetedSubmissions&&) noexcept;
  ~BudgetedSubmissions();

  [[nodiscard]] BudgetAccount& account() const noexcept;
  /// Takes a submission: whether it may go to the model now. Else it waits, or its refusal does.
  [[nodiscard]] bool admit(const CompletionRequest& request, Ticket ticket);
  /// The model did not take an admitted submission, which is forgotten.
  void failed(Ticket ticket);
  /// Submits what waited and may go to the model now, and collects: what the model will not answer comes first.
  [[nodiscard]] std::size_t collect(LanguageModelRef model, std::span<FinishedCompletion> finished,
                                    std::chrono::milliseconds wait);
  /// Whether the submission waited; then it is cancelled.
  bool cancel(Ticket ticket);

 private:
  class Work;

  Owned<Work> work_;
};

}  // namespace detail

/// Stops asking a model when a budget is used up: from then on every item is `budget_exhausted` and nothing reaches the
/// model, so that a run ends cleanly and can go on later with a larger budget and the `spent()` of before.
///
/// Calls are never exceeded. Of tokens and money, the estimate for the prompt and the limit for the answer are set aside
/// before a request is sent; one that does not fit beside others under way waits for their answers. So the budget is
/// passed only by what a server writes beyond its limit or counts beyond the estimate: see BudgetAccount::overrun().
/// Put a completion cache around it, not inside: cached answers are free then.
/// Thread-safety: one object by one thread at a time; objects of one account may be used at once.
template <LanguageModel LM>
class BudgetedModel : public ModelDecorator<LM> {
 public:
  /// Spends from `account`, which others may share.
  BudgetedModel(LM model, std::shared_ptr<BudgetAccount> account)
      : ModelDecorator<LM>(std::move(model)), submissions_(std::move(account)) {}
  /// With an account of its own. Throws as BudgetAccount does.
  BudgetedModel(LM model, const Budget& budget, const Spending& spent_before = {})
      : BudgetedModel(std::move(model), std::make_shared<BudgetAccount>(budget, spent_before)) {}

  /// See LanguageModel.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    detail::complete_within(account(), this->model_, requests, completions);
  }
  /// See ScoresContinuations. Every request is a call.
  void score(std::span<const ScoreRequest> requests, std::span<Scores> scores)
    requires ScoresContinuations<LM>
  {
    detail::score_within(account(), this->model_, requests, scores);
  }

  /// See AsynchronousLanguageModel.
  void submit(const CompletionRequest& request, Ticket ticket)
    requires AsynchronousLanguageModel<LM>
  {
    if (!submissions_.admit(request, ticket)) return;
    try {
      this->model_.submit(request, ticket);
    } catch (...) {
      submissions_.failed(ticket);
      throw;
    }
  }
  /// See AsynchronousLanguageModel.
  [[nodiscard]] std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait)
    requires AsynchronousLanguageModel<LM>
  {
    return submissions_.collect(this->model_, finished, wait);
  }
  /// See AsynchronousLanguageModel.
  void cancel(Ticket ticket)
    requires AsynchronousLanguageModel<LM>
  {
    if (!submissions_.cancel(ticket)) this->model_.cancel(ticket);
  }
  /// See AsynchronousLanguageModel.
  [[nodiscard]] std::size_t concurrency()
    requires AsynchronousLanguageModel<LM>
  {
    return this->model_.concurrency();
  }

  /// What was spent from the account.
  [[nodiscard]] Spending spent() const { return account().spent(); }
  /// At the budget's prices.
  [[nodiscard]] double money_spent() const { return account().budget().prices.cost(spent().usage); }
  /// See BudgetAccount.
  [[nodiscard]] Overrun overrun() const { return account().overrun(); }
  /// See BudgetAccount.
  [[nodiscard]] std::string exhausted_limit() const { return account().exhausted_limit(); }
  /// Whether a limit was reached.
  [[nodiscard]] bool exhausted() const { return !exhausted_limit().empty(); }

 private:
  [[nodiscard]] BudgetAccount& account() const noexcept { return submissions_.account(); }

  detail::BudgetedSubmissions submissions_;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/models/budget-inl.hpp"
#endif
