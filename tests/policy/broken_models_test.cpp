// SPDX-License-Identifier: MIT
// What is left of a decision that a language model, a buffer or a strategy broke off, or that had no time.
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/agent_options.hpp"
#include "support/random_episodes.hpp"
#include "support/shuffled_language_model.hpp"

namespace icpi {
namespace {

/// Append-only prompts that are the same in every decision, greedy answers, and every decision is the model's.
PolicyIterationOptions greedy_options() {
  auto options = icpi_test::paper_options_with(icpi_test::PromptMode::stable);
  options.prompts.examples = AppendOnlyExamples{.policy_prompts = 1};
  options.queries.sampling.temperature = 0;
  options.decisions.explorations = {};
  return options;
}

/// An agent with some experience, at the beginning of an episode.
template <class Agent, class LM>
Agent experienced(Chain env, LM& model, const PolicyIterationOptions& options) {
  Agent agent(env, model, options);
  for (std::uint64_t seed = 0; seed < 6; ++seed) agent.import(testing::random_episode(env, seed));
  agent.begin_episode(3);
  return agent;
}

/// Notes what it is asked, batch by batch, and throws at a given batch.
struct NotedModel {
  InductionModel model{};
  std::size_t batches_left = 1'000'000;
  std::size_t answered = 0;
  std::vector<std::vector<std::uint64_t>> prefixes{};  ///< identities

  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    if (batches_left-- == 0) throw std::runtime_error("gone");
    model.complete(requests, completions);
    answered += requests.size();
    prefixes.emplace_back();
    for (const auto& each : requests) prefixes.back().push_back(each.prefix.identity);
  }
  [[nodiscard]] std::string identity() const { return "noted"; }
};

TEST(BrokenDecisions, CountWhatWasAnsweredBefore) {
  using Agent = PolicyIteration<Chain, NotedModel>;
  const Chain env;
  for (const bool prime : {false, true}) {
    for (const auto mode : {icpi_test::PromptMode::stable, icpi_test::PromptMode::per_query}) {
      for (std::size_t batches = 0; batches < 12; ++batches) {
        auto options = greedy_options();
        if (mode == icpi_test::PromptMode::per_query) options.prompts.examples = BalancedExamples{};
        options.queries.prime_prefixes = prime;
        options.queries.chunk = 2;
        NotedModel model;
        auto agent = experienced<Agent>(env, model, options);
        model.batches_left = batches;
        EXPECT_THROW(static_cast<void>(agent.act(3, Until::after(std::chrono::hours(1)))), std::runtime_error);
        EXPECT_EQ(agent.costs().lm_calls, model.answered) << batches;
        // What was paid for is not asked again where equal questions have equal answers.
        if (mode == icpi_test::PromptMode::per_query) continue;
        model.batches_left = 1'000'000;
        NotedModel undisturbed;
        auto expected = experienced<Agent>(env, undisturbed, options);
        EXPECT_EQ(agent.act(3), expected.act(3));
        EXPECT_EQ(agent.decision().returns, expected.decision().returns);
        EXPECT_EQ(model.answered, undisturbed.answered) << batches;
      }
    }
  }
}

TEST(BrokenDecisions, TakeNoPrefixForComputedThatWasNotSent) {
  using Agent = PolicyIteration<Chain, NotedModel>;
  const Chain env;
  auto options = greedy_options();
  options.decisions.values = MeanOfRollouts{{.rollouts_per_action = 3}};  // which share prefixes
  options.queries.prime_prefixes = true;
  NotedModel model;
  auto agent = experienced<Agent>(env, model, options);
  model.batches_left = 0;
  EXPECT_THROW(static_cast<void>(agent.act(3)), std::runtime_error);
  model.batches_left = 1'000'000;
  static_cast<void>(agent.act(3));
  ASSERT_FALSE(model.prefixes.empty());
  const std::set<std::uint64_t> different(model.prefixes[0].begin(), model.prefixes[0].end());
  EXPECT_GT(different.size(), 1U);
  EXPECT_EQ(different.size(), model.prefixes[0].size()) << "one question a prefix comes first";
}

/// Keeps experience, and throws when it is asked for the n-th time.
struct MoodyBuffer : TrajectoryBuffer<Chain> {
  using TrajectoryBuffer::TrajectoryBuffer;
  [[nodiscard]] TransitionIds matching(std::size_t action, bool terminated) const {
    look();
    return TrajectoryBuffer::matching(action, terminated);
  }
  [[nodiscard]] std::span<const RewardClass> reward_classes(std::size_t action, bool terminated) const {
    look();
    return TrajectoryBuffer::reward_classes(action, terminated);
  }
  void look() const {
    if (left > 0 && --left == 0) throw std::runtime_error("not in the mood");
  }
  mutable std::size_t left = 0;  ///< 0: never
};

TEST(BrokenDecisions, LeaveNothingBehindWhereAPromptCouldNotBeBuilt) {
  using Agent = PolicyIteration<Chain, InductionModel, ChainFormatter, MoodyBuffer>;
  const Chain env;
  InductionModel model;
  std::size_t thrown = 0;
  for (std::size_t number = 1; number <= 24; ++number) {
    auto agent = experienced<Agent>(env, model, greedy_options());
    auto expected = experienced<Agent>(env, model, greedy_options());
    agent.memory().buffer.left = number;
    try {
      static_cast<void>(agent.act(3));
    } catch (const std::runtime_error&) {
      ++thrown;
    }
    agent.memory().buffer.left = 0;
    EXPECT_EQ(agent.act(3), expected.act(3)) << number;
    EXPECT_EQ(agent.decision().returns, expected.decision().returns) << number;
    EXPECT_EQ(agent.decision().costs.retries, expected.decision().costs.retries) << number << ": one was waited for";
  }
  EXPECT_GT(thrown, 3U);
}

/// Cannot cancel the first submission that it is told to.
struct StubbornModel : testing::ShuffledLanguageModel<InductionModel> {
  explicit StubbornModel(std::stop_source stop)
      : ShuffledLanguageModel(InductionModel(), 8, 1), source(std::move(stop)) {}
  void submit(const CompletionRequest& request, Ticket ticket) {
    ShuffledLanguageModel::submit(request, ticket);
    ++in_flight;
  }
  std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds patience) {
    in_flight -= ShuffledLanguageModel::collect(finished.first(1), patience);
    if (++collected == 20) {
      source.request_stop();
      unwanted = in_flight;
    }
    return 1;
  }
  void cancel(Ticket ticket) {
    cancelled.insert(ticket);
    if (cancelled.size() == 1) throw std::runtime_error("cannot cancel");
  }
  std::stop_source source;
  std::size_t in_flight = 0;
  std::size_t collected = 0;
  std::size_t unwanted = 0;  ///< in flight at the stop
  std::set<Ticket> cancelled{};
};

TEST(BrokenDecisions, CancelTheRestWhereOneCannotBeCancelled) {
  const Chain env;
  for (const ValueEstimator& values :
       {ValueEstimator(MeanOfRollouts{{.rollouts_per_action = 4}}), ValueEstimator(Planning{})}) {
    auto options = greedy_options();
    options.decisions.values = values;
    std::stop_source source;
    StubbornModel model(source);
    auto agent = experienced<PolicyIteration<Chain, StubbornModel>>(env, model, options);
    static_cast<void>(agent.act(3, Until{.stop = source.get_token()}));
    EXPECT_TRUE(agent.decision().cut_short);
    EXPECT_GT(model.unwanted, 1U);
    EXPECT_EQ(model.cancelled.size(), model.unwanted);
    EXPECT_EQ(model.in_flight, 0U);
    static_cast<void>(agent.act(3));
    EXPECT_FALSE(agent.decision().cut_short);
  }
}

/// A chain in which nobody goes right, and which may no longer be there to say so.
struct LimitedChain : Chain {
  std::shared_ptr<bool> gone = std::make_shared<bool>(false);
  [[nodiscard]] std::vector<ChainAction> legal_actions(int) const {
    if (*gone) throw EnvironmentUnreachable("gone");
    return {ChainAction::left, ChainAction::try_goal};
  }
};

struct ChoosingModel : testing::ShuffledLanguageModel<InductionModel> {
  static constexpr bool constrains_choices = true;
  using ShuffledLanguageModel::ShuffledLanguageModel;
};

TEST(BrokenSubmissions, DoNotForgetThoseThatWaitForAPrefix) {
  const LimitedChain env;
  ChoosingModel model(InductionModel(), 4, 1);
  auto options = greedy_options();
  options.queries.prime_prefixes = true;
  options.queries.restrict_answers = true;
  PolicyIteration<LimitedChain, ChoosingModel, ChainFormatter> agent(env, model, options);
  LimitedChain played;
  for (std::uint64_t seed = 0; seed < 6; ++seed) agent.import(testing::random_episode(played, seed));
  agent.begin_episode(3);
  static_cast<void>(agent.act(3));  // from now on questions may be put by hand
  agent.begin_episode(3);           // with a policy prompt that no answer was computed behind
  Question question;
  question.kind = QueryKind::action;
  question.observation = agent.memory().observe(3);
  agent.model().submit(question, 1);
  question.sample = 1;
  agent.model().submit(question, 2);  // waits for the prefix of the first one
  *env.gone = true;
  question.observation = agent.memory().observe(5);
  agent.model().submit(question, 3);  // any action may be legal there
  *env.gone = false;
  agent.model().limit(Until::after(std::chrono::seconds(5)));  // what nobody sends never comes
  std::set<std::uint64_t> came;
  std::vector<FinishedAnswer> finished(4);
  while (came.size() < 3) {
    const std::size_t count = agent.model().collect(finished);
    ASSERT_GT(count, 0U) << "it is waited for for ever";
    for (std::size_t i = 0; i < count; ++i) came.insert(finished[i].ticket);
  }
  EXPECT_EQ(came, (std::set<std::uint64_t>{1, 2, 3}));
}

}  // namespace
}  // namespace icpi
