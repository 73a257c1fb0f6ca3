// SPDX-License-Identifier: MIT
// Agents that were moved from, and kinds of episodes that are none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/random_episodes.hpp"

namespace icpi {
namespace {

using MovedAgent = PolicyIteration<Chain, InductionModel>;

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "nothing was thrown";
}

class MovedAgents : public ::testing::Test {
 protected:
  MovedAgents() {
    for (std::uint64_t seed = 0; seed < 6; ++seed) agent.import(testing::random_episode(env, seed));
    agent.begin_episode(3);
    static_cast<void>(agent.act(3));
  }

  Chain env;
  InductionModel model;
  MovedAgent agent{env, model};
};

TEST_F(MovedAgents, LeaveOneThatSaysSo) {
  const MovedAgent other = std::move(agent);
  EXPECT_FALSE(other.planned_steps().empty());
  const Step<int> step{3, 0, true, false};
  const auto trajectory = testing::random_episode(env, 1);
  const std::vector<std::function<void()>> calls{[&] { agent.begin_episode(3); },
                                                 [&] { static_cast<void>(agent.act(3)); },
                                                 [&] { agent.observe(step); },
                                                 [&] { agent.import(trajectory); },
                                                 [&] { agent.train(env, {.steps = 1}); },
                                                 [&] { agent.evaluate(env); },
                                                 [&] { agent.grow(env); },
                                                 [&] { agent.consult(env); },
                                                 [&] { static_cast<void>(agent.environment(1)); },
                                                 [&] { agent.save("/nowhere/at/all"); },
                                                 [&] { agent.load(env, "/nowhere/at/all"); }};
  for (std::size_t i = 0; i < calls.size(); ++i)
    EXPECT_THAT(refusal(calls[i]), ::testing::HasSubstr("was moved from")) << "call " << i;
  EXPECT_THAT(refusal([&] { agent.offer(std::vector{ChainAction::left}); }), ::testing::HasSubstr("begin_episode"));
  agent.abandon();
  EXPECT_TRUE(agent.rollouts().empty());
  EXPECT_TRUE(agent.planned_steps().empty());
}

TEST_F(MovedAgents, GoOnWhereTheyWentAndCanBeAssignedTo) {
  MovedAgent undisturbed(env, model);
  for (std::uint64_t seed = 0; seed < 6; ++seed) undisturbed.import(testing::random_episode(env, seed));
  undisturbed.begin_episode(3);
  static_cast<void>(undisturbed.act(3));
  MovedAgent other = std::move(agent);
  agent = std::move(other);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(agent.act(3), undisturbed.act(3));
  EXPECT_EQ(agent.decision().values, undisturbed.decision().values);
}

TEST_F(MovedAgents, DoNotDecideWithOthers) {
  MovedAgent other = std::move(agent);
  std::vector<MovedAgent::Base*> agents{&other, &agent};
  const int state = 3;
  const std::vector<const int*> observations{&state, &state};
  std::vector<ChainAction> actions(2);
  EXPECT_THAT(refusal([&] { MovedAgent::act_together(agents, observations, actions); }),
              ::testing::HasSubstr("begin_episode"));
}

TEST(EpisodeKinds, ThatAreNoneAreNamed) {
  Chain env;
  InductionModel model;
  MovedAgent agent(env, model);
  EXPECT_THAT(refusal([&] { agent.begin_episode(3, static_cast<EpisodeKind>(2)); }),
              ::testing::HasSubstr("kind of an episode is 2; allowed: training, evaluation"));
}

}  // namespace
}  // namespace icpi
