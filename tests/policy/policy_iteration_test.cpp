// SPDX-License-Identifier: MIT
#include "icpi/policy/policy_iteration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <stdexcept>

#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/domains/mini_catch_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "support/agent_options.hpp"
#include "support/random_episodes.hpp"
#include "support/shuffled_language_model.hpp"
#include "support/text_world.hpp"

namespace icpi {
namespace {

using ChainAgent = PolicyIteration<Chain, InductionModel>;
static_assert(Agent<ChainAgent, Chain>);
static_assert(AsynchronousLanguageModel<testing::ShuffledLanguageModel<InductionModel>>);

/// What an agent did and imagined, to be compared bit for bit.
struct History {
  std::vector<std::size_t> actions;
  std::vector<double> returns;

  template <class Agent>
  void add(const Agent& agent) {
    const auto& decision = agent.decision();
    actions.push_back(decision.action);
    returns.insert(returns.end(), decision.returns.values().begin(), decision.returns.values().end());
  }
  friend bool operator==(const History&, const History&) = default;
};

template <class Env, class LM>
History play(LM& model, const PolicyIterationOptions& options, std::size_t steps) {
  Env env;
  PolicyIteration<Env, LM> agent(env, model, options);
  History history;
  agent.callbacks().on_decision = [&](const Decision&) { history.add(agent); };
  agent.train(env, {.steps = steps});
  return history;
}

PolicyIterationOptions options_with(icpi_test::PromptMode mode, std::uint64_t seed = 4) {
  PolicyIterationOptions options = icpi::paper_options();
  options.seed = seed;
  options.prompts.examples = icpi_test::examples_of(mode);
  options.prompts.context_tokens = 1200;
  options.decisions.explorations = {icpi::WarmUp{.successes = 1}};
  icpi_test::rollouts_of(options).rollouts_per_action = 2;
  return options;
}

class EveryMode : public ::testing::TestWithParam<icpi_test::PromptMode> {};
INSTANTIATE_TEST_SUITE_P(PromptModes, EveryMode,
                         ::testing::Values(icpi_test::PromptMode::per_query, icpi_test::PromptMode::stable),
                         [](const auto& mode) {
                           return mode.param == icpi_test::PromptMode::stable ? "stable" : "per_query";
                         });

TEST_P(EveryMode, ThreadsSpeculationOrderAndConcurrencyDoNotMatter) {
  auto options = options_with(GetParam());
  InductionModel model;
  const auto expected = play<MiniCatch>(model, options, 25);
  EXPECT_GT(expected.returns.size(), 50U);
  InductionModel threaded({.threads = 3});
  options.queries.threads = 3;
  EXPECT_EQ(play<MiniCatch>(threaded, options, 25), expected);
  icpi_test::rollouts_of(options).speculate = true;
  EXPECT_EQ(play<MiniCatch>(model, options, 25), expected);
  for (const std::size_t concurrency : {1U, 3U, 100U}) {
    for (const bool prime : {false, true}) {
      icpi_test::rollouts_of(options).speculate = concurrency == 3;
      options.queries.prime_prefixes = prime;
      testing::ShuffledLanguageModel<InductionModel> shuffled(InductionModel{}, concurrency, 9 + concurrency);
      EXPECT_EQ(play<MiniCatch>(shuffled, options, 25), expected) << concurrency << " at a time, primed: " << prime;
    }
  }
}

TEST_P(EveryMode, DeduplicationSavesCallsAndChangesNothing) {
  auto options = options_with(GetParam());
  Chain env;
  InductionModel model;
  ChainAgent with(env, model, options);
  options.queries.deduplicate = false;
  ChainAgent without(env, model, options);
  History first, second;
  with.callbacks().on_decision = [&](const Decision&) { first.add(with); };
  without.callbacks().on_decision = [&](const Decision&) { second.add(without); };
  with.train(env, {.steps = 40});
  without.train(env, {.steps = 40});
  EXPECT_EQ(first, second);
  EXPECT_EQ(with.costs().lm_calls + with.costs().deduplicated, without.costs().lm_calls);
  EXPECT_EQ(with.costs().deduplicated > 0, GetParam() == icpi_test::PromptMode::stable);
}

TEST_P(EveryMode, AgentsThatDecideTogetherDecideAsIfAlone) {
  constexpr std::size_t count = 5;
  for (const ValueEstimator& values : {ValueEstimator(MeanOfRollouts{}), ValueEstimator(Planning{})}) {
    InductionModel model;
    std::vector<std::unique_ptr<ChainAgent>> alone, together;
    std::vector<Chain> alone_envs(count), together_envs(count);
    for (std::size_t i = 0; i < count; ++i) {
      auto options = options_with(GetParam(), i);
      options.decisions.values = values;
      for (auto* agents : {&alone, &together}) {
        agents->push_back(std::make_unique<ChainAgent>(alone_envs[i], model, options));
        for (std::uint64_t seed = 0; seed < 6; ++seed) {
          agents->back()->import(testing::random_episode(alone_envs[i], 10 * i + seed));
        }
      }
    }
    std::vector<Chain::Observation> observations;
    std::vector<ChainAgent::Base*> agents;
    for (std::size_t i = 0; i < count; ++i) {
      observations.push_back(alone_envs[i].reset(i));
      alone[i]->begin_episode(observations[i]);
      together[i]->begin_episode(observations[i]);
      agents.push_back(together[i].get());
    }
    std::vector<const Chain::Observation*> views;
    for (const auto& observation : observations) views.push_back(&observation);
    std::vector<Chain::Action> actions(count, Chain().actions()[0]);
    ChainAgent::act_together(agents, views, actions);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(alone[i]->act(observations[i]), actions[i]);
      EXPECT_EQ(alone[i]->decision().returns, together[i]->decision().returns);
      EXPECT_EQ(alone[i]->decision().costs.lm_calls, together[i]->decision().costs.lm_calls);
    }
  }
}

TEST(PolicyIteration, CountsThreeRoundsForEverySimulatedStep) {
  auto options = options_with(icpi_test::PromptMode::stable);
  options.decisions.explorations = {icpi::WarmUp{.successes = 0, .slope = 2, .abrupt = true}};
  Chain env;
  InductionModel model;
  ChainAgent agent(env, model, options);
  std::size_t decisions = 0;
  agent.callbacks().on_decision = [&](const Decision& decision) {
    if (!decision.by_model) return;
    ++decisions;
    std::size_t longest = 0;
    for (const auto& rollout : agent.rollouts()) longest = std::max(longest, rollout.steps().size());
    EXPECT_LE(decision.costs.rounds, 3 * longest - 1 + decision.costs.retries);
    EXPECT_GE(decision.costs.rounds, 3 * longest - 1);
  };
  agent.train(env, {.steps = 60});
  EXPECT_GT(decisions, 20U);
}

TEST(PolicyIteration, EvaluationLearnsNothing) {
  auto options = options_with(icpi_test::PromptMode::stable);
  Chain env;
  InductionModel model;
  ChainAgent agent(env, model, options);
  agent.train(env, {.episodes = 10});
  const auto before = agent.memory().buffer.size();
  bool random = false;
  agent.callbacks().on_decision = [&](const Decision& decision) { random = random || !decision.by_model; };
  for (int episode = 0; episode < 5; ++episode) static_cast<void>(agent.evaluate(env));
  EXPECT_EQ(agent.memory().buffer.size(), before);
  EXPECT_FALSE(random);
}

TEST(PolicyIteration, WarmUpFollowsThePapersFormula) {
  const WarmUp paper;
  EXPECT_NEAR(paper.probability(0), 1 / (1 + std::exp(6.0)), 1e-15);
  EXPECT_NEAR(paper.probability(3), 0.5, 1e-15);
  EXPECT_NEAR(paper.probability(8), 1 / (1 + std::exp(-10.0)), 1e-15);
  EXPECT_EQ((WarmUp{.successes = 3, .slope = 2, .abrupt = true}).probability(2), 0);
  // How often the model decides in the fourth episode, when three trajectories are there.
  InductionModel model;
  int by_model = 0;
  int ready = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Chain env;
    PolicyIterationOptions options = paper_options();
    options.seed = seed;
    ChainAgent agent(env, model, options);
    for (std::uint64_t episode = 0; episode < 3; ++episode) {
      agent.import(testing::random_episode(env, 3 * seed + episode));
    }
    if (!agent.memory().ready()) continue;
    const auto observation = env.reset(seed);
    agent.begin_episode(observation);
    static_cast<void>(agent.act(observation));
    ++ready;
    by_model += agent.decision().by_model ? 1 : 0;
  }
  EXPECT_GT(ready, 100);
  EXPECT_NEAR(by_model, 0.5 * ready, 5 * 0.5 * std::sqrt(ready));
}

TEST(PolicyIteration, OnlineStepsCountAtOnceAndAnAbandonedEpisodeIsKept) {
  auto options = options_with(icpi_test::PromptMode::stable);
  options.decisions.update_within_episode = true;
  Chain env;
  InductionModel model;
  ChainAgent agent(env, model, options);
  const auto observation = env.reset(1);
  agent.begin_episode(observation);
  const auto step = env.step(agent.act(observation));
  agent.observe(step);
  EXPECT_EQ(agent.memory().buffer.size(), 1U);
  agent.begin_episode(env.reset(2));
  EXPECT_EQ(agent.memory().buffer.trajectory_count(), 1U);
}

TEST(PolicyIteration, RefusesWhatItCannotUse) {
  Chain env;
  InductionModel model;
  const auto message = [&](auto&& change) -> std::string {
    PolicyIterationOptions options = icpi::paper_options();
    change(options);
    try {
      ChainAgent agent(env, model, options);
    } catch (const InvalidArgument& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message([](auto& o) { o.queries.sampling.temperature = -1; }),
            "temperature is -1; allowed: finite, 0 or more");
  EXPECT_EQ(message([](auto& o) { icpi_test::rollouts_of(o).step_limit = 0; }), "step_limit is 0; allowed: at least 1");
  EXPECT_EQ(message([](auto& o) { o.prompts.trajectories = icpi::LastTrajectories{0}; }),
            "recency is 0; allowed: at least 1");
  EXPECT_EQ(message([](auto& o) { icpi_test::rollouts_of(o).attempts = 256; }), "attempts is 256; allowed: 1 to 255");
  EXPECT_EQ(message([](auto& o) { o.decisions.explorations = {icpi::WarmUp{.successes = std::nan("")}}; }),
            "warm_up.successes is nan; allowed: numbers");
  EXPECT_EQ(message([](auto& o) { o.prompts.trajectories = icpi::TrajectoriesAboveReturn{std::nan("")}; }),
            "threshold is nan; allowed: numbers");
  EXPECT_EQ(message([](auto& o) { o.queries.timeout = std::chrono::milliseconds(-5); }),
            "timeout in milliseconds is -5; allowed: 0 or more");
  EXPECT_EQ(message([](auto&) {}), "");
  ChainAgent agent(env, model);
  EXPECT_THROW(agent.observe({}), InvalidArgument);
  EXPECT_THROW(static_cast<void>(agent.act({})), InvalidArgument);
  const auto observation = env.reset(1);
  agent.begin_episode(observation);
  static_cast<void>(agent.act(observation));
  EXPECT_THROW(agent.observe({observation, std::numeric_limits<double>::quiet_NaN(), false, false}), InvalidArgument);
  EXPECT_NO_THROW(agent.observe(env.step(env.actions()[0])));
}

TEST(PolicyIteration, LearnsWhereEveryEpisodeIsOneStep) {
  testing::TextWorld env;  // a bandit: action number and reward are the same
  InductionModel model;
  auto options = options_with(icpi_test::PromptMode::per_query);
  icpi_test::rollouts_of(options).step_limit = 1;
  PolicyIteration<testing::TextWorld, InductionModel> agent(env, model, options);
  agent.train(env, {.episodes = 30});
  EXPECT_GT(agent.costs().lm_calls, 0U);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(agent.evaluate(env), 1);
  EXPECT_EQ(agent.rollouts().size(), 2U * static_cast<unsigned>(icpi_test::rollouts_of(options).rollouts_per_action));
}

TEST(PolicyIteration, RefusesACompanyThatCannotDecideTogether) {
  Chain env;
  InductionModel model;
  auto other = options_with(icpi_test::PromptMode::stable);
  ChainAgent first(env, model, other), second(env, model, other);
  icpi_test::rollouts_of(other).step_limit = 2;
  ChainAgent different(env, model, other), idle(env, model, other);
  const auto observation = env.reset(1);
  for (auto* agent : {&first, &second, &different}) agent->begin_episode(observation);
  const auto message = [&](std::vector<ChainAgent::Base*> agents, std::size_t observations) -> std::string {
    std::vector<const Chain::Observation*> where(observations, &observation);
    std::vector<Chain::Action> actions(agents.size());
    try {
      ChainAgent::act_together(agents, where, actions);
    } catch (const InvalidArgument& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message({&first, &first}, 2), "act_together: an agent comes twice");
  EXPECT_EQ(message({&first, &different}, 2), "act_together: the agents' DecisionOptions differ");
  EXPECT_EQ(message({&first, &second}, 1), "act_together: as many observations as agents");
  InductionModel another_model;
  auto hotter = options_with(icpi_test::PromptMode::stable);
  hotter.queries.sampling.temperature = 0.7;
  ChainAgent elsewhere(env, another_model, options_with(icpi_test::PromptMode::stable)), hot(env, model, hotter);
  for (auto* agent : {&elsewhere, &hot}) {
    agent->begin_episode(observation);
    EXPECT_EQ(message({&first, agent}, 2), "act_together: the agents' models or QueryOptions differ");
  }
  EXPECT_EQ(message({&idle}, 1), "act: begin_episode comes first");
  EXPECT_EQ(message({&first, &second}, 2), "");
}

/// A model that reads 1,000 tokens.
struct ShortSightedModel : InductionModel {
  [[nodiscard]] std::size_t context_limit() const { return 1000; }
};

TEST(PolicyIteration, RefusesAContextThatTheModelDoesNotHave) {
  Chain env;
  ShortSightedModel model;
  PolicyIterationOptions options;
  const auto make = [&] { (PolicyIteration<Chain, ShortSightedModel>(env, model, options)); };
  EXPECT_THAT(make, ::testing::ThrowsMessage<InvalidArgument>(
                        "context_tokens 12000 and max_tokens 200 together exceed the model's context of 1000 tokens"));
  options.prompts.context_tokens = 800;
  EXPECT_NO_THROW(make());
}

/// Both directions read the same.
struct AmbiguousFormatter : ChainFormatter {
  using ChainFormatter::ChainFormatter;
  [[nodiscard]] std::string action(Chain::Action) const { return "move()\n"; }
};

TEST(PolicyIteration, RefusesAFormatterWhoseActionsAreAmbiguous) {
  Chain env;
  InductionModel model;
  try {
    PolicyIteration<Chain, InductionModel, AmbiguousFormatter> agent(env, model, {}, AmbiguousFormatter(env));
    FAIL() << "accepted";
  } catch (const InvalidArgument& error) {
    EXPECT_STREQ(error.what(), "formatter: actions 0 and 1 have the same text \"move()\"; texts must differ");
  }
}

TEST(PolicyIteration, TheRolloutPolicyRuleAsksOneQuestionADecision) {
  Chain env;
  InductionModel model;
  PolicyIterationOptions options = icpi::paper_options();
  options.decisions.values = PolicyAlone{};
  options.decisions.explorations = {icpi::WarmUp{.successes = 3, .slope = 2, .abrupt = true}};
  options.prompts.trajectories = TrajectoriesAboveReturn{0};
  ChainAgent agent(env, model, options);
  std::size_t asked = 0;
  agent.callbacks().on_decision = [&](const Decision& decision) {
    asked += decision.by_model ? 1 : 0;
    EXPECT_TRUE(decision.values.empty());
    EXPECT_TRUE(decision.by_model || agent.memory().trajectories() < 3);
  };
  agent.train(env, {.steps = 300});
  EXPECT_GT(asked, 10U);
  EXPECT_EQ(agent.costs().lm_calls, asked + agent.costs().retries);
}

TEST(PolicyIteration, ActsOnHugeRewards) {
  Chain env;
  InductionModel model;
  auto options = options_with(icpi_test::PromptMode::stable);
  options.decisions.explorations = {icpi::WarmUp{.successes = 0, .slope = 2, .abrupt = true}};
  icpi_test::rollouts_of(options).rollouts_per_action = 4;
  options.queries.sampling.temperature = 1;
  ChainAgent agent(env, model, options);
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    auto trajectory = testing::random_episode(env, seed);
    for (std::size_t i = 0; i < trajectory.size(); ++i) trajectory[i].reward = i % 2 == 0 ? 1e308 : -1e308;
    agent.import(trajectory);
  }
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto observation = env.reset(seed);
    agent.begin_episode(observation);
    static_cast<void>(agent.act(observation));
    EXPECT_LT(agent.decision().action, 3U);
  }
}

TEST(PolicyIteration, WhatDecidesTogetherIsToldBeforeAnyCallback) {
  using Agent = PolicyIteration<Chain, InductionModel>;
  Chain env;
  InductionModel model;
  icpi::PolicyIterationOptions options;
  Agent first(env, model, options);
  Agent second(env, model, options);
  for (auto* agent : {&first, &second}) {
    agent->train(env, {.steps = 60});
    agent->begin_episode(2);
  }
  ASSERT_EQ(first.act(2), first.act(2));
  EXPECT_FALSE(first.planned_steps().empty());
  EXPECT_TRUE(first.rollouts().empty());
  first.callbacks().on_decision = [](const Decision&) { throw std::runtime_error("a callback"); };
  const int state = 2;
  std::array<Agent::Base*, 2> agents{&first, &second};
  const std::array<const int*, 2> places{&state, &state};
  std::array<ChainAction, 2> actions{};
  const auto spent = second.costs().lm_calls;
  EXPECT_THROW(Agent::act_together(agents, places, actions), std::runtime_error);
  EXPECT_EQ(second.costs().lm_calls - spent, second.decision().costs.lm_calls);
  EXPECT_TRUE(first.planned_steps().empty());  // only what was imagined alone is one agent's
  agents[1] = nullptr;
  EXPECT_THROW(Agent::act_together(agents, places, actions), InvalidArgument);
}

}  // namespace
}  // namespace icpi
