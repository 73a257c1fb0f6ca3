// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/error.hpp"

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

/// Stops asking a model when a budget is used up: from then on every item is `budget_exhausted` and nothing reaches the
/// model, so that a run ends cleanly and can go on later with a larger budget and the `spent()` of before.
///
/// Calls are never exceeded. Tokens and money are known when an answer is there: they are exceeded at most by what was
/// in flight when they ran out (submissions under way; in complete(), one slice of `slice` requests).
/// Put a completion cache around it, not inside: cached answers are free then.
/// Thread-safety: one object by one thread at a time.
template <LanguageModel LM>
class BudgetedModel {
 public:
  static constexpr std::size_t slice = 16;  ///< requests of complete() between two looks at the budget

  /// Throws InvalidArgument for prices or limits that are negative or not finite.
  BudgetedModel(LM model, const Budget& budget, const Spending& spent_before = {})
      : model_(std::move(model)), budget_(budget), spent_(spent_before) {
    const auto usable = [](double value) { return std::isfinite(value) && value >= 0; };
    const TokenPrices& prices = budget.prices;
    if (!usable(budget.money)) throw InvalidArgument("Budget::money must be finite and >= 0");
    if (!usable(prices.prompt) || !usable(prices.completion) || !usable(prices.cached.value_or(0))) {
      throw InvalidArgument("TokenPrices must be finite and >= 0");
    }
    if (budget.money > 0 && prices.cost({1'000'000, 0, 1'000'000}) == 0) {
      throw InvalidArgument("Budget::money needs TokenPrices: without them nothing costs anything");
    }
  }

  /// See LanguageModel.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    if (requests.size() != completions.size()) {
      throw InvalidArgument(fmt::format("BudgetedModel: complete() got {} requests and {} places for completions",
                                        requests.size(), completions.size()));
    }
    std::size_t done = 0;
    while (done < requests.size() && !exhausted()) {
      const std::size_t count = std::min(requests.size() - done, next_slice());
      spent_.calls += count;
      model_.complete(requests.subspan(done, count), completions.subspan(done, count));
      for (const Completion& completion : completions.subspan(done, count)) book(completion);
      done += count;
    }
    for (; done < requests.size(); ++done) completions[done] = refusal();
  }

  /// That of the model.
  [[nodiscard]] std::string identity() const { return model_.identity(); }

  /// See AsynchronousLanguageModel.
  void submit(const CompletionRequest& request, Ticket ticket)
    requires AsynchronousLanguageModel<LM>
  {
    if (exhausted()) {
      refused_.push_back({ticket, refusal()});
      return;
    }
    ++spent_.calls;
    model_.submit(request, ticket);
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
    const std::size_t came = model_.collect(finished.subspan(count), wait);
    for (const FinishedCompletion& item : finished.subspan(count, came)) book(item.completion);
    return count + came;
  }
  /// See AsynchronousLanguageModel.
  void cancel(Ticket ticket)
    requires AsynchronousLanguageModel<LM>
  {
    model_.cancel(ticket);
  }
  /// See AsynchronousLanguageModel.
  [[nodiscard]] std::size_t concurrency()
    requires AsynchronousLanguageModel<LM>
  {
    return model_.concurrency();
  }

  /// See HasContextLimit.
  [[nodiscard]] std::size_t context_limit() const
    requires HasContextLimit<LM>
  {
    return model_.context_limit();
  }
  /// See CountsTokens.
  [[nodiscard]] std::size_t count_tokens(std::string_view text)
    requires CountsTokens<LM>
  {
    return model_.count_tokens(text);
  }
  /// What a model that knows its abilities only at run time says about them.
  [[nodiscard]] auto capabilities() const
    requires requires(const LM& model) { model.capabilities(); }
  {
    return model_.capabilities();
  }
  static constexpr bool constrains_choices = ConstrainsChoices<LM>;  ///< see ConstrainsChoices

  /// What was spent, with what was spent before.
  [[nodiscard]] const Spending& spent() const noexcept { return spent_; }
  /// At the budget's prices.
  [[nodiscard]] double money_spent() const noexcept { return budget_.prices.cost(spent_.usage); }
  /// Which limit was reached, with its value; empty: none. For the message that ends a run.
  [[nodiscard]] std::string exhausted_limit() const {
    if (budget_.calls > 0 && spent_.calls >= budget_.calls) return fmt::format("{} calls", budget_.calls);
    if (budget_.tokens > 0 && spent_.tokens() >= budget_.tokens) return fmt::format("{} tokens", budget_.tokens);
    if (budget_.money > 0 && money_spent() >= budget_.money) return fmt::format("{} of money", budget_.money);
    return {};
  }
  /// Whether a limit was reached.
  [[nodiscard]] bool exhausted() const noexcept {
    return (budget_.calls > 0 && spent_.calls >= budget_.calls) ||
           (budget_.tokens > 0 && spent_.tokens() >= budget_.tokens) ||
           (budget_.money > 0 && money_spent() >= budget_.money);
  }
  /// The model itself.
  [[nodiscard]] LM& model() noexcept { return model_; }
  /// The model itself.
  [[nodiscard]] const LM& model() const noexcept { return model_; }

 private:
  [[nodiscard]] std::size_t next_slice() const noexcept {
    const bool open_ended = budget_.tokens == 0 && budget_.money == 0;
    const auto most = open_ended ? ~std::uint64_t{0} : std::uint64_t{slice};
    const auto left = budget_.calls == 0 ? most : std::min(most, budget_.calls - spent_.calls);
    return static_cast<std::size_t>(std::min<std::uint64_t>(left, ~std::size_t{0}));
  }

  void book(const Completion& completion) noexcept {
    spent_.usage.prompt_tokens += completion.usage.prompt_tokens;
    spent_.usage.cached_tokens += completion.usage.cached_tokens;
    spent_.usage.completion_tokens += completion.usage.completion_tokens;
  }

  [[nodiscard]] Completion refusal() const {
    Completion completion;
    completion.error = {ErrorCategory::budget_exhausted, fmt::format("the budget of {} is used up", exhausted_limit()),
                        0};
    return completion;
  }

  LM model_;
  Budget budget_;
  Spending spent_;
  std::deque<FinishedCompletion> refused_;
};

}  // namespace icpi
