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
#include "icpi/models/scripted.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/adventure.hpp"
#include "support/agent_options.hpp"
#include "support/gates.hpp"

namespace icpi {
namespace {

using testing::AdventureText;
using testing::LegalAdventure;

/// Nothing reads its observations back: what is legal where is known from what was seen.
using CompanyAgent = PolicyIteration<LegalAdventure, InductionModel, AdventureText<LegalAdventure>>;

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
  std::vector<std::unique_ptr<CompanyAgent>> agents;
  std::array<LegalAdventure::Observation, 3> at;
  for (std::size_t i = 0; i < 3; ++i) {
    agents.push_back(std::make_unique<CompanyAgent>(envs[i], model, options_of(i)));
    at[i] = envs[i].reset(i);
    agents[i]->begin_episode(at[i]);
  }
  for (std::uint64_t round = 0; round < 80; ++round) {
    std::array<std::string, 3> actions;
    if (together) {
      std::vector<CompanyAgent::Base*> all;
      std::vector<const LegalAdventure::Observation*> observations;
      for (std::size_t i = 0; i < 3; ++i) {
        all.push_back(agents[i].get());
        observations.push_back(&at[i]);
      }
      CompanyAgent::Base::act_together(all, observations, actions);
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
  CompanyAgent agent(envs[0], model, options_of(1));
  EXPECT_EQ(agent.train(all, {.steps = 400}).failures.size(), 0U);
  for (const auto& env : envs) EXPECT_EQ(*env.illegal, 0);
}

TEST(LegalCompany, OtherEnvironmentsAreNotTakenForTheFirst) {
  std::vector<LegalAdventure> envs(2);
  InductionModel model;
  CompanyAgent agent(envs[0], model, options_of(1));
  auto& other = agent.environment(1);
  const auto observation = envs[1].reset(0);
  other.begin_episode(observation);
  EXPECT_THROW(static_cast<void>(other.act(observation)), InvalidArgument);  // nobody said what is legal there
  other.consult(envs[1]);
  EXPECT_NO_THROW(static_cast<void>(other.act(observation)));
}

/// What is imagined of the rules of other environments of this type is their own, not those of the first.
TEST(LegalCompany, ImaginationAsksEachItsOwnEnvironment) {
  std::vector<testing::Gates> envs{testing::Gates(false), testing::Gates(true)};
  std::vector<testing::Gates*> both{&envs[0], &envs[1]};
  InductionModel model;
  PolicyIterationOptions options;
  options.decisions.values.get_if<Planning>()->options.step_limit = 3;
  PolicyIteration<testing::Gates, InductionModel, testing::ParsingGatesText> agent(envs[0], model, options);
  agent.train(both, {.steps = 80});
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(*envs[i].shut, 0);
    auto& place = agent.environment(i);
    place.begin_episode(0, EpisodeKind::evaluation);
    static_cast<void>(place.act(0));
    std::size_t imagined = 0;
    for (const PlannedStep& step : place.planned_steps()) {
      const int at = place.memory().text(step.observation)[6] - '0';
      const auto open = envs[i].legal_actions(at);
      EXPECT_TRUE(std::find(open.begin(), open.end(), agent.actions()[step.action]) != open.end())
          << "environment " << i << ", place " << at << ", action " << step.action;
      imagined += at > 0 ? 1 : 0;
    }
    EXPECT_GT(imagined, 1U);
    EXPECT_GT(place.decision().imagined_legality.environment, 0U);
    EXPECT_EQ(place.decision().imagined_legality.all, 0U);
  }
}

/// Where environments differ at equal texts, what was seen in one's own counts more than what was seen last.
TEST(LegalCompany, WhatWasSeenInOnesOwnEnvironmentComesFirst) {
  std::vector<testing::Gates> envs{testing::Gates(false), testing::Gates(true)};
  std::vector<testing::Gates*> both{&envs[0], &envs[1]};
  InductionModel model;
  PolicyIteration<testing::Gates, InductionModel, testing::GatesText> agent(envs[0], model,
                                                                            icpi_test::much_asking_options());
  agent.train(both, {.steps = 200});
  for (std::size_t i = 0; i < 2; ++i) {
    auto& memory = agent.environment(i).memory();
    memory.begin_round();
    for (int place = 0; place < testing::Gates::last; ++place) {
      std::vector<std::uint32_t> open;
      static_cast<void>(places_among(envs[i].legal_actions(place), agent.actions(), open));
      const LegalActions known = memory.legal(memory.observe(place));
      EXPECT_EQ(std::vector<std::uint32_t>(known.begin(), known.end()), open) << "environment " << i << ", " << place;
    }
  }
}

/// What others may know of where one stands does not depend on who was asked first.
TEST(LegalCompany, WhereOneStandsIsKnownToOthersWhenTheStepIsComplete) {
  std::vector<testing::Gates> envs(2);
  InductionModel model;
  PolicyIteration<testing::Gates, InductionModel, testing::GatesText> agent(envs[0], model);
  auto& other = agent.environment(1);
  const auto known = [&](auto& place) {
    place.memory().begin_round();
    return place.memory().legal(place.memory().observe(2)).size();
  };
  agent.begin_episode(2);
  static_cast<void>(agent.act(2));
  EXPECT_EQ(agent.memory().legal(agent.memory().observe(2)).size(), 2U);
  EXPECT_EQ(known(other), 0U);
  agent.observe({3, 0, false, false});
  EXPECT_EQ(known(other), 2U);
  EXPECT_EQ(known(agent), 2U);
}

/// An answer belongs to what was legal when it was asked for.
TEST(LegalCompany, AnAnswerThatWasIllegalOnceMayBeLegalLater) {
  testing::Gates env;
  ScriptedModel model([](const CompletionRequest&) { return ScriptedModel::answer("go 2"); });
  PolicyIterationOptions options;
  options.queries.sampling.temperature = 0;
  PolicyIteration<testing::Gates, ScriptedModel, testing::GatesText> agent(env, model, options);
  auto& memory = agent.memory();
  memory.begin_episode(0);
  agent.model().serve_also(memory);
  const auto ask = [&](std::vector<std::uint32_t> legal) {
    memory.note_legal(1, legal);
    memory.begin_round();
    Question question;
    question.kind = QueryKind::action;
    question.observation = memory.observe(1);
    Answer answer;
    agent.model().answer({&question, 1}, {&answer, 1});
    return answer.status;
  };
  EXPECT_EQ(ask({0, 1}), AnswerStatus::impossible);
  EXPECT_EQ(ask({0, 2}), AnswerStatus::valid);
  EXPECT_EQ(ask({0, 1}), AnswerStatus::impossible);
  EXPECT_EQ(ask({0, 2}), AnswerStatus::valid);
}

TEST(LegalCompany, AnOfferStaysUntilADecisionStands) {
  LegalAdventure env;
  InductionModel model;
  CompanyAgent agent(env, model, options_of(1));
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
  CompanyAgent agent(env, model, options, AdventureText<LegalAdventure>(env), TrajectoryBuffer<LegalAdventure>(env, 3));
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
