// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "icpi/baselines/matching_model.hpp"
#include "icpi/baselines/no_argmax.hpp"
#include "icpi/baselines/optimal_agent.hpp"
#include "icpi/baselines/random_agent.hpp"
#include "icpi/baselines/tabular_q.hpp"
#include "icpi/domains/all.hpp"
#include "icpi/domains/solver.hpp"
#include "icpi/models/scripted.hpp"
#include "icpi/policy/policy_iteration.hpp"

namespace icpi {
namespace {

static_assert(Agent<RandomAgent<Chain>, Chain> && Agent<TabularQ<Chain>, Chain>);
static_assert(Agent<MatchingModelAgent<Chain>, Chain> && Agent<OptimalAgent<Chain, Solver<Chain>>, Chain>);

/// An environment without actions: no agent can act in it.
struct Paralysed {
  using Observation = int;
  using Action = int;
  std::vector<int> actions() const { return {}; }
  int reset(std::uint64_t) { return 0; }
  Step<int> step(int) { return {}; }
  double discount() const { return 1; }
};

TEST(Baselines, RefuseAnEnvironmentWithoutActions) {
  const Paralysed env;
  EXPECT_THROW(RandomAgent<Paralysed>(env, 0), InvalidArgument);
  EXPECT_THROW(TabularQ<Paralysed>{env}, InvalidArgument);
  EXPECT_THROW(MatchingModelAgent<Paralysed>(env, 0), InvalidArgument);
}

TEST(RandomAgent, ActsUniformly) {
  RandomAgent<Maze> agent(Maze{}, 1);
  std::map<MazeAction, int> counts;
  for (int i = 0; i < 4000; ++i) ++counts[agent.act({})];
  ASSERT_EQ(counts.size(), 4U);
  for (const auto& [action, count] : counts) EXPECT_NEAR(count, 1000, 120);
}

TEST(TabularQ, LearnsTheLastTargetExactly) {
  TabularQOptions options;
  options.warm_up = {.successes = -100, .slope = 2, .abrupt = true};  // greedy from the start
  TabularQ<Chain> agent(Chain{}, options);
  agent.begin_episode(4);
  const auto act_until = [&](int observation, ChainAction wanted) {
    for (int i = 0; i < 1000; ++i) {
      if (agent.act(observation) == wanted) return true;
    }
    return false;
  };
  ASSERT_TRUE(act_until(3, ChainAction::right));  // all three are tied at 1
  agent.observe({4, 0, false, false});
  EXPECT_DOUBLE_EQ(agent.action_values(3)(2), 0.8);
  ASSERT_TRUE(act_until(4, ChainAction::try_goal));
  agent.observe({4, 0.5, true, false});
  EXPECT_DOUBLE_EQ(agent.action_values(4)(1), 0.5);
  EXPECT_TRUE((agent.action_values(7) == 1).all());
  agent.begin_episode(4);
  EXPECT_FALSE(act_until(4, ChainAction::try_goal));  // no longer greedy
}

TEST(TabularQ, BootstrapsPastTerminalStepsWhenAsked) {
  TabularQ<Chain> agent(Chain{}, {.bootstrap_past_terminal = true});
  agent.begin_episode(4);
  std::size_t acted = 0;
  while (agent.act(4) != ChainAction::try_goal) ++acted;
  agent.observe({5, 0.5, true, false});
  EXPECT_DOUBLE_EQ(agent.action_values(4)(1), 0.5 + 0.8);
  EXPECT_LT(acted, 1000U);
}

TEST(TabularQ, RefusesMisuse) {
  TabularQ<Chain> agent(Chain{});
  agent.begin_episode(0);
  EXPECT_THROW(agent.observe({0, 0, false, false}), InvalidArgument);
  (void)agent.act(0);
  EXPECT_THROW(agent.observe({0, std::nan(""), false, false}), InvalidArgument);
  EXPECT_TRUE((agent.action_values(0) == 1).all());
  EXPECT_THROW(TabularQ<Chain>(Chain{}, {.learning_rate = 0}), InvalidArgument);
  EXPECT_THROW(TabularQ<Chain>(Chain{}, {.initial_value = std::numeric_limits<double>::infinity()}), InvalidArgument);
}

TransitionOf<Chain> chain_step(int from, ChainAction action, double reward, bool terminated, int to) {
  return {from, action, reward, terminated, false, to};
}

TEST(MatchingMemory, AnswersWithTheMostRecentExactMatch) {
  MatchingMemory<Chain> memory(Chain{}, 8);
  EXPECT_FALSE(memory.ready());
  memory.append({chain_step(3, ChainAction::right, 0, false, 4), chain_step(4, ChainAction::try_goal, 1, true, 4)});
  memory.append({chain_step(3, ChainAction::right, 0.25, false, 5), chain_step(3, ChainAction::left, 0, false, 2),
                 chain_step(2, ChainAction::try_goal, 0, true, 2)});
  EXPECT_TRUE(memory.ready());
  EXPECT_EQ(memory.trajectories(), 2U);
  const auto ask = [&](QueryKind kind, int observation, ChainAction action) {
    Question question;
    question.kind = kind;
    question.observation = memory.observe(observation);
    question.action = static_cast<std::uint32_t>(action);
    return memory.look_up(question);
  };
  EXPECT_EQ(ask(QueryKind::reward, 3, ChainAction::right).reward, 0.25);
  EXPECT_EQ(ask(QueryKind::observation, 3, ChainAction::right).observation, memory.observe(5));
  EXPECT_TRUE(ask(QueryKind::termination, 4, ChainAction::try_goal).terminated);
  EXPECT_FALSE(ask(QueryKind::termination, 3, ChainAction::left).terminated);
  EXPECT_EQ(ask(QueryKind::action, 3, {}).action, static_cast<std::uint32_t>(ChainAction::left));
  EXPECT_EQ(ask(QueryKind::reward, 4, ChainAction::left).status, AnswerStatus::impossible);
  EXPECT_EQ(ask(QueryKind::action, 7, {}).status, AnswerStatus::impossible);
  EXPECT_TRUE(memory.tried(memory.observe(3), static_cast<std::uint32_t>(ChainAction::right)));
  EXPECT_FALSE(memory.tried(memory.observe(7), static_cast<std::uint32_t>(ChainAction::right)));
  EXPECT_THROW(memory.append({chain_step(0, ChainAction::left, std::nan(""), false, 0)}), InvalidArgument);
  EXPECT_EQ(memory.buffer.size(), 5U);
}

TEST(MatchingModelAgent, FollowsWhatItRemembers) {
  const Chain env;
  MatchingModelAgent<Chain> agent(env, 0);
  // Seen: from 3 right to 4, there the goal. At 3 the rollout of `right` earns 0.8, the others nothing.
  for (int i = 0; i < 8; ++i) {
    agent.import({chain_step(3, ChainAction::right, 0, false, 4), chain_step(4, ChainAction::try_goal, 1, true, 4)});
    agent.import({chain_step(3, ChainAction::left, 0, false, 2), chain_step(2, ChainAction::try_goal, 0, true, 2)});
    agent.import({chain_step(3, ChainAction::try_goal, 0, true, 3)});
  }
  agent.begin_episode(3, EpisodeKind::evaluation);
  EXPECT_EQ(agent.act(3), ChainAction::right);
  EXPECT_DOUBLE_EQ(agent.decision().values[2], 0.8);
  EXPECT_DOUBLE_EQ(agent.decision().values[0], 0);
  EXPECT_EQ(agent.costs().lm_calls, 0U);
}

template <class Env>
double worst_regret(Env env, int episodes) {
  const auto facts = env.facts();
  Solver<Env> solver(env, facts.evaluation_discount);
  OptimalAgent<Env, Solver<Env>> agent(Solver<Env>(env, facts.evaluation_discount));
  double worst = 0;
  for (int episode = 0; episode < episodes; ++episode) {
    auto observation = env.reset(static_cast<std::uint64_t>(episode));
    double regret = solver.optimal_return(observation);
    double weight = 1;
    agent.begin_episode(observation);
    for (bool running = true; running; weight *= facts.evaluation_discount) {
      const auto step = env.step(agent.act(observation));
      agent.observe(step);
      regret -= weight * step.reward;
      running = !step.terminated && !step.truncated;
      observation = step.observation;
    }
    worst = std::max(worst, std::abs(regret) / facts.return_scale);
  }
  return worst;
}

TEST(OptimalAgent, HasNoRegretAnywhere) {
  for_each_domain([](const auto& env) { EXPECT_LE(worst_regret(env, 20), 1e-12) << env.name; });
}

TEST(NoArgmax, IsRandomUntilThreeSuccesses) {
  Chain env;
  ScriptedModel model([](const CompletionRequest&) { return ScriptedModel::answer("reward = try_goal(state)"); });
  PolicyIteration<Chain, ScriptedModel> agent(env, model, no_argmax_options(paper_options(), 0));
  const TrajectoryOf<Chain> failure{chain_step(2, ChainAction::try_goal, 0, true, 2)};
  const TrajectoryOf<Chain> success{chain_step(4, ChainAction::try_goal, 1, true, 4)};
  for (int i = 0; i < 2; ++i) {
    agent.import(failure);
    agent.import(success);
  }
  agent.begin_episode(3);
  (void)agent.act(3);
  EXPECT_FALSE(agent.decision().by_model);  // two successes are not enough
  EXPECT_EQ(model.calls(), 0U);
}

TEST(NoArgmax, ImitatesSuccessfulTrajectoriesOnly) {
  Chain env;
  std::string prompt;
  ScriptedModel model([&](const CompletionRequest& request) {
    prompt = request.prefix.text;
    return ScriptedModel::answer("reward = try_goal(state)\n");
  });
  PolicyIteration<Chain, ScriptedModel> agent(env, model, no_argmax_options(paper_options(), 0));
  for (int i = 0; i < 3; ++i) {
    agent.import({chain_step(2, ChainAction::try_goal, 0, true, 2)});
    agent.import({chain_step(4, ChainAction::try_goal, 1, true, 4)});
  }
  agent.begin_episode(3);
  EXPECT_EQ(agent.act(3), ChainAction::try_goal);
  EXPECT_TRUE(agent.decision().by_model);
  EXPECT_EQ(model.calls(), 1U);
  EXPECT_NE(prompt.find("state == 4"), std::string::npos);
  EXPECT_EQ(prompt.find("state == 2"), std::string::npos);
}

}  // namespace
}  // namespace icpi
