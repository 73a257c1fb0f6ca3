// SPDX-License-Identifier: MIT
// Legal actions of agents that decide together, and of one agent in several environments.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/adventure.hpp"

namespace icpi {
namespace {

using testing::AdventureText;
using testing::LegalAdventure;

/// Nothing reads its observations back: what is legal where is known from what was seen.
using Agent = PolicyIteration<LegalAdventure, InductionModel, AdventureText<LegalAdventure>>;

PolicyIterationOptions options_of(std::uint64_t seed) {
  PolicyIterationOptions options;
  options.seed = seed;
  options.decisions.values.get_if<Planning>()->options.step_limit = 4;
  return options;
}

std::string told(const Decision& decision) {
  std::string text = std::to_string(decision.action);
  for (const double value : decision.values) text += ' ' + std::to_string(std::bit_cast<std::uint64_t>(value));
  const auto& known = decision.imagined_legality;
  return text + " seen " + std::to_string(known.seen) + " all " + std::to_string(known.all);
}

/// Three independent agents, each in an environment of its own; what they decided, by agent.
std::array<std::vector<std::string>, 3> play_three(bool together) {
  std::array<std::vector<std::string>, 3> log;
  InductionModel model;
  std::array<LegalAdventure, 3> envs;
  std::vector<std::unique_ptr<Agent>> agents;
  std::array<LegalAdventure::Observation, 3> at;
  for (std::size_t i = 0; i < 3; ++i) {
    agents.push_back(std::make_unique<Agent>(envs[i], model, options_of(i)));
    at[i] = envs[i].reset(i);
    agents[i]->begin_episode(at[i]);
  }
  for (std::uint64_t round = 0; round < 80; ++round) {
    std::array<std::string, 3> actions;
    if (together) {
      std::vector<Agent::Base*> all;
      std::vector<const LegalAdventure::Observation*> observations;
      for (std::size_t i = 0; i < 3; ++i) {
        all.push_back(agents[i].get());
        observations.push_back(&at[i]);
      }
      Agent::Base::act_together(all, observations, actions);
    } else {
      for (std::size_t i = 0; i < 3; ++i) actions[i] = agents[i]->act(at[i]);
    }
    for (std::size_t i = 0; i < 3; ++i) {
      log[i].push_back(told(agents[i]->decision()));
      const auto step = envs[i].step(actions[i]);
      agents[i]->observe(step);
      at[i] = step.observation;
      if (!step.terminated && !step.truncated) continue;
      at[i] = envs[i].reset(100 * round + i);
      agents[i]->begin_episode(at[i]);
    }
  }
  return log;
}

TEST(LegalCompany, AgentsThatDecideTogetherKnowWhatTheyKnowAlone) {
  const auto alone = play_three(false);
  const auto together = play_three(true);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(together[i], alone[i]) << "agent " << i;
}

TEST(LegalCompany, NothingIllegalIsDoneInSeveralEnvironments) {
  std::vector<LegalAdventure> envs(4);
  std::vector<LegalAdventure*> all;
  for (auto& env : envs) all.push_back(&env);
  InductionModel model;
  Agent agent(envs[0], model, options_of(1));
  EXPECT_EQ(agent.train(all, {.steps = 400}).failures.size(), 0U);
  for (const auto& env : envs) EXPECT_EQ(*env.illegal, 0);
}

TEST(LegalCompany, OtherEnvironmentsAreNotTakenForTheFirst) {
  std::vector<LegalAdventure> envs(2);
  InductionModel model;
  Agent agent(envs[0], model, options_of(1));
  auto& other = agent.environment(1);
  const auto observation = envs[1].reset(0);
  other.begin_episode(observation);
  EXPECT_THROW(static_cast<void>(other.act(observation)), InvalidArgument);  // nobody said what is legal there
  other.consult(envs[1]);
  EXPECT_NO_THROW(static_cast<void>(other.act(observation)));
}

TEST(LegalCompany, AnOfferStaysUntilADecisionStands) {
  LegalAdventure env;
  InductionModel model;
  Agent agent(env, model, options_of(1));
  agent.train(env, {.steps = 200});
  agent.begin_episode(env.reset(0), EpisodeKind::evaluation);  // the model decides: texts are written
  agent.offer(std::vector<std::string>{"wait"});
  EXPECT_THROW(static_cast<void>(agent.act({-55, false})), InvalidArgument);  // a text of two lines
  EXPECT_EQ(agent.act({2, false}), "wait");
}

TEST(LegalCompany, WhatWasLegalLeavesWithTheTransitions) {
  LegalAdventure env;
  InductionModel model;
  auto options = options_of(1);
  options.decisions.update_within_episode = false;
  Agent agent(env, model, options, AdventureText<LegalAdventure>(env), TrajectoryBuffer<LegalAdventure>(env, 3));
  std::size_t most = 0;
  for (int i = 0; i < 30; ++i) {
    agent.train(env, {.episodes = 1});
    most = std::max(most, agent.memory().noted_legal().size());
    agent.begin_episode({0, false});
    static_cast<void>(agent.act({0, false}));  // a decision after something has left
    std::size_t unheld = 0;
    for (const auto& noted : agent.memory().noted_legal()) {
      bool held = noted.text.find("room A with nothing") != std::string::npos;
      for (std::size_t id = agent.memory().buffer.departed();
           id < agent.memory().buffer.departed() + agent.memory().buffer.size(); ++id)
        held = held || noted.text == AdventureText<LegalAdventure>(env).observation(
                                         agent.memory().buffer[static_cast<TransitionId>(id)].observation);
      unheld += held ? 0 : 1;
    }
    EXPECT_EQ(unheld, 0U) << "after episode " << i;
    agent.abandon();
  }
  EXPECT_GT(most, 3U);
}

}  // namespace
}  // namespace icpi
