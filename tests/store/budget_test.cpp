// SPDX-License-Identifier: MIT
#include "icpi/models/budget.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helpers.hpp"

namespace {

using icpi::Budget;
using icpi::BudgetedModel;
using icpi::Completion;
using icpi::CompletionRequest;
using icpi::ErrorCategory;
using icpi::FinishedCompletion;
using icpi_test::AsynchronousCountingModel;
using icpi_test::CountingModel;
using testing::HasSubstr;

static_assert(icpi::LanguageModel<BudgetedModel<CountingModel>>);
static_assert(icpi::AsynchronousLanguageModel<BudgetedModel<AsynchronousCountingModel>>);

// CountingModel uses 4 prompt tokens for "1234", one of them cached, and 2 completion tokens.
std::vector<CompletionRequest> requests(std::size_t count, int max_tokens = 100) {
  CompletionRequest request;
  request.query = "1234";
  request.sampling.max_tokens = max_tokens;
  return std::vector<CompletionRequest>(count, request);
}

std::size_t answered(const std::vector<Completion>& completions) {
  std::size_t count = 0;
  for (const Completion& completion : completions) {
    if (completion.error) {
      EXPECT_EQ(completion.error.category, ErrorCategory::budget_exhausted);
    } else {
      ++count;
    }
  }
  return count;
}

TEST(Prices, AreForAMillionTokens) {
  const icpi::TokenPrices prices{2, 6, 0.5};
  EXPECT_DOUBLE_EQ(prices.cost({1'000'000, 400'000, 500'000}), 1.2 + 0.2 + 3);
  EXPECT_DOUBLE_EQ((icpi::TokenPrices{2, 6}.cost({1'000'000, 400'000, 500'000})), 5);
  const icpi::TokenPrices writing{2, 6, 0.5, 2.5};
  EXPECT_DOUBLE_EQ(writing.cost({1'000'000, 400'000, 500'000, 100'000}), 1.0 + 0.2 + 3 + 0.25);
}

TEST(BudgetedModel, CallsAreNeverExceeded) {
  int asked = 0;
  BudgetedModel model(CountingModel(&asked), Budget{.calls = 10});
  std::vector<Completion> completions(7);
  model.complete(requests(7), completions);
  EXPECT_EQ(answered(completions), 7U);
  model.complete(requests(7), completions);
  EXPECT_EQ(answered(completions), 3U);
  EXPECT_THAT(completions[6].error.message, HasSubstr("10 calls"));
  EXPECT_EQ(asked, 10);
  EXPECT_EQ(model.spent().calls, 10U);
  EXPECT_TRUE(model.exhausted());
}

TEST(BudgetedModel, AQuestionWithoutALimitIsRefusedWhereTokensCount) {
  int asked = 0;
  std::vector<CompletionRequest> open = requests(2);
  for (CompletionRequest& each : open) each.sampling.max_tokens.reset();
  std::vector<Completion> completions(2);
  BudgetedModel calls(CountingModel(&asked), Budget{.calls = 10});
  calls.complete(open, completions);
  EXPECT_EQ(answered(completions), 2U);
  BudgetedModel tokens(CountingModel(&asked), Budget{.tokens = 1'000'000'000});
  tokens.complete(open, completions);
  EXPECT_EQ(answered(completions), 0U);
  BudgetedModel money(CountingModel(&asked), Budget{.money = 100, .prices = {2, 6}});
  money.complete(open, completions);
  EXPECT_EQ(answered(completions), 0U);
  EXPECT_EQ(asked, 2);
}

TEST(BudgetedModel, TokensAreNeverExceeded) {
  int asked = 0;
  BudgetedModel model(CountingModel(&asked), Budget{.tokens = 1000});
  std::vector<Completion> completions(500);
  model.complete(requests(500, 10), completions);
  EXPECT_LE(model.spent().tokens(), 1000U);
  EXPECT_GT(model.spent().tokens() + 20 + 10, 1000U) << "another question would have fitted";
  EXPECT_EQ(model.spent().tokens(), 6 * answered(completions));
  EXPECT_THAT(completions.back().error.message, HasSubstr("budget of 1000 tokens"));
  EXPECT_EQ(model.overrun(), icpi::Overrun{});
}

TEST(BudgetedModel, MoneyStopsARunThatGoesOnWithMore) {
  int asked = 0;
  const icpi::TokenPrices prices{1e6, 1e6, 0.0};  // 1 a token, cached ones free: 5 a question
  BudgetedModel first(CountingModel(&asked), Budget{.money = 100, .prices = prices});
  std::vector<Completion> completions(30);
  first.complete(requests(30, 10), completions);
  const std::size_t paid = answered(completions);
  EXPECT_LE(first.money_spent(), 100);
  EXPECT_GT(first.money_spent(), 100 - 30 - 5) << "another question would have fitted";
  BudgetedModel second(CountingModel(&asked), Budget{.money = 200, .prices = prices}, first.spent());
  second.complete(requests(30, 10), completions);
  EXPECT_GE(answered(completions), paid);
  EXPECT_LE(second.money_spent(), 200);
}

TEST(BudgetedModel, SubmissionsAreRefusedOnceItIsUsedUp) {
  int asked = 0;
  BudgetedModel model(AsynchronousCountingModel(&asked), Budget{.calls = 3});
  const auto all = requests(5);
  for (std::size_t i = 0; i < 5; ++i) model.submit(all[i], i);
  std::vector<FinishedCompletion> finished(5);
  std::size_t good = 0;
  std::size_t seen = 0;
  while (const std::size_t count = model.collect(finished, std::chrono::milliseconds(0))) {
    for (std::size_t i = 0; i < count; ++i) good += finished[i].completion.error ? 0U : 1U;
    seen += count;
  }
  EXPECT_EQ(seen, 5U);
  EXPECT_EQ(good, 3U);
  EXPECT_EQ(asked, 3);
}

TEST(BudgetedModel, ModelsOfOneAccountSpendTogether) {
  int asked = 0;
  const auto account = std::make_shared<icpi::BudgetAccount>(Budget{.calls = 10});
  BudgetedModel first(CountingModel(&asked), account);
  BudgetedModel second(CountingModel(&asked), account);
  std::vector<Completion> completions(7);
  first.complete(requests(7), completions);
  second.complete(requests(7), completions);
  EXPECT_EQ(answered(completions), 3U);
  EXPECT_EQ(account->spent().calls, 10U);
  EXPECT_TRUE(first.exhausted());
}

/// Scores everything alike, for three tokens each.
class ScoringModel : public CountingModel {
 public:
  using CountingModel::CountingModel;
  void score(std::span<const icpi::ScoreRequest> asked, std::span<icpi::Scores> scores) {
    for (std::size_t i = 0; i < asked.size(); ++i) scores[i] = {{-1, -1}, {3, 0, 0}, {}};
  }
};

TEST(BudgetedModel, ScoresCountToo) {
  int asked = 0;
  BudgetedModel model(ScoringModel(&asked), Budget{.calls = 2});
  static_assert(icpi::ScoresContinuations<decltype(model)>);
  const std::vector<icpi::ScoreRequest> wanted(3);
  std::vector<icpi::Scores> scores(3);
  model.score(wanted, scores);
  EXPECT_EQ(scores[1].logprobs.size(), 2U);
  EXPECT_EQ(scores[2].error.category, ErrorCategory::budget_exhausted);
  EXPECT_EQ(model.spent(), (icpi::Spending{2, {6, 0, 0}}));
}

TEST(BudgetedModel, RefusesNonsense) {
  int asked = 0;
  EXPECT_THROW(BudgetedModel(CountingModel(&asked), Budget{.money = -1}), icpi::InvalidArgument);
  EXPECT_THROW(BudgetedModel(CountingModel(&asked), Budget{.money = 5}), icpi::InvalidArgument);
  EXPECT_THROW(BudgetedModel(CountingModel(&asked), Budget{.prices = {-1, 0}}), icpi::InvalidArgument);
  EXPECT_THROW(BudgetedModel(CountingModel(&asked), Budget{.prices = {.cache_write = -1}}), icpi::InvalidArgument);
  EXPECT_THROW(BudgetedModel(CountingModel(&asked), std::shared_ptr<icpi::BudgetAccount>()), icpi::InvalidArgument);
}

}  // namespace
