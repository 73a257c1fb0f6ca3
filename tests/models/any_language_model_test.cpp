// SPDX-License-Identifier: MIT
#include "icpi/models/any_language_model.hpp"

#include <gtest/gtest.h>

#include <array>
#include <utility>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/models/scripted.hpp"
#include "icpi/policy/policy_iteration.hpp"

namespace icpi {
namespace {

ScriptedModel echo() {
  return ScriptedModel(
      [](const CompletionRequest& request) { return ScriptedModel::answer(std::string(request.query)); });
}

std::vector<CompletionRequest> requests() {
  std::vector<CompletionRequest> made(3);
  made[0].query = "one";
  made[1].query = "two";
  made[2].query = "three";
  return made;
}

TEST(AnyLanguageModel, AnswersAsTheModelHeld) {
  ScriptedModel plain = echo();
  AnyLanguageModel any(echo());
  EXPECT_EQ(any.identity(), "scripted");
  const auto asked = requests();
  std::vector<Completion> expected(asked.size());
  std::vector<Completion> answers(asked.size());
  plain.complete(asked, expected);
  any.complete(asked, answers);
  EXPECT_EQ(answers, expected);
  AnyLanguageModel moved = std::move(any);
  moved.complete(asked, answers);
  EXPECT_EQ(answers, expected);
}

TEST(AnyLanguageModel, KeepsCapabilities) {
  EXPECT_EQ(AnyLanguageModel(echo()).capabilities(), Capabilities{});
  const AnyLanguageModel induction(std::make_unique<InductionModel>());
  const Capabilities expected{.scores = ScoresContinuations<InductionModel>,
                              .constrains_choices = ConstrainsChoices<InductionModel>,
                              .counts_tokens = CountsTokens<InductionModel>,
                              .context_limit = HasContextLimit<InductionModel>,
                              .asynchronous = AsynchronousLanguageModel<InductionModel>,
                              .gives_logprobs = GivesLogprobs<InductionModel>};
  EXPECT_EQ(induction.capabilities(), expected);
  EXPECT_NE(expected, Capabilities{});
  EXPECT_EQ(AnyLanguageModel(std::make_unique<AnyLanguageModel>(std::make_unique<InductionModel>())).capabilities(),
            expected);
}

TEST(AnyLanguageModel, WhatTheModelCannotDoIsAnError) {
  AnyLanguageModel any(echo());
  EXPECT_THROW((void)any.count_tokens("x"), InvalidArgument);
  EXPECT_EQ(any.context_limit(), 0U);
  const std::array<std::string_view, 1> continuations{"x"};
  const ScoreRequest request{{}, "q", continuations};
  Scores scores;
  any.score(std::span(&request, 1), std::span(&scores, 1));
  EXPECT_EQ(scores.error.category, ErrorCategory::invalid_request);
  EXPECT_THROW(any.score(std::span(&request, 1), {}), InvalidArgument);
  EXPECT_THROW(AnyLanguageModel(std::unique_ptr<ScriptedModel>()), InvalidArgument);
}

TEST(AnyLanguageModel, TakesSubmissionsForSynchronousModels) {
  AnyLanguageModel any(echo());
  const auto asked = requests();
  for (std::size_t i = 0; i < asked.size(); ++i) any.submit(asked[i], 10 + i);
  any.cancel(11);
  std::vector<FinishedCompletion> finished(2);
  ASSERT_EQ(any.collect(finished, std::chrono::milliseconds(0)), 2U);
  EXPECT_EQ(finished[0].ticket, 10U);
  EXPECT_EQ(finished[1].completion.text, "two");
  ASSERT_EQ(any.collect(finished, std::chrono::milliseconds(0)), 1U);
  EXPECT_EQ(finished[0].ticket, 12U);
  EXPECT_EQ(any.collect(finished, std::chrono::milliseconds(0)), 0U);
}

TEST(AnyLanguageModel, MakesTheSameRunAsTheModelItself) {
  Chain env;
  InductionModel plain;
  AnyLanguageModel any(std::make_unique<InductionModel>());
  PolicyIteration<Chain, InductionModel> expected(env, plain, {.seed = 3});
  PolicyIteration<Chain, AnyLanguageModel> agent(env, any, {.seed = 3});
  Chain other;
  EXPECT_EQ(expected.train(env, {.steps = 40}), agent.train(other, {.steps = 40}));
  EXPECT_EQ(expected.costs(), agent.costs());
  ASSERT_EQ(expected.memory().buffer.size(), agent.memory().buffer.size());
  for (TransitionId id = 0; id < agent.memory().buffer.size(); ++id)
    EXPECT_EQ(expected.memory().buffer[id], agent.memory().buffer[id]);
}

}  // namespace
}  // namespace icpi
