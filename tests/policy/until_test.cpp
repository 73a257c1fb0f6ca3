// SPDX-License-Identifier: MIT
// Decisions and training that are ended from outside. Time passes when the models say so.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <stop_token>
#include <utility>
#include <vector>

#include "icpi/core/until.hpp"
#include "icpi/domains/chain_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/agent_options.hpp"
#include "support/random_episodes.hpp"

namespace icpi {
namespace {

/// When a model requests the stop.
struct Stopping {
  std::size_t answers = 0;  ///< after so many
  std::stop_source source{};
  std::size_t answered = 0;
  std::size_t late = 0;  ///< answered after the stop

  void count() {
    late += source.stop_requested() ? 1 : 0;
    if (++answered == answers) source.request_stop();
  }
};

/// The embedded model, in batches.
class BatchModel {
 public:
  explicit BatchModel(Stopping& stopping) : stopping_(&stopping) {}
  [[nodiscard]] std::string identity() const { return model_.identity(); }
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    model_.complete(requests, completions);
    for (std::size_t i = 0; i < requests.size(); ++i) stopping_->count();
  }

 private:
  InductionModel model_;
  Stopping* stopping_;
};

/// The embedded model, by submissions. After the stop it is silent but for what was cancelled.
class SubmittedModel {
 public:
  explicit SubmittedModel(Stopping& stopping) : stopping_(&stopping) {}
  [[nodiscard]] std::string identity() const { return model_.identity(); }
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    model_.complete(requests, completions);
  }
  void submit(const CompletionRequest& request, Ticket ticket) { open_.emplace_back(ticket, request); }
  std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds) {
    if (!cancelled_.empty()) {
      finished[0].ticket = cancelled_.back();
      finished[0].completion = {};
      finished[0].completion.error = {ErrorCategory::cancelled, "no longer wanted", 0};
      cancelled_.pop_back();
      return 1;
    }
    if (open_.empty() || stopping_->source.stop_requested()) return 0;
    finished[0].ticket = open_.front().first;
    model_.complete(std::span(&open_.front().second, 1), std::span(&finished[0].completion, 1));
    open_.pop_front();
    stopping_->count();
    return 1;
  }
  void cancel(Ticket ticket) {
    if (std::erase_if(open_, [&](const auto& each) { return each.first == ticket; }) > 0) cancelled_.push_back(ticket);
  }
  static std::size_t concurrency() { return 8; }
  [[nodiscard]] std::size_t in_flight() const { return open_.size() + cancelled_.size(); }

 private:
  InductionModel model_;
  Stopping* stopping_;
  std::deque<std::pair<Ticket, CompletionRequest>> open_;
  std::vector<Ticket> cancelled_;
};

template <class LM>
class UntilStopped : public ::testing::Test {
 protected:
  using Agent = PolicyIteration<Chain, LM>;

  static std::vector<PolicyIterationOptions> all_options() {
    std::vector<PolicyIterationOptions> all;
    for (const auto mode : {icpi_test::PromptMode::per_query, icpi_test::PromptMode::stable}) {
      for (const ValueEstimator& values :
           {ValueEstimator(MeanOfRollouts{{.rollouts_per_action = 3}}), ValueEstimator(Planning{})}) {
        all.push_back(icpi_test::paper_options_with(mode));
        all.back().decisions.values = values;
        all.back().decisions.explorations = {};
        all.back().queries.chunk = 5;
      }
    }
    return all;
  }

  std::unique_ptr<Agent> experienced(LM& model, const PolicyIterationOptions& options) {
    auto agent = std::make_unique<Agent>(env, model, options);
    for (std::uint64_t seed = 0; seed < 12; ++seed) agent->import(testing::random_episode(env, seed));
    agent->begin_episode(2);
    return agent;
  }

  Chain env;
};

struct ModelNames {
  template <class LM>
  static std::string GetName(int) {
    return std::is_same_v<LM, BatchModel> ? "batch" : "submitted";
  }
};
using Models = ::testing::Types<BatchModel, SubmittedModel>;
TYPED_TEST_SUITE(UntilStopped, Models, ModelNames);

TYPED_TEST(UntilStopped, GivesTheBestSoFarAndAsksNoMoreThanAChunk) {
  for (const auto& options : this->all_options()) {
    for (const std::size_t answers : {1U, 12U, 20U}) {
      Stopping stopping{.answers = answers};
      TypeParam model(stopping);
      const auto agent = this->experienced(model, options);
      static_cast<void>(agent->act(2, Until{.stop = stopping.source.get_token()}));
      const Decision& decision = agent->decision();
      EXPECT_TRUE(decision.cut_short);
      EXPECT_EQ(decision.by_model, !decision.values.empty());
      EXPECT_LT(decision.action, 3U);
      EXPECT_LE(stopping.late, options.queries.chunk);
      EXPECT_LE(stopping.answered, answers + options.queries.chunk);
      if (answers == 20) {
        EXPECT_TRUE(decision.by_model) << options.decisions.description();
      }
      EXPECT_GT(decision.costs.cancelled + decision.costs.lm_calls, 0U);
      if constexpr (std::is_same_v<TypeParam, SubmittedModel>) {
        EXPECT_EQ(model.in_flight(), 0U);
      }
    }
  }
}

TYPED_TEST(UntilStopped, KnowsNothingWhenItWasTooLateFromTheBeginning) {
  for (auto options : this->all_options()) {
    for (const bool alone : {false, true}) {
      if (alone) options.decisions.values = PolicyAlone{};
      Stopping stopping;
      TypeParam model(stopping);
      const auto agent = this->experienced(model, options);
      stopping.source.request_stop();
      static_cast<void>(agent->act(2, Until{.stop = stopping.source.get_token()}));
      EXPECT_TRUE(agent->decision().cut_short);
      EXPECT_FALSE(agent->decision().by_model);
      EXPECT_EQ(stopping.answered, 0U);
      static_cast<void>(agent->act(2, Until{.deadline = Until::Clock::now()}));
      EXPECT_TRUE(agent->decision().cut_short);
      EXPECT_EQ(stopping.answered, 0U);
    }
  }
}

TYPED_TEST(UntilStopped, LeavesTheAgentAsItWas) {
  for (const auto& options : this->all_options()) {
    Stopping stopping{.answers = 10}, never;
    TypeParam stopped_model(stopping), model(never);
    const auto stopped = this->experienced(stopped_model, options);
    const auto undisturbed = this->experienced(model, options);
    static_cast<void>(stopped->act(2, Until{.stop = stopping.source.get_token()}));
    static_cast<void>(undisturbed->act(2));
    stopping.source = std::stop_source();
    stopping.answered = 0;
    stopping.answers = 0;
    EXPECT_EQ(stopped->act(2), undisturbed->act(2));
    EXPECT_FALSE(stopped->decision().cut_short);
    EXPECT_EQ(stopped->decision().values, undisturbed->decision().values);
  }
}

TYPED_TEST(UntilStopped, AFarLimitChangesNothing) {
  for (const auto& options : this->all_options()) {
    Stopping never, also_never;
    TypeParam limited_model(never), model(also_never);
    const auto limited = this->experienced(limited_model, options);
    const auto unlimited = this->experienced(model, options);
    EXPECT_EQ(limited->act(2, Until::after(std::chrono::hours(24))), unlimited->act(2));
    EXPECT_EQ(limited->decision().values, unlimited->decision().values);
    EXPECT_EQ(limited->decision().costs.lm_calls, unlimited->decision().costs.lm_calls);
    EXPECT_FALSE(limited->decision().cut_short);
  }
}

TYPED_TEST(UntilStopped, EndsTraining) {
  Stopping stopping{.answers = 400};
  TypeParam model(stopping);
  PolicyIteration<Chain, TypeParam> agent(this->env, model);
  const auto result = agent.train(this->env, {.until = {.stop = stopping.source.get_token()}});
  EXPECT_EQ(result.end, TrainingEnd::until);
  EXPECT_GT(result.steps, 0U);
  EXPECT_EQ(result.cut_short, 0U);  // the decision that was cut short was not acted on
  stopping.source = std::stop_source();
  EXPECT_EQ(agent.train(this->env, {.episodes = 2}).end, TrainingEnd::episodes);
}

TEST(TrainingLimits, CountDecisionsThatRanOutOfTime) {
  Stopping never;
  BatchModel model(never);
  Chain env;
  PolicyIterationOptions options;
  options.decisions.explorations = {};
  PolicyIteration<Chain, BatchModel> agent(env, model, options);
  for (std::uint64_t seed = 0; seed < 12; ++seed) agent.import(testing::random_episode(env, seed));
  const auto result = agent.train(env, {.episodes = 3, .decision_time = std::chrono::nanoseconds(1)});
  EXPECT_EQ(result.end, TrainingEnd::episodes);
  EXPECT_EQ(result.cut_short, result.steps);
  EXPECT_THROW(agent.train(env, {.episodes = 1, .decision_time = std::chrono::nanoseconds(-1)}), InvalidArgument);
}

TEST(Limits, AreOverWhenTheySaySo) {
  EXPECT_FALSE(Until{}.limits());
  EXPECT_FALSE(Until{}.over());
  EXPECT_EQ(Until{}.wait(std::chrono::milliseconds(700)), std::chrono::milliseconds(700));
  EXPECT_TRUE(Until::after(std::chrono::nanoseconds(0)).over());
  EXPECT_FALSE(Until::after(std::chrono::nanoseconds::max()).limits());
  const Until hour = Until::after(std::chrono::hours(1));
  EXPECT_TRUE(hour.limits() && !hour.over());
  EXPECT_EQ(hour.at_most(std::chrono::hours(2)).deadline, hour.deadline);
  EXPECT_LT(hour.at_most(std::chrono::minutes(1)).deadline, hour.deadline);
  std::stop_source source;
  const Until told{.stop = source.get_token()};
  EXPECT_TRUE(told.limits() && !told.over());
  EXPECT_LE(told.wait(std::chrono::milliseconds(700)), std::chrono::milliseconds(50));
  source.request_stop();
  EXPECT_TRUE(told.over());
}

}  // namespace
}  // namespace icpi
