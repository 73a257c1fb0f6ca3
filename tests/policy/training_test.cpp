// SPDX-License-Identifier: MIT
#include "icpi/policy/training.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/models/budget.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/models/scripted.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/text_world.hpp"

namespace icpi {
namespace {

/// Never ends an episode, and can change its mind about what there is to do.
struct Endless {
  using Observation = std::string;
  using Action = int;

  [[nodiscard]] const std::vector<int>& actions() const { return choices; }
  [[nodiscard]] static double discount() { return 0.9; }
  static std::string reset(std::uint64_t) { return "a"; }
  Step<std::string> step(int) {
    ++steps;
    return {"a", 1, false, false};
  }

  std::vector<int> choices{0, 1};
  std::size_t steps = 0;
};

struct EndlessFormatter : LineFormatter<EndlessFormatter, Endless> {
  using LineFormatter::LineFormatter;
  static std::string observation(const std::string& text) { return "at " + text + "\n"; }
  static std::string action(int number) { return "do " + std::to_string(number) + "\n"; }
  static bool accepts_observation(std::string_view text) { return text.starts_with("at "); }
};

ScriptedModel silent() {
  return ScriptedModel([](const CompletionRequest&) { return ScriptedModel::answer("nothing"); });
}

using EndlessAgent = PolicyIteration<Endless, ScriptedModel, EndlessFormatter>;

TEST(Training, AnEpisodeThatDoesNotEndIsTruncated) {
  Endless env;
  auto model = silent();
  EndlessAgent agent(env, model);
  bool truncated = false;
  agent.callbacks().on_episode = [&](const auto& trajectory) {
    truncated = trajectory.back().truncated && !trajectory.back().terminated;
  };
  const auto result = agent.train(env, {.steps = 25, .episode_steps = 10});
  EXPECT_TRUE(truncated);
  EXPECT_EQ(result.steps, 30U);
  EXPECT_EQ(result.episodes, 3U);
  EXPECT_EQ(result.end, TrainingEnd::steps);
  EXPECT_EQ(env.steps, 30U);
  EXPECT_EQ(agent.evaluate(env, 7), 7);
  EXPECT_EQ(agent.train(env, {.episodes = 2, .episode_steps = 3}).end, TrainingEnd::episodes);
}

TEST(Training, ByDefaultItEndsToo) {
  Endless env;
  auto model = silent();
  PolicyIterationOptions options = icpi::paper_options();
  options.decisions.explorations = {
      icpi::WarmUp{.successes = 1e9, .slope = 2, .abrupt = true}};  // at random: nothing is asked
  EndlessAgent agent(env, model, options);
  EXPECT_EQ(agent.train(env, {.steps = 80}).steps, default_episode_steps);
}

TEST(Training, RefusesEpisodesOfNoSteps) {
  Endless env;
  auto model = silent();
  EndlessAgent agent(env, model);
  EXPECT_THROW(agent.train(env, {.steps = 1, .episode_steps = 0}), InvalidArgument);
  EXPECT_THROW(agent.evaluate(env, 0), InvalidArgument);
  EXPECT_EQ(env.steps, 0U);
}

TEST(Training, ActionsThatChangeBetweenEpisodesAreRefused) {
  Endless env;
  auto model = silent();
  EndlessAgent agent(env, model);
  for (const std::vector<int>& changed : {std::vector<int>{0}, {1, 0}, {0, 2}, {0, 2, 1}}) {
    env.choices = changed;
    EXPECT_THROW(agent.train(env, {.steps = 1}), InvalidArgument);
    EXPECT_THROW(agent.evaluate(env), InvalidArgument);
  }
  env.choices = {0, 1};
  EXPECT_EQ(agent.train(env, {.episodes = 1, .episode_steps = 2}).steps, 2U);
}

TEST(Training, ASpentBudgetEndsItAndSaysSo) {
  Chain env;
  BudgetedModel<InductionModel> model(InductionModel(), Budget{.calls = 400});
  PolicyIteration<Chain, BudgetedModel<InductionModel>> agent(env, model, {.seed = 3});
  std::size_t episodes = 0;
  agent.callbacks().on_episode = [&](const auto&) { ++episodes; };
  const auto result = agent.train(env, {.steps = 100'000});
  EXPECT_EQ(result.end, TrainingEnd::budget);
  EXPECT_LT(result.steps, 100'000U);
  EXPECT_EQ(result.episodes, episodes);
  EXPECT_EQ(agent.costs().lm_calls, 400U);
  EXPECT_THROW(agent.evaluate(env), Error);
}

}  // namespace
}  // namespace icpi
