// SPDX-License-Identifier: MIT
#include "icpi/policy/several_environments.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/domains/mini_catch_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "icpi/prompt/prompt_state.hpp"
#include "support/agent_options.hpp"
#include "support/logged_world.hpp"

namespace icpi {
namespace {

constexpr std::size_t count = 8;

struct Mode {
  icpi_test::PromptMode prompts = icpi_test::PromptMode::stable;
  double temperature = 0;
  bool within_episode = false;
};

PolicyIterationOptions options_with(const Mode& mode) {
  PolicyIterationOptions options = paper_options();
  options.seed = 3;
  options.prompts.examples = icpi_test::examples_of(mode.prompts);
  options.prompts.context_tokens = 500;
  options.queries.sampling.temperature = mode.temperature;
  options.decisions.update_within_episode = mode.within_episode;
  options.decisions.explorations = {WarmUp{.successes = 1}};
  icpi_test::rollouts_of(options).rollouts_per_action = 2;
  icpi_test::rollouts_of(options).step_limit = 3;
  return options;
}

using SharedAgent = PolicyIteration<MiniCatch, InductionModel>;

/// An agent that has lived a little and stands at one observation in every environment.
struct Standing {
  explicit Standing(const PolicyIterationOptions& options) : agent(envs[0], model, options) {
    agent.train(envs[0], {.episodes = 12});
    for (std::size_t i = 0; i < count; ++i) {
      numbers.push_back(i);
      observations.push_back(&seen);
      agent.environment(i).begin_episode(seen, EpisodeKind::evaluation);
    }
  }
  std::uint64_t calls(std::size_t first, std::size_t number) {
    const auto before = agent.total_costs().lm_calls;
    std::vector<MiniCatch::Action> actions(number, agent.actions()[0]);
    agent.act(std::span(numbers).subspan(first, number), std::span(observations).first(number), actions);
    return agent.total_costs().lm_calls - before;
  }

  std::vector<MiniCatch> envs{count};
  InductionModel model;
  SharedAgent agent;
  MiniCatch::Observation seen = envs[0].reset(5);
  std::vector<std::size_t> numbers;
  std::vector<const MiniCatch::Observation*> observations;
};

PolicyIterationOptions world_questions_only(double temperature) {
  auto options = options_with({icpi_test::PromptMode::stable, temperature});
  icpi_test::rollouts_of(options).step_limit = 1;
  return options;
}

TEST(SeveralEnvironments, AskIdenticalGreedyQuestionsOnceAndSampledOnesEach) {
  Standing greedy(world_questions_only(0));
  const auto once = greedy.calls(0, count);
  EXPECT_GT(once, 0U);
  EXPECT_EQ(Standing(world_questions_only(0)).calls(3, 1), once);
  EXPECT_EQ(greedy.calls(0, count), 0U);
  Standing sampled(world_questions_only(1));
  EXPECT_GE(sampled.calls(0, count), count * once);
}

TEST(SeveralEnvironments, AnothersBeginningInvalidatesNeitherHandlesNorAnswersNorPolicyPrompts) {
  Standing standing(world_questions_only(0));
  standing.calls(0, count);
  auto& prompt_context = standing.agent.environment(2).memory();
  const auto handle = prompt_context.observe(standing.seen);
  const std::string text(prompt_context.text(handle));
  const auto policy = prompt_context.state().policy_prompts[0];
  standing.agent.environment(5).begin_episode(standing.seen, EpisodeKind::evaluation);
  EXPECT_EQ(prompt_context.text(handle), text);
  EXPECT_EQ(prompt_context.state().policy_prompts[0].identity, policy.identity);
  EXPECT_EQ(prompt_context.state().policy_prompts[0].text, policy.text);
  EXPECT_EQ(standing.calls(2, 1), 0U);
}

TEST(SeveralEnvironments, WhatOneLearnsIsInThePromptsOfAll) {
  Standing standing(options_with({icpi_test::PromptMode::stable, 0, true}));
  auto& one = standing.agent.environment(1);
  auto& other = standing.agent.environment(6);
  one.begin_episode(standing.seen);
  other.begin_episode(standing.seen);
  const auto prompt = [&] {
    return other.memory().state().stable_prompt(QueryKind::observation, one.decision().action, false, 0).text;
  };
  static_cast<void>(one.act(standing.seen));
  const std::string before = prompt();
  const auto handle = other.memory().observe(standing.seen);
  const auto action = static_cast<std::uint32_t>(one.decision().action);
  const std::size_t times = other.memory().outcomes(handle, action).times;
  one.observe({standing.seen, 0.25, false, false});
  EXPECT_EQ(other.memory().outcomes(handle, action).times, times + 1);
  std::vector<SeenOutcome> seen;
  other.memory().recall(handle, action, seen);
  EXPECT_EQ(seen.back(), (SeenOutcome{false, 0.25, handle, 1}));
  EXPECT_NE(prompt(), before);
}

TEST(SeveralEnvironments, ExperienceEntersInTheOrderOfTheirNumbers) {
  Standing standing(options_with({icpi_test::PromptMode::stable, 0, true}));
  for (const std::size_t number : standing.numbers) standing.agent.environment(number).begin_episode(standing.seen);
  static_cast<void>(standing.calls(0, count));
  const std::vector<std::size_t> order{5, 2, 7, 0};
  std::vector<Step<MiniCatch::Observation>> steps;
  for (const std::size_t number : order) steps.push_back({standing.seen, static_cast<double>(number), false, false});
  const auto& buffer = standing.agent.memory().buffer;
  const auto before = static_cast<TransitionId>(buffer.size());
  standing.agent.observe(order, steps);
  ASSERT_EQ(buffer.size(), before + 4U);
  for (TransitionId i = 0; i < 4; ++i) EXPECT_EQ(buffer[before + i].reward, std::vector<double>({0, 2, 5, 7})[i]);
}

TEST(SeveralEnvironments, MistakesAreRefusedBeforeAnythingHappens) {
  InductionModel model;
  std::vector<Chain> envs(2);
  PolicyIteration<Chain, InductionModel> agent(envs[0], model);
  std::vector<Chain*> twice{&envs[0], &envs[0]};
  std::vector<Chain*> missing{&envs[0], nullptr};
  EXPECT_THROW(agent.train(twice, {.steps = 1}), InvalidArgument);
  EXPECT_THROW(agent.train(missing, {.steps = 1}), InvalidArgument);
  const auto seen = envs[0].reset(1);
  const std::vector<const Chain::Observation*> observations{&seen, &seen};
  std::vector<Chain::Action> actions(2, agent.actions()[0]);
  EXPECT_THROW(agent.act(std::vector<std::size_t>{0, 1}, observations, actions), InvalidArgument);
  static_cast<void>(agent.environment(1));
  EXPECT_THROW(agent.act(std::vector<std::size_t>{0, 1}, observations, actions), InvalidArgument);
  agent.begin_episode(seen);
  EXPECT_THROW(agent.act(std::vector<std::size_t>{0, 0}, observations, actions), InvalidArgument);
  agent.abandon();
  EXPECT_THROW(agent.save("nowhere"), InvalidArgument);
}

/// A buffer of one running trajectory serves one environment.
template <class A>
concept HasSeveral = requires(A& agent) { agent.environment(1); };
static_assert(HasSeveral<SharedAgent>);
static_assert(
    !HasSeveral<PolicyIteration<testing::LoggedWorld, InductionModel, testing::LoggedText, testing::LoggedBuffer>>);

}  // namespace
}  // namespace icpi
