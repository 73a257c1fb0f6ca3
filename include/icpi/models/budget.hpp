// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/language_model_ref.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/export.hpp"
#include "icpi/models/finished_queue.hpp"
#include "icpi/models/model_decorator.hpp"

namespace icpi {

/// What a million tokens cost, in any currency. All >= 0 and finite.
struct ICPI_API TokenPrices {
  double prompt = 0;               ///< prompt tokens
  double completion = 0;           ///< generated tokens
  std::optional<double> cached{};  ///< prompt tokens served from a kept prefix; nullopt: like other prompt tokens

  /// Cost of `usage` in the currency's unit.
  [[nodiscard]] double cost(const Usage& usage) const noexcept;
};

/// What was asked of a model, and what it took.
struct Spending {
  std::uint64_t calls = 0;  ///< requests handed to the model, failed ones too
  Usage usage;              ///< tokens, by kind

  /// Of prompts and completions together.
  [[nodiscard]] std::uint64_t tokens() const noexcept { return usage.prompt_tokens + usage.completion_tokens; }
  friend bool operator==(const Spending&, const Spending&) = default;
};

/// How much may be spent; 0 means no limit.
struct Budget {
  std::uint64_t calls = 0;   ///< requests
  std::uint64_t tokens = 0;  ///< of prompts and completions together
  double money = 0;          ///< at `prices`
  TokenPrices prices{};      ///< for `money`
};

/// What several models may spend together: give each of them the same account. Thread-safe.
class ICPI_API BudgetAccount {
 public:
  /// `spent_before` counts too. Throws InvalidArgument for prices or limits that are negative or not finite, and for a
  /// limit of money without prices.
  explicit BudgetAccount(const Budget& budget, const Spending& spent_before = {});
  ~BudgetAccount();

  BudgetAccount(const BudgetAccount&) = delete;
  BudgetAccount& operator=(const BudgetAccount&) = delete;

  /// Books up to `wanted` calls and says how many may be made; 0: a limit was reached.
  [[nodiscard]] std::uint64_t take_calls(std::uint64_t wanted);
  /// Books the tokens of an answer.
  void book(const Usage& usage);

  /// As given.
  [[nodiscard]] const Budget& budget() const noexcept { return budget_; }
  /// What was spent, with what was spent before.
  [[nodiscard]] Spending spent() const;
  /// Which limit was reached, with its value; empty: none. For the message that ends a run.
  [[nodiscard]] std::string exhausted_limit() const;

 private:
  struct State;

  [[nodiscard]] std::string reached() const;

  const Budget budget_;
  std::unique_ptr<State> state_;
};

namespace detail {

/// Why an account refuses a request.
[[nodiscard]] ICPI_API CompletionError budget_refusal(const BudgetAccount& account);
/// Asks `model` as long as the account lasts, `slice` requests at a time where only answers tell what they cost; the
/// rest is refused.
ICPI_API void complete_within(BudgetAccount& account, std::size_t slice, LanguageModelRef model,
                              std::span<const CompletionRequest> requests, std::span<Completion> completions);
/// The same.
ICPI_API void score_within(BudgetAccount& account, std::size_t slice, LanguageModelRef model,
                           std::span<const ScoreRequest> requests, std::span<Scores> scores);

}  // namespace detail

/// Stops asking a model when a budget is used up: from then on every item is `budget_exhausted` and nothing reaches the
/// model, so that a run ends cleanly and can go on later with a larger budget and the `spent()` of before.
///
/// Calls are never exceeded. Tokens and money are known when an answer is there: they are exceeded at most by what was
/// in flight when they ran out (submissions under way; in complete() and score(), one slice of `slice` requests).
/// Put a completion cache around it, not inside: cached answers are free then.
/// Thread-safety: one object by one thread at a time; objects of one account may be used at once.
template <LanguageModel LM>
class BudgetedModel : public ModelDecorator<LM> {
 public:
  static constexpr std::size_t slice = 16;  ///< requests of complete() between two looks at the budget

  /// Spends from `account`, which others may share.
  BudgetedModel(LM model, std::shared_ptr<BudgetAccount> account)
      : ModelDecorator<LM>(std::move(model)), account_(std::move(account)) {
    if (!account_) throw InvalidArgument("BudgetedModel: there is no account");
  }
  /// With an account of its own. Throws as BudgetAccount does.
  BudgetedModel(LM model, const Budget& budget, const Spending& spent_before = {})
      : BudgetedModel(std::move(model), std::make_shared<BudgetAccount>(budget, spent_before)) {}

  /// See LanguageModel.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    detail::complete_within(*account_, slice, this->model_, requests, completions);
  }
  /// See ScoresContinuations. Every request is a call.
  void score(std::span<const ScoreRequest> requests, std::span<Scores> scores)
    requires ScoresContinuations<LM>
  {
    detail::score_within(*account_, slice, this->model_, requests, scores);
  }

  /// See AsynchronousLanguageModel.
  void submit(const CompletionRequest& request, Ticket ticket)
    requires AsynchronousLanguageModel<LM>
  {
    if (account_->take_calls(1) == 0) {
      Completion refused;
      refused.error = detail::budget_refusal(*account_);
      refused_.push(ticket, std::move(refused));
    } else {
      this->model_.submit(request, ticket);
    }
  }
  /// See AsynchronousLanguageModel.
  [[nodiscard]] std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait)
    requires AsynchronousLanguageModel<LM>
  {
    const std::size_t count = refused_.hand_over(finished);
    if (count == finished.size()) return count;
    if (count > 0) wait = std::chrono::milliseconds::zero();
    const std::size_t came = this->model_.collect(finished.subspan(count), wait);
    for (const FinishedCompletion& item : finished.subspan(count, came)) account_->book(item.completion.usage);
    return count + came;
  }
  /// See AsynchronousLanguageModel.
  void cancel(Ticket ticket)
    requires AsynchronousLanguageModel<LM>
  {
    this->model_.cancel(ticket);
  }
  /// See AsynchronousLanguageModel.
  [[nodiscard]] std::size_t concurrency()
    requires AsynchronousLanguageModel<LM>
  {
    return this->model_.concurrency();
  }

  /// What was spent from the account.
  [[nodiscard]] Spending spent() const { return account_->spent(); }
  /// At the budget's prices.
  [[nodiscard]] double money_spent() const { return account_->budget().prices.cost(spent().usage); }
  /// See BudgetAccount.
  [[nodiscard]] std::string exhausted_limit() const { return account_->exhausted_limit(); }
  /// Whether a limit was reached.
  [[nodiscard]] bool exhausted() const { return !exhausted_limit().empty(); }

 private:
  std::shared_ptr<BudgetAccount> account_;
  detail::FinishedQueue refused_;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/models/budget-inl.hpp"
#endif
