// SPDX-License-Identifier: MIT
#include "icpi/models/oracle.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>

#include "icpi/domains/all.hpp"
#include "icpi/testing/check_language_model.hpp"
#include "support/random_episodes.hpp"

namespace icpi {
namespace {

template <class Env>
struct OracleTest : ::testing::Test {
  using Formatter = default_formatter_t<Env>;

  Completion ask(QueryKind kind, const std::string& prefix, const std::string& query, std::uint64_t seed = 0) {
    const std::array<std::string_view, 1> stop{formatter.stop(kind)};
    CompletionRequest request;
    request.prefix.text = prefix;
    request.query = query;
    request.stop = stop;
    request.seed = seed;
    Completion completion;
    oracle.complete(std::span(&request, 1), std::span(&completion, 1));
    EXPECT_FALSE(completion.error);
    return completion;
  }

  std::string example(const TransitionOf<Env>& step, const std::string& answer) const {
    return std::string(formatter.observation(step.observation)) + std::string(formatter.action(step.action)) + answer +
           "\n";
  }

  Env env;
  Formatter formatter{env};
  OracleModel<Env> oracle{env};
};

using Domains = ::testing::Types<Chain, DistractorChain, Maze, MiniCatch, MiniInvaders, PointMass>;
TYPED_TEST_SUITE(OracleTest, Domains);

TYPED_TEST(OracleTest, WhatIsLeftOpenIsNoLimitAndTheFirstSeed) {
  const auto step = testing::random_episode(this->env, 1).front();
  const std::string example = this->example(step, std::string(this->formatter.observation(step.next_observation)));
  const std::string query =
      std::string(this->formatter.observation(step.observation)) + std::string(this->formatter.action(step.action));
  CompletionRequest request;
  request.prefix.text = example;
  request.query = query;
  request.sampling = {.temperature = {}, .top_p = {}, .max_tokens = 1000};
  std::array<Completion, 2> completions;
  this->oracle.complete(std::span(&request, 1), std::span(completions).first(1));
  request.sampling.max_tokens.reset();
  request.seed.reset();
  this->oracle.complete(std::span(&request, 1), std::span(completions).last(1));
  EXPECT_EQ(completions[0], completions[1]);
  EXPECT_FALSE(completions[0].text.empty());
}

TYPED_TEST(OracleTest, AnswersWholeTransitions) {
  auto& texts = this->formatter;
  const auto whole = [&](const TransitionOf<TypeParam>& step) {
    std::string text(texts.termination(step.terminated));
    text += texts.reward(step.reward);
    if (!step.terminated) text += texts.observation(step.next_observation);
    return text;
  };
  const std::string blank_line = "\n\n";
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto episode = testing::random_episode(this->env, seed);
    for (const std::string& shown : {whole(episode.front()), whole(episode.back()), std::string()}) {
      CompletionRequest request;
      const std::string prefix = shown.empty() ? "" : this->example(episode.front(), shown);
      const std::string query =
          std::string(texts.observation(episode.back().observation)) + std::string(texts.action(episode.back().action));
      const std::array<std::string_view, 1> stop{blank_line};
      request.prefix.text = prefix;
      request.query = query;
      request.stop = stop;
      EXPECT_EQ(this->oracle.kind(request), QueryKind::transition);
      Completion completion;
      this->oracle.complete(std::span(&request, 1), std::span(&completion, 1));
      EXPECT_EQ(completion.finish, FinishReason::stop);
      const std::string expected = whole(episode.back());
      constexpr bool exact = std::is_same_v<TypeParam, Chain> || std::is_same_v<TypeParam, Maze> ||
                             std::is_same_v<TypeParam, MiniCatch>;  // the others draw, or round
      EXPECT_TRUE(completion.text.starts_with(texts.termination(episode.back().terminated)));
      EXPECT_TRUE(!exact || completion.text + '\n' == expected) << completion.text;
    }
  }
}

TYPED_TEST(OracleTest, AnswersTheFourQuestionsAsTheEnvironmentDoes) {
  auto& texts = this->formatter;
  const bool rounded = std::is_same_v<TypeParam, PointMass>;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto episode = testing::random_episode(this->env, seed);
    const auto& shown = episode.front();
    const std::string termination = this->example(shown, std::string(texts.termination(shown.terminated)));
    const std::string reward = this->example(shown, std::string(texts.reward(shown.reward)));
    const std::string observation = this->example(shown, std::string(texts.observation(shown.next_observation)));
    for (const auto& step : episode) {
      const std::string query =
          std::string(texts.observation(step.observation)) + std::string(texts.action(step.action));
      EXPECT_EQ(texts.parse_termination(this->ask(QueryKind::termination, termination, query).text), step.terminated);
      EXPECT_EQ(texts.parse_reward(this->ask(QueryKind::reward, reward, query).text), step.reward);
      EXPECT_EQ(texts.parse_reward(this->ask(QueryKind::reward, "", query).text), step.reward);
      const auto next = this->ask(QueryKind::observation, observation, query);
      EXPECT_TRUE(texts.accepts_observation(next.text)) << next.text;
      if (!std::is_same_v<TypeParam, DistractorChain> && !rounded) {
        EXPECT_EQ(next.text + "\n", texts.observation(step.next_observation));
      }
    }
  }
}

TYPED_TEST(OracleTest, CopiesTheLastActionTakenAtExactlyThisObservation) {
  auto& texts = this->formatter;
  const auto episode = testing::random_episode(this->env, 5);
  const auto& step = episode.front();
  const auto& actions = this->env.actions();
  auto other = step;
  other.action = step.action == actions[0] ? actions[1] : actions[0];
  const std::string start(texts.episode_start());
  const std::string query = start + std::string(texts.observation(step.observation));
  const std::string first = start + std::string(texts.trajectory_step(step));
  const std::string second = start + std::string(texts.trajectory_step(other));
  const std::string end = start + std::string(texts.observation(step.observation));  // nothing follows it
  EXPECT_EQ(texts.parse_action(this->ask(QueryKind::action, first + second + end, query).text), other.action);
  EXPECT_EQ(texts.parse_action(this->ask(QueryKind::action, second + first, query).text), step.action);

  std::map<std::string, int> drawn;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const auto completion = this->ask(QueryKind::action, "", query, seed);
    EXPECT_TRUE(texts.parse_action(completion.text));
    ++drawn[completion.text];
  }
  EXPECT_EQ(drawn.size(), actions.size());
  for (const auto& [text, count] : drawn) EXPECT_GT(count, 150 / static_cast<int>(actions.size())) << text;
}

TYPED_TEST(OracleTest, SaysNothingToWhatItCannotRead) {
  for (const std::string query : {"", "\n", "nonsense", "nonsense\n"})
    EXPECT_EQ(this->ask(QueryKind::reward, "", query).text, "") << query;
}

TYPED_TEST(OracleTest, Conforms) {
  testing::LanguageModelCheck check;
  const auto episode = testing::random_episode(this->env, 1);
  std::string prompt;
  for (const auto& step : episode) {
    prompt += this->example(step, std::string(this->formatter.reward(step.reward)));
    check.prompts.push_back(prompt + std::string(this->formatter.observation(step.observation)) +
                            std::string(this->formatter.action(step.action)));
  }
  const auto report = testing::check_language_model(this->oracle, check);
  EXPECT_TRUE(report.ok()) << report;
}

TEST(OracleModel, KnowsThatAnUnknownStateHasNoAnswer) {
  OracleModel<Chain> oracle;
  CompletionRequest request;
  request.query = "assert state == 99 and state != 4\nstate = left()\n";
  Completion completion;
  oracle.complete(std::span(&request, 1), std::span(&completion, 1));
  EXPECT_EQ(completion.text, "");
  EXPECT_EQ(completion.finish, FinishReason::stop);
  request.want_logprobs = true;
  oracle.complete(std::span(&request, 1), std::span(&completion, 1));
  EXPECT_EQ(completion.error.category, ErrorCategory::invalid_request);
  EXPECT_THROW(oracle.complete(std::span(&request, 1), {}), InvalidArgument);
}

}  // namespace
}  // namespace icpi
