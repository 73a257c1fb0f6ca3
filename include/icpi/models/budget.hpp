// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/error.hpp"
#include "icpi/models/model_decorator.hpp"

namespace icpi {

/// What a million tokens cost, in any currency. All >= 0 and finite.
struct TokenPrices {
  double prompt = 0;               ///< prompt tokens
  double completion = 0;           ///< generated tokens
  std::optional<double> cached{};  ///< prompt tokens served from a kept prefix; nullopt: like other prompt tokens

  /// Cost of `usage` in the currency's unit.
  [[nodiscard]] double cost(const Usage& usage) const noexcept {
    const auto cached_tokens = static_cast<double>(std::min(usage.cached_tokens, usage.prompt_tokens));
    const double fresh_tokens = static_cast<double>(usage.prompt_tokens) - cached_tokens;
    return (prompt * fresh_tokens + cached.value_or(prompt) * cached_tokens +
            completion * static_cast<double>(usage.completion_tokens)) /
           1e6;
  }
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
class BudgetAccount {
 public:
  /// `spent_before` counts too. Throws InvalidArgument for prices or limits that are negative or not finite, and for a
  /// limit of money without prices.
  explicit BudgetAccount(const Budget& budget, const Spending& spent_before = {})
      : budget_(budget), spent_(spent_before) {
    const auto usable = [](double value) { return std::isfinite(value) && value >= 0; };
    const TokenPrices& prices = budget.prices;
    if (!usable(budget.money)) throw InvalidArgument("Budget::money must be finite and >= 0");
    if (!usable(prices.prompt) || !usable(prices.completion) || !usable(prices.cached.value_or(0)))
      throw InvalidArgument("TokenPrices must be finite and >= 0");
    if (budget.money > 0 && prices.cost({1'000'000, 0, 1'000'000}) == 0)
      throw InvalidArgument("Budget::money needs TokenPrices: without them nothing costs anything");
  }

  /// Books up to `wanted` calls and says how many may be made; 0: a limit was reached.
  [[nodiscard]] std::uint64_t take_calls(std::uint64_t wanted) {
    const std::lock_guard lock(mutex_);
    if (!reached().empty()) return 0;
    if (budget_.calls > 0) wanted = std::min(wanted, budget_.calls - spent_.calls);
    spent_.calls += wanted;
    return wanted;
  }
  /// Books the tokens of an answer.
  void book(const Usage& usage) {
    const std::lock_guard lock(mutex_);
    spent_.usage.prompt_tokens += usage.prompt_tokens;
    spent_.usage.cached_tokens += usage.cached_tokens;
    spent_.usage.completion_tokens += usage.completion_tokens;
  }

  /// As given.
  [[nodiscard]] const Budget& budget() const noexcept { return budget_; }
  /// What was spent, with what was spent before.
  [[nodiscard]] Spending spent() const {
    const std::lock_guard lock(mutex_);
    return spent_;
  }
  /// Which limit was reached, with its value; empty: none. For the message that ends a run.
  [[nodiscard]] std::string exhausted_limit() const {
    const std::lock_guard lock(mutex_);
    return reached();
  }

 private:
  [[nodiscard]] std::string reached() const {
    if (budget_.calls > 0 && spent_.calls >= budget_.calls) return fmt::format("{} calls", budget_.calls);
    if (budget_.tokens > 0 && spent_.tokens() >= budget_.tokens) return fmt::format("{} tokens", budget_.tokens);
    if (budget_.money > 0 && budget_.prices.cost(spent_.usage) >= budget_.money)
      return fmt::format("{} of money", budget_.money);
    return {};
  }

  const Budget budget_;
  mutable std::mutex mutex_;
  Spending spent_;
};

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
    in_slices(requests, completions, [this](auto some, auto answers) { this->model_.complete(some, answers); });
  }
  /// See ScoresContinuations. Every request is a call.
  void score(std::span<const ScoreRequest> requests, std::span<Scores> scores)
    requires ScoresContinuations<LM>
  {
    in_slices(requests, scores, [this](auto some, auto answers) { this->model_.score(some, answers); });
  }

  /// See AsynchronousLanguageModel.
  void submit(const CompletionRequest& request, Ticket ticket)
    requires AsynchronousLanguageModel<LM>
  {
    if (account_->take_calls(1) == 0) {
      Completion refused;
      refused.error = refusal();
      refused_.push_back({ticket, std::move(refused)});
    } else {
      this->model_.submit(request, ticket);
    }
  }
  /// See AsynchronousLanguageModel.
  [[nodiscard]] std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait)
    requires AsynchronousLanguageModel<LM>
  {
    std::size_t count = 0;
    for (; count < finished.size() && !refused_.empty(); ++count) {
      finished[count] = std::move(refused_.front());
      refused_.pop_front();
    }
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
  template <class Request, class Result, class Ask>
  void in_slices(std::span<const Request> requests, std::span<Result> results, Ask ask) {
    if (requests.size() != results.size()) {
      throw InvalidArgument(
          fmt::format("BudgetedModel: got {} requests and {} places for answers", requests.size(), results.size()));
    }
    const Budget& budget = account_->budget();
    const std::size_t most = budget.tokens == 0 && budget.money == 0 ? requests.size() : slice;
    std::size_t done = 0;
    while (done < requests.size()) {
      const auto count = static_cast<std::size_t>(account_->take_calls(std::min(requests.size() - done, most)));
      if (count == 0) break;
      ask(requests.subspan(done, count), results.subspan(done, count));
      for (const Result& result : results.subspan(done, count)) account_->book(result.usage);
      done += count;
    }
    for (; done < requests.size(); ++done) {
      results[done] = {};
      results[done].error = refusal();
    }
  }

  [[nodiscard]] CompletionError refusal() const {
    return {ErrorCategory::budget_exhausted, fmt::format("the budget of {} is used up", exhausted_limit()), 0};
  }

  std::shared_ptr<BudgetAccount> account_;
  std::deque<FinishedCompletion> refused_;
};

}  // namespace icpi
