// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "icpi/models/budget.hpp"

namespace icpi {

ICPI_INLINE double TokenPrices::cost(const Usage& usage) const noexcept {
  const auto cached_tokens = static_cast<double>(std::min(usage.cached_tokens, usage.prompt_tokens));
  const double fresh_tokens = static_cast<double>(usage.prompt_tokens) - cached_tokens;
  return (prompt * fresh_tokens + cached.value_or(prompt) * cached_tokens +
          completion * static_cast<double>(usage.completion_tokens)) /
         1e6;
}

/// @cond internals
struct BudgetAccount::State {
  explicit State(const Spending& spent_before) : spent(spent_before) {}

  std::mutex mutex;
  Spending spent;  ///< guarded by `mutex`
};
/// @endcond

ICPI_INLINE BudgetAccount::BudgetAccount(const Budget& budget, const Spending& spent_before)
    : budget_(budget), state_(std::make_unique<State>(spent_before)) {
  const auto usable = [](double value) { return std::isfinite(value) && value >= 0; };
  const TokenPrices& prices = budget.prices;
  if (!usable(budget.money)) throw InvalidArgument("Budget::money must be finite and >= 0");
  if (!usable(prices.prompt) || !usable(prices.completion) || !usable(prices.cached.value_or(0)))
    throw InvalidArgument("TokenPrices must be finite and >= 0");
  if (budget.money > 0 && prices.cost({1'000'000, 0, 1'000'000}) == 0)
    throw InvalidArgument("Budget::money needs TokenPrices: without them nothing costs anything");
}

ICPI_INLINE BudgetAccount::~BudgetAccount() = default;

ICPI_INLINE std::uint64_t BudgetAccount::take_calls(std::uint64_t wanted) {
  const std::lock_guard lock(state_->mutex);
  if (!reached().empty()) return 0;
  if (budget_.calls > 0) wanted = std::min(wanted, budget_.calls - state_->spent.calls);
  state_->spent.calls += wanted;
  return wanted;
}

ICPI_INLINE void BudgetAccount::book(const Usage& usage) {
  const std::lock_guard lock(state_->mutex);
  Usage& spent = state_->spent.usage;
  spent.prompt_tokens += usage.prompt_tokens;
  spent.cached_tokens += usage.cached_tokens;
  spent.completion_tokens += usage.completion_tokens;
}

ICPI_INLINE Spending BudgetAccount::spent() const {
  const std::lock_guard lock(state_->mutex);
  return state_->spent;
}

ICPI_INLINE std::string BudgetAccount::exhausted_limit() const {
  const std::lock_guard lock(state_->mutex);
  return reached();
}

ICPI_INLINE std::string BudgetAccount::reached() const {
  const Spending& spent = state_->spent;
  if (budget_.calls > 0 && spent.calls >= budget_.calls) return fmt::format("{} calls", budget_.calls);
  if (budget_.tokens > 0 && spent.tokens() >= budget_.tokens) return fmt::format("{} tokens", budget_.tokens);
  if (budget_.money > 0 && budget_.prices.cost(spent.usage) >= budget_.money)
    return fmt::format("{} of money", budget_.money);
  return {};
}

namespace detail {

template <class Request, class Result, class Ask>
void ask_within(BudgetAccount& account, std::size_t slice, std::span<const Request> requests, std::span<Result> results,
                Ask ask) {
  if (requests.size() != results.size()) {
    throw InvalidArgument(
        fmt::format("BudgetedModel: got {} requests and {} places for answers", requests.size(), results.size()));
  }
  const Budget& budget = account.budget();
  const std::size_t most = budget.tokens == 0 && budget.money == 0 ? requests.size() : slice;
  std::size_t done = 0;
  while (done < requests.size()) {
    const auto count = static_cast<std::size_t>(account.take_calls(std::min(requests.size() - done, most)));
    if (count == 0) break;
    ask(requests.subspan(done, count), results.subspan(done, count));
    for (const Result& result : results.subspan(done, count)) account.book(result.usage);
    done += count;
  }
  for (; done < requests.size(); ++done) {
    results[done] = {};
    results[done].error = budget_refusal(account);
  }
}

ICPI_INLINE CompletionError budget_refusal(const BudgetAccount& account) {
  return {ErrorCategory::budget_exhausted, fmt::format("the budget of {} is used up", account.exhausted_limit()), 0};
}

ICPI_INLINE void complete_within(BudgetAccount& account, std::size_t slice, LanguageModelRef model,
                                 std::span<const CompletionRequest> requests, std::span<Completion> completions) {
  ask_within(account, slice, requests, completions, [&](auto some, auto answers) { model.complete(some, answers); });
}

ICPI_INLINE void score_within(BudgetAccount& account, std::size_t slice, LanguageModelRef model,
                              std::span<const ScoreRequest> requests, std::span<Scores> scores) {
  ask_within(account, slice, requests, scores, [&](auto some, auto answers) { model.score(some, answers); });
}

}  // namespace detail

}  // namespace icpi
