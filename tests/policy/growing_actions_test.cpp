// SPDX-License-Identifier: MIT
// Environments that gain actions between episodes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "icpi/baselines/matching_model.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/adventure.hpp"

namespace icpi {
namespace {

using testing::Adventure;
using ::testing::HasSubstr;
using testing::ParsingAdventureText;

/// An adventure whose commands are heard of as they are first legal, and listed from the next episode on.
class Growing {
 public:
  using Observation = Adventure::Observation;
  using Action = std::string;

  [[nodiscard]] const std::vector<std::string>& actions() const { return known; }
  [[nodiscard]] static double discount() { return 0.9; }
  Observation reset(std::uint64_t seed) {
    for (const auto& command : heard_)
      if (std::find(known.begin(), known.end(), command) == known.end()) known.push_back(command);
    heard_.clear();
    return hear(adventure.reset(seed));
  }
  Step<Observation> step(const std::string& command) {
    auto step = adventure.step(command);
    hear(step.observation);
    return step;
  }
  [[nodiscard]] std::vector<std::string> legal_actions(const Observation& seen) const {
    auto legal = Adventure::legal_at(seen);
    std::erase_if(legal,
                  [&](const auto& command) { return std::find(known.begin(), known.end(), command) == known.end(); });
    return legal;
  }

  Adventure adventure;
  std::vector<std::string> known{"wait", "go east", "go west"};

 private:
  Observation hear(const Observation& seen) {
    for (const auto& command : Adventure::legal_at(seen)) heard_.push_back(command);
    return seen;
  }
  std::vector<std::string> heard_;
};
static_assert(HasLegalActions<Growing>);

using GrowingText = ParsingAdventureText<Growing>;
using GrowingAgent = PolicyIteration<Growing, InductionModel, GrowingText>;

PolicyIterationOptions far_sighted() {
  PolicyIterationOptions options;
  options.decisions.values = Planning{.options = {.step_limit = 12}};
  return options;
}

TEST(GrowingActions, AreLearnedAsTheyCome) {
  Growing env;
  InductionModel model;
  GrowingAgent agent(env, model, far_sighted());
  std::vector<double> returns;
  agent.callbacks().on_episode = [&](const auto& episode) { returns.push_back(episode.back().reward); };
  agent.train(env, {.steps = 800});
  EXPECT_EQ(*env.adventure.illegal, 0);
  EXPECT_EQ(agent.actions().size(), 15U);
  EXPECT_EQ(agent.memory().action_texts().size(), 15U);
  ASSERT_GT(returns.size(), 20U);
  for (std::size_t i = returns.size() - 10; i < returns.size(); ++i) EXPECT_EQ(returns[i], 1) << i;
}

TEST(GrowingActions, AnAgentThatIsLoadedGoesOnAsTheOneThatGrew) {
  const std::string file = ::testing::TempDir() + "/growing_agent.jsonl";
  Growing env;
  InductionModel model;
  GrowingAgent grown(env, model, far_sighted());
  grown.train(env, {.steps = 300});
  grown.save(file);
  const auto play = [](GrowingAgent& agent, Growing world) {
    std::vector<double> values;
    agent.callbacks().on_decision = [&](const Decision& decision) {
      values.push_back(static_cast<double>(decision.action));
      for (const double value : decision.values) values.push_back(std::isnan(value) ? -99 : value);
    };
    agent.train(world, {.steps = 60});
    return values;
  };
  GrowingAgent loaded(env, model, far_sighted());
  loaded.load(env, file);
  EXPECT_EQ(play(loaded, env), play(grown, env));
  std::filesystem::remove(file);
}

TEST(GrowingActions, TheOpenLoopSaysWhen) {
  Growing env;
  InductionModel model;
  GrowingAgent agent(env, model, far_sighted());
  agent.begin_episode({0, false});
  static_cast<void>(agent.act({0, false}));
  env.known.emplace_back("take key");
  agent.grow(env);
  EXPECT_THROW(static_cast<void>(agent.act({0, false})), InvalidArgument);  // the episode was abandoned
  agent.begin_episode({0, false});
  EXPECT_EQ(agent.act({0, false}, std::vector<std::string>{"take key"}), "take key");
  env.known.pop_back();
  EXPECT_THROW(agent.grow(env), InvalidArgument);
  agent.observe({{0, true}, 0, false, false});
}

/// Keeps a list of its own.
struct Deaf : GrowingText {
  explicit Deaf(const Growing& env) : GrowingText(env) {}
  void grow(const Growing&) {}
};

/// A buffer that cannot.
struct Fixed : TrajectoryBuffer<Growing> {
  using TrajectoryBuffer<Growing>::TrajectoryBuffer;
  void grow(const Growing&) = delete;
};

template <class A>
std::string complaint_about_growth(A& agent, Growing& env) {
  try {
    agent.train(env, {.steps = 1});
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return {};
}

TEST(GrowingActions, AreRefusedWhereTheyCannotBeTakenInAndNothingChanges) {
  InductionModel model;
  Growing env, other;
  PolicyIteration<Growing, InductionModel, Deaf> deaf(env, model);
  PolicyIteration<Growing, InductionModel, GrowingText, Fixed> fixed(other, model);
  env.known.emplace_back("take key");
  other.known.emplace_back("take key");
  EXPECT_THAT(complaint_about_growth(deaf, env), HasSubstr("\"> take key\" of action 3 is not read back"));
  EXPECT_THAT(complaint_about_growth(fixed, other), HasSubstr("replay buffer has no grow(env)"));
  EXPECT_EQ(deaf.actions().size(), 3U);
  EXPECT_EQ(deaf.memory().action_texts().size(), 3U);
  EXPECT_EQ(fixed.actions().size(), 3U);
  Growing fresh;  // the other has heard of more meanwhile
  deaf.train(fresh, {.episodes = 1});
  EXPECT_EQ(deaf.episodes(), 1U);
}

TEST(GrowingActions, TheMatchingModelTakesThemIn) {
  Growing env;
  MatchingModelAgent<Growing> agent(env, 1);
  for (std::uint64_t episode = 0; episode < 40; ++episode) {
    auto seen = env.reset(episode);
    agent.grow(env);
    agent.begin_episode(seen);
    for (bool ended = false; !ended;) {
      const auto step = env.step(act_in(env, agent, seen));
      agent.observe(step);
      seen = step.observation;
      ended = step.terminated || step.truncated;
    }
  }
  EXPECT_EQ(agent.actions().size(), env.known.size());
  EXPECT_EQ(*env.adventure.illegal, 0);
}

}  // namespace
}  // namespace icpi
