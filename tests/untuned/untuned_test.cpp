// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "untuned/frozen_lake.hpp"
#include "untuned/key_corridor.hpp"
#include "untuned/planar_mass.hpp"
#include "untuned/two_armed_bandit.hpp"

namespace icpi::untuned {
namespace {

template <class Env>
class Untuned : public ::testing::Test {};

using Environments = ::testing::Types<FrozenLake, TwoArmedBandit, KeyCorridor, PlanarMass>;
TYPED_TEST_SUITE(Untuned, Environments);

template <class Formatter>
std::string answer(const Formatter& formatter, QueryKind kind, std::string text) {
  const std::string_view stop = formatter.stop(kind);
  EXPECT_TRUE(text.ends_with(stop));
  return text.substr(0, text.size() - stop.size());
}

TYPED_TEST(Untuned, TextReadsBackAlongRandomEpisodes) {
  TypeParam env;
  const default_formatter_t<TypeParam> formatter;
  RandomStream random{RandomKey(7)};
  for (std::uint64_t episode = 0; episode < 50; ++episode) {
    auto observation = env.reset(episode);
    for (bool running = true; running;) {
      const auto action = env.actions()[random.index(env.actions().size())];
      EXPECT_EQ(
          formatter.parse_observation(answer(formatter, QueryKind::observation, formatter.observation(observation))),
          observation);
      EXPECT_EQ(formatter.parse_action(answer(formatter, QueryKind::action, formatter.action(action))), action);
      const auto step = env.step(action);
      EXPECT_EQ(formatter.parse_reward(answer(formatter, QueryKind::reward, formatter.reward(step.reward))),
                step.reward);
      EXPECT_EQ(formatter.parse_termination(
                    answer(formatter, QueryKind::termination, formatter.termination(step.terminated))),
                step.terminated);
      observation = step.observation;
      running = !step.terminated && !step.truncated;
    }
  }
}

TYPED_TEST(Untuned, StepDrawsFromTheListedOutcomes) {
  TypeParam env;
  RandomStream random{RandomKey(8)};
  for (std::uint64_t episode = 0; episode < 50; ++episode) {
    auto observation = env.reset(episode);
    for (bool running = true; running;) {
      const auto action = env.actions()[random.index(env.actions().size())];
      double total = 0;
      const auto outcomes = env.outcomes(observation, action);
      const auto step = env.step(action);
      bool listed = false;
      for (const auto& outcome : outcomes) {
        total += outcome.probability;
        listed |= outcome.step.observation == step.observation && outcome.step.reward == step.reward &&
                  outcome.step.terminated == step.terminated;
      }
      EXPECT_TRUE(listed);
      EXPECT_NEAR(total, 1, 1e-12);
      observation = step.observation;
      running = !step.terminated && !step.truncated;
    }
  }
}

TYPED_TEST(Untuned, ActionsHaveDifferentTexts) {
  const TypeParam env;
  const default_formatter_t<TypeParam> formatter;
  std::set<std::string> texts;
  for (const auto& action : env.actions()) texts.insert(formatter.action(action));
  EXPECT_EQ(texts.size(), env.actions().size());
}

TEST(KeyCorridor, NeedsTheKey) {
  KeyCorridor env;
  env.set_state({4, false}, 0);
  EXPECT_FALSE(env.step(KeyCorridor::Action::open).terminated);
  env.set_state({4, true}, 0);
  const auto step = env.step(KeyCorridor::Action::open);
  EXPECT_TRUE(step.terminated);
  EXPECT_EQ(step.reward, 1);
}

TEST(FrozenLake, HolesEndWithoutReward) {
  FrozenLake env;
  env.set_state({0, 1}, 0);
  const auto step = env.step(FrozenLake::Action::down);
  EXPECT_TRUE(step.terminated);
  EXPECT_EQ(step.reward, 0);
}

}  // namespace
}  // namespace icpi::untuned
