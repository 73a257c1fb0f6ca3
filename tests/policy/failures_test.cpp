// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/agent_options.hpp"
#include "support/random_episodes.hpp"
#include "support/shuffled_language_model.hpp"

namespace icpi {
namespace {

PolicyIterationOptions options_with(icpi_test::PromptMode mode, std::uint64_t seed = 4) {
  PolicyIterationOptions options = icpi::paper_options();
  options.seed = seed;
  options.prompts.examples = icpi_test::examples_of(mode);
  options.prompts.context_tokens = 1200;
  options.decisions.explorations = {icpi::WarmUp{.successes = 1}};
  icpi_test::rollouts_of(options).rollouts_per_action = 2;
  return options;
}

/// A model that fails every item of a kind of request now and then.
struct FailingModel {
  InductionModel model;
  int calls = 0;
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    model.complete(requests, completions);
    for (auto& completion : completions) {
      if (++calls % 3 == 0) completion.error = {ErrorCategory::transport, "connection lost", 0};
    }
  }
  [[nodiscard]] std::string identity() const { return "failing"; }
};

TEST(Failures, CountsFailuresApartFromInvalidPredictions) {
  FailingModel model;
  Chain env;
  auto options = options_with(icpi_test::PromptMode::per_query);
  PolicyIteration<Chain, FailingModel> agent(env, model, options);
  agent.train(env, {.steps = 40});
  EXPECT_GT(agent.costs().failures, 10U);
  EXPECT_EQ(agent.costs().failures, static_cast<std::uint64_t>(model.calls / 3));
  EXPECT_GT(agent.costs().retries, 0U);
  EXPECT_EQ(agent.costs().invalid, 0U);
}

/// Throws at a given batch, else answers.
struct ThrowingModel {
  InductionModel model;
  int batches_left = 1000000;
  std::size_t items = 0;
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    if (batches_left-- == 0) throw std::runtime_error("gone");
    model.complete(requests, completions);
    items += requests.size();
  }
  [[nodiscard]] std::string identity() const { return "throwing"; }
};

TEST(Failures, ADecisionThatThrewLeavesNothingBehind) {
  for (const auto mode : {icpi_test::PromptMode::per_query, icpi_test::PromptMode::stable}) {
    auto options = options_with(mode);
    options.queries.sampling.temperature = 0;
    options.decisions.explorations = {icpi::WarmUp{.successes = 0, .slope = 2, .abrupt = true}};
    Chain env;
    ThrowingModel undisturbed, disturbed;
    PolicyIteration<Chain, ThrowingModel> expected(env, undisturbed, options), agent(env, disturbed, options);
    for (auto* each : {&expected, &agent}) {
      for (std::uint64_t seed = 0; seed < 6; ++seed) each->import(testing::random_episode(env, seed));
      each->begin_episode(Chain::Observation{3});
    }
    disturbed.batches_left = 1;
    EXPECT_THROW(static_cast<void>(agent.act({3})), std::runtime_error);
    EXPECT_THROW(agent.observe(env.step(env.actions()[0])), InvalidArgument);
    EXPECT_EQ(agent.act({3}), expected.act({3}));
    EXPECT_EQ(agent.decision().returns, expected.decision().returns);
  }
}

/// Takes submissions; throws at a given one, or at a given collection and a few more.
struct ThrowingSubmissions : testing::ShuffledLanguageModel<InductionModel> {
  ThrowingSubmissions() : ShuffledLanguageModel(InductionModel(), 4, 1) {}
  int submissions_left = 1000000;
  int collections_left = 1000000;
  int in_a_row = 1;
  void submit(const CompletionRequest& request, Ticket ticket) {
    if (submissions_left-- == 0) throw std::runtime_error("gone");
    ShuffledLanguageModel::submit(request, ticket);
  }
  std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds patience) {
    if (collections_left-- <= 0 && in_a_row-- > 0) throw std::runtime_error("gone");
    return ShuffledLanguageModel::collect(finished, patience);
  }
};

TEST(Failures, ADecisionWhoseSubmissionsThrewLeavesNothingBehind) {
  for (const bool prime : {false, true}) {
    for (int number = 0; number < 90; ++number) {
      auto options = options_with(icpi_test::PromptMode::stable);
      options.queries.sampling.temperature = 0;
      options.queries.prime_prefixes = prime;
      options.decisions.explorations = {icpi::WarmUp{.successes = 0, .slope = 2, .abrupt = true}};
      Chain env;
      InductionModel undisturbed;
      ThrowingSubmissions disturbed;
      PolicyIteration<Chain, InductionModel> expected(env, undisturbed, options);
      PolicyIteration<Chain, ThrowingSubmissions> agent(env, disturbed, options);
      for (std::uint64_t seed = 0; seed < 6; ++seed) {
        expected.import(testing::random_episode(env, seed));
        agent.import(testing::random_episode(env, seed));
      }
      expected.begin_episode({3});
      agent.begin_episode({3});
      (number % 3 == 0 ? disturbed.submissions_left : disturbed.collections_left) = number / 3;
      if (number % 3 == 2) disturbed.in_a_row = 5;
      try {
        static_cast<void>(agent.act({3}));
        EXPECT_GT(number, 20) << "nothing was thrown";
      } catch (const std::runtime_error&) {
        EXPECT_THROW(agent.observe(env.step(env.actions()[0])), InvalidArgument);
      }
      disturbed.submissions_left = disturbed.collections_left = 1000000;
      disturbed.in_a_row = 1;
      agent.begin_episode({3});
      expected.begin_episode({3});
      EXPECT_EQ(agent.act({3}), expected.act({3}));
      EXPECT_EQ(agent.decision().returns, expected.decision().returns) << number;
    }
  }
}

TEST(Failures, AModelThatThrowsForEverIsNotAskedAgain) {
  auto options = options_with(icpi_test::PromptMode::stable);
  options.decisions.explorations = {icpi::WarmUp{.successes = 0, .slope = 2, .abrupt = true}};
  Chain env;
  ThrowingSubmissions model;
  PolicyIteration<Chain, ThrowingSubmissions> agent(env, model, options);
  for (std::uint64_t seed = 0; seed < 6; ++seed) agent.import(testing::random_episode(env, seed));
  agent.begin_episode({3});
  model.collections_left = 3;
  model.in_a_row = 1000;
  EXPECT_THROW(static_cast<void>(agent.act({3})), std::runtime_error);
  const int asked = model.in_a_row;
  EXPECT_THROW(static_cast<void>(agent.act({3})), Error);
  EXPECT_EQ(model.in_a_row, asked);
}

/// Breaks the contract of collect().
struct MiscountingModel : testing::ShuffledLanguageModel<InductionModel> {
  enum class Mistake { unknown_ticket, same_ticket_twice, too_many };
  explicit MiscountingModel(Mistake kind) : ShuffledLanguageModel(InductionModel(), 4, 1), mistake(kind) {}
  std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds patience) {
    const std::size_t count = ShuffledLanguageModel::collect(finished, patience);
    if (count == 0 || ++collections < 5) return count;
    switch (mistake) {
      case Mistake::unknown_ticket: finished[0].ticket = 123456; return count;
      case Mistake::same_ticket_twice: finished[0].ticket = last; break;
      case Mistake::too_many: return finished.size() + 1;
    }
    last = finished[0].ticket;
    return count;
  }
  Mistake mistake;
  int collections = 0;
  Ticket last = 0;
};

TEST(Failures, ModelsThatLoseCountAreNamed) {
  using Mistake = MiscountingModel::Mistake;
  for (const auto mode : {icpi_test::PromptMode::per_query, icpi_test::PromptMode::stable}) {
    for (const auto mistake : {Mistake::unknown_ticket, Mistake::same_ticket_twice, Mistake::too_many}) {
      auto options = options_with(mode);
      options.decisions.explorations = {icpi::WarmUp{.successes = 0, .slope = 2, .abrupt = true}};
      Chain env;
      MiscountingModel model(mistake);
      PolicyIteration<Chain, MiscountingModel> agent(env, model, options);
      for (std::uint64_t seed = 0; seed < 6; ++seed) agent.import(testing::random_episode(env, seed));
      agent.begin_episode({3});
      try {
        static_cast<void>(agent.act({3}));
        FAIL() << "nothing was thrown";
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("collect() returned"), std::string::npos) << error.what();
      }
      EXPECT_THROW(static_cast<void>(agent.act({3})), Error) << "it goes on with a model that cannot count";
    }
  }
}

template <class LM>
void expect_observers_may_throw(icpi_test::PromptMode mode) {
  auto options = options_with(mode);
  options.queries.sampling.temperature = 0;
  options.decisions.explorations = {icpi::WarmUp{.successes = 0, .slope = 2, .abrupt = true}};
  Chain env;
  InductionModel undisturbed;
  LM disturbed;
  PolicyIteration<Chain, InductionModel> expected(env, undisturbed, options);
  PolicyIteration<Chain, LM> agent(env, disturbed, options);
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    expected.import(testing::random_episode(env, seed));
    agent.import(testing::random_episode(env, seed));
  }
  for (int number = 0; number < 12; ++number) {
    expected.begin_episode({3});
    agent.begin_episode({3});
    agent.model().observe_queries([left = number](const QueryRecord&) mutable {
      if (left-- == 0) throw std::runtime_error("the observer has seen enough");
    });
    EXPECT_THROW(static_cast<void>(agent.act({3})), std::runtime_error) << number;
    const auto spent = agent.costs().lm_calls;
    EXPECT_GT(spent, 0U) << "what a decision cost that threw is lost";
    agent.model().observe_queries({});
    EXPECT_EQ(agent.act({3}), expected.act({3})) << number;
    EXPECT_EQ(agent.decision().returns, expected.decision().returns) << number;
  }
}

TEST(Failures, AnObserverThatThrowsEndsTheDecisionAndNothingElse) {
  for (const auto mode : {icpi_test::PromptMode::per_query, icpi_test::PromptMode::stable}) {
    expect_observers_may_throw<InductionModel>(mode);
    expect_observers_may_throw<ThrowingSubmissions>(mode);
  }
}

/// Fails every item in the same way.
struct RefusingModel {
  ErrorCategory category = ErrorCategory::authentication;
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      completions[i] = {};
      completions[i].error = {category, "refused", 0};
    }
  }
  [[nodiscard]] std::string identity() const { return "refusing"; }
};

TEST(Failures, AsksAgainOnlyWhenThatCanHelp) {
  for (const auto category : {ErrorCategory::authentication, ErrorCategory::transport}) {
    RefusingModel model{category};
    Chain env;
    PolicyIteration<Chain, RefusingModel> agent(env, model, options_with(icpi_test::PromptMode::per_query));
    agent.train(env, {.steps = 60});
    EXPECT_GT(agent.costs().failures, 0U);
    EXPECT_EQ(agent.costs().retries > 0, category == ErrorCategory::transport);
  }
}

}  // namespace
}  // namespace icpi
