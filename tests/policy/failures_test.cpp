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
#include "support/random_episodes.hpp"
#include "support/shuffled_language_model.hpp"

namespace icpi {
namespace {

PolicyIterationOptions options_with(PromptMode mode, std::uint64_t seed = 4) {
  PolicyIterationOptions options;
  options.seed = seed;
  options.prompts.mode = mode;
  options.prompts.context_tokens = 1200;
  options.decisions.warm_up.successes = 1;
  options.decisions.rollouts.rollouts_per_action = 2;
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
  auto options = options_with(PromptMode::per_query);
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
  for (const auto mode : {PromptMode::per_query, PromptMode::stable}) {
    auto options = options_with(mode);
    options.queries.sampling.temperature = 0;
    options.decisions.warm_up = {.successes = 0, .slope = 2, .abrupt = true};
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
    EXPECT_TRUE((agent.decision().returns == expected.decision().returns).all());
  }
}

/// Takes submissions; throws at a given one, or at a given collection.
struct ThrowingSubmissions : testing::ShuffledLanguageModel<InductionModel> {
  ThrowingSubmissions() : ShuffledLanguageModel(InductionModel(), 4, 1) {}
  int submissions_left = 1000000;
  int collections_left = 1000000;
  void submit(const CompletionRequest& request, Ticket ticket) {
    if (submissions_left-- == 0) throw std::runtime_error("gone");
    ShuffledLanguageModel::submit(request, ticket);
  }
  std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds patience) {
    if (collections_left-- == 0) throw std::runtime_error("gone");
    return ShuffledLanguageModel::collect(finished, patience);
  }
};

TEST(Failures, ADecisionWhoseSubmissionsThrewLeavesNothingBehind) {
  for (const bool prime : {false, true}) {
    for (int number = 0; number < 60; ++number) {
      auto options = options_with(PromptMode::stable);
      options.queries.sampling.temperature = 0;
      options.queries.prime_prefixes = prime;
      options.decisions.warm_up = {.successes = 0, .slope = 2, .abrupt = true};
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
      (number % 2 == 0 ? disturbed.submissions_left : disturbed.collections_left) = number / 2;
      try {
        static_cast<void>(agent.act({3}));
        EXPECT_GT(number, 20) << "nothing was thrown";
      } catch (const std::runtime_error&) {
        EXPECT_THROW(agent.observe(env.step(env.actions()[0])), InvalidArgument);
      }
      disturbed.submissions_left = disturbed.collections_left = 1000000;
      agent.begin_episode({3});
      expected.begin_episode({3});
      EXPECT_EQ(agent.act({3}), expected.act({3}));
      EXPECT_TRUE((agent.decision().returns == expected.decision().returns).all()) << number;
    }
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
    PolicyIteration<Chain, RefusingModel> agent(env, model, options_with(PromptMode::per_query));
    agent.train(env, {.steps = 60});
    EXPECT_GT(agent.costs().failures, 0U);
    EXPECT_EQ(agent.costs().retries > 0, category == ErrorCategory::transport);
  }
}

}  // namespace
}  // namespace icpi
