// SPDX-License-Identifier: MIT
// Budgets with models that fail, repeat themselves, think and count as they like: whatever they do, no more is spent than
// the budget and what they took beyond their limits.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "icpi/core/random.hpp"
#include "icpi/models/budget.hpp"

namespace {

using icpi::Budget;
using icpi::BudgetAccount;
using icpi::BudgetedModel;
using icpi::Completion;
using icpi::CompletionRequest;
using icpi::FinishedCompletion;
using icpi::RandomKey;
using icpi::RandomStream;
using icpi::Ticket;
using icpi::Usage;

/// A server that costs whatever it pleases. Answers to submissions come in any order, some attempts in vain before.
class WildModel {
 public:
  WildModel(std::uint64_t seed, std::shared_ptr<BudgetAccount> account)
      : random_(RandomKey(seed)), account_(std::move(account)) {}
  [[nodiscard]] std::string identity() const { return "wild"; }

  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    for (std::size_t i = 0; i < requests.size(); ++i) completions[i] = answer(requests[i]);
  }
  void submit(const CompletionRequest& request, Ticket ticket) { waiting_.emplace_back(ticket, request); }
  std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds) {
    std::size_t count = 0;
    for (; count < finished.size() && !waiting_.empty() && random_.uniform() < 0.7; ++count) {
      std::swap(waiting_[random_.index(waiting_.size())], waiting_.back());
      finished[count] = {waiting_.back().first, answer(waiting_.back().second)};
      waiting_.pop_back();
    }
    return count;
  }
  void cancel(Ticket) {}
  [[nodiscard]] std::size_t concurrency() const { return 8; }

 private:
  Usage cost_of(const CompletionRequest& request) {
    const auto bytes = static_cast<double>(request.query.size());
    const auto limit = static_cast<double>(request.sampling.max_tokens.value_or(0));
    Usage usage;
    usage.prompt_tokens = static_cast<std::uint64_t>(bytes * (0.2 + 0.2 * random_.uniform()));
    usage.completion_tokens = static_cast<std::uint64_t>(limit * random_.uniform());
    if (random_.uniform() < 0.1) usage.completion_tokens = 3 * static_cast<std::uint64_t>(limit);  // thinks
    if (random_.uniform() < 0.1) usage.prompt_tokens *= 9;                                         // counts otherwise
    usage.cached_tokens = static_cast<std::uint64_t>(static_cast<double>(usage.prompt_tokens) * random_.uniform());
    return usage;
  }

  Completion answer(const CompletionRequest& request) {
    Completion completion;
    while (random_.uniform() < 0.2) {  // an attempt that cost something and came to nothing
      const Usage cost = cost_of(request);
      for (Usage* sum : {&completion.usage, &completion.booked}) {
        sum->prompt_tokens += cost.prompt_tokens;
        sum->cached_tokens += cost.cached_tokens;
        sum->completion_tokens += cost.completion_tokens;
      }
      if (account_->book_attempt(request, cost)) continue;
      completion.error = {icpi::ErrorCategory::budget_exhausted, "no room", 0};
      return completion;
    }
    if (random_.uniform() < 0.1) {
      completion.error = {icpi::ErrorCategory::transport, "down", 0};
      return completion;
    }
    const Usage cost = cost_of(request);
    completion.usage.prompt_tokens += cost.prompt_tokens;
    completion.usage.cached_tokens += cost.cached_tokens;
    completion.usage.completion_tokens += cost.completion_tokens;
    if (random_.uniform() < 0.1) completion.error = {icpi::ErrorCategory::invalid_request, "of no use", 0};
    return completion;
  }

  RandomStream random_;
  std::shared_ptr<BudgetAccount> account_;
  std::vector<std::pair<Ticket, CompletionRequest>> waiting_;
};

using Budgeted = BudgetedModel<WildModel>;

std::vector<CompletionRequest> questions(const std::string& text, RandomStream& random) {
  std::vector<CompletionRequest> all(1 + random.index(12));
  for (CompletionRequest& each : all) {
    each.query = std::string_view(text).substr(0, 1 + random.index(text.size()));
    each.sampling.max_tokens = static_cast<int>(1 + random.index(200));
  }
  return all;
}

/// Asks until the budget is used up; false: a refusal was not the end.
bool spend_by_calls(Budgeted& model, const std::string& text, RandomStream random) {
  for (int round = 0; round < 100'000; ++round) {
    const auto asked = questions(text, random);
    std::vector<Completion> answers(asked.size());
    model.complete(asked, answers);
    const auto refused = std::ranges::count_if(
        answers, [](const Completion& each) { return each.error.category == icpi::ErrorCategory::budget_exhausted; });
    if (refused > 0) return model.exhausted();
  }
  return false;
}

bool spend_by_submissions(Budgeted& model, const std::string& text, RandomStream random) {
  std::vector<std::vector<CompletionRequest>> kept;
  std::vector<FinishedCompletion> finished(4);
  std::size_t under_way = 0;
  bool refused = false;
  Ticket ticket = 0;
  while (!refused || under_way > 0) {
    if (!refused && under_way < 30) {
      kept.push_back(questions(text, random));
      for (const CompletionRequest& each : kept.back()) model.submit(each, ticket++);
      under_way += kept.back().size();
    }
    const std::size_t came = model.collect(finished, std::chrono::milliseconds(1));
    for (std::size_t i = 0; i < came; ++i)
      refused = refused || finished[i].completion.error.category == icpi::ErrorCategory::budget_exhausted;
    under_way -= came;
    if (ticket > 1'000'000) return false;
  }
  return model.exhausted();
}

void expect_kept(const BudgetAccount& account) {
  const icpi::Overrun over = account.overrun();
  const icpi::Spending spent = account.spent();
  const Budget& budget = account.budget();
  EXPECT_TRUE(budget.calls == 0 || spent.calls <= budget.calls) << spent.calls;
  const std::uint64_t excess = over.completion_tokens + over.prompt_tokens;
  EXPECT_TRUE(budget.tokens == 0 || spent.tokens() <= budget.tokens + excess) << spent.tokens();
  if (budget.money > 0) {
    const double allowed = budget.money + budget.prices.cost({over.prompt_tokens, 0, over.completion_tokens});
    EXPECT_LE(budget.prices.cost(spent.usage), allowed * (1 + 1e-9));
  }
}

class Budgets : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Budgets, ArePassedOnlyByWhatServersTookBeyondTheirLimits) {
  RandomStream random(RandomKey(0xB0D6E7).child(GetParam()));
  const std::string text(4000, 'x');
  Budget budget;
  const auto kind = GetParam() % 3;
  if (kind != 1) budget.tokens = 50'000 + random.index(500'000);
  if (kind != 0) budget.money = 0.1 + 2 * random.uniform();
  budget.prices = {1 + 4 * random.uniform(), 10 * random.uniform(), 0.2, 5};
  if (kind == 2) budget.calls = 50 + random.index(2000);
  const auto account = std::make_shared<BudgetAccount>(budget);
  const std::size_t threads = 1 + random.index(3);
  std::vector<std::thread> all;
  std::vector<char> ended(threads, 0);
  for (std::size_t i = 0; i < threads; ++i) {
    const bool submits = random.uniform() < 0.5;
    const std::uint64_t seed = random.index(1'000'000);
    all.emplace_back([&, i, submits, seed] {
      Budgeted model(WildModel(seed, account), account);
      const RandomStream own{RandomKey(seed)};
      ended[i] = (submits ? spend_by_submissions(model, text, own) : spend_by_calls(model, text, own)) ? 1 : 0;
    });
  }
  for (std::thread& each : all) each.join();
  EXPECT_EQ(std::ranges::count(ended, 1), static_cast<long>(threads)) << "every model is told the end";
  expect_kept(*account);
  EXPECT_GT(account->spent().calls, 5U) << "something was asked";
}

INSTANTIATE_TEST_SUITE_P(Seeds, Budgets, testing::Range<std::uint64_t>(0, 60));

TEST(Accounts, CountWhatWasTakenBeyondLimitAndEstimate) {
  BudgetAccount account(Budget{.tokens = 1000});
  CompletionRequest request;
  request.query = "12345678";
  request.sampling.max_tokens = 10;
  const icpi::Reservation reservation = account.estimate(request);
  ASSERT_EQ(account.reserve(reservation), BudgetAccount::Admission::granted);
  account.settle(reservation, {reservation.prompt_tokens + 5, 0, 17});
  EXPECT_EQ(account.overrun(), (icpi::Overrun{7, 5}));
  EXPECT_GT(account.estimate(request).prompt_tokens, reservation.prompt_tokens) << "it learns how the server counts";
  const BudgetAccount thinking(Budget{.tokens = 1000, .thought_tokens = 50});
  EXPECT_EQ(thinking.estimate(request).completion_tokens, 60U);
}

TEST(Accounts, GiveBackWhatWasSetAsideForModelsThatEnd) {
  const auto account = std::make_shared<BudgetAccount>(Budget{.tokens = 300});
  CompletionRequest request;
  request.query = "question";
  request.sampling.max_tokens = 200;
  {
    Budgeted first(WildModel(1, account), account);
    first.submit(request, 1);
    Budgeted moved = std::move(first);
    EXPECT_EQ(account->reserve(account->estimate(request)), BudgetAccount::Admission::refused)
        << "a call cannot wait for what another one collects";
  }
  const auto fresh = std::make_shared<BudgetAccount>(Budget{.tokens = 300});
  {
    Budgeted model(WildModel(1, fresh), fresh);
    model.submit(request, 1);
  }
  EXPECT_EQ(fresh->reserve(fresh->estimate(request)), BudgetAccount::Admission::granted);
}

}  // namespace
