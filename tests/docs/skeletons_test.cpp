// SPDX-License-Identifier: MIT
// The skeletons that the documentation shows keep the laws it states.
#include <gtest/gtest.h>

#include <span>
#include <vector>

#include "docs/environment.hpp"
#include "docs/language_model.hpp"
#include "docs/prompt_formatter.hpp"
#include "docs/replay_buffer.hpp"
#include "docs/rollout_model.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "icpi/testing/check_environment.hpp"
#include "icpi/testing/check_formatter.hpp"
#include "icpi/testing/check_language_model.hpp"
#include "icpi/testing/check_replay_buffer.hpp"

namespace skeletons {
namespace {

static_assert(icpi::ReplayBuffer<PlainBuffer<Lamp>, Lamp>);

TEST(Skeletons, Environment) {
  const auto report = icpi::testing::check_environment(Lamp());
  EXPECT_TRUE(report.ok()) << report.to_string();
}

TEST(Skeletons, PromptFormatter) {
  const auto report = icpi::testing::check_formatter(Lamp(), LampText());
  EXPECT_TRUE(report.ok()) << report.to_string();
}

TEST(Skeletons, LanguageModel) {
  ConstantModel model("It goes on.\n");
  const auto report = icpi::testing::check_language_model(model);
  EXPECT_TRUE(report.ok()) << report.to_string();
}

TEST(Skeletons, ReplayBuffer) {
  const auto report = icpi::testing::check_replay_buffer<PlainBuffer<Lamp>>(Lamp());
  EXPECT_TRUE(report.ok()) << report.to_string();
}

TEST(Skeletons, RolloutModelAnswersWhatIsAsked) {
  const RandomWalkModel model(3);
  icpi::Question question;
  question.kind = icpi::QueryKind::reward;
  question.action = 1;
  question.observation = 2;
  icpi::Answer answer;
  model.answer(std::span(&question, 1), std::span(&answer, 1));
  EXPECT_EQ(answer.reward, 1);
}

TEST(Skeletons, WorkTogether) {
  Lamp env;
  ConstantModel model("I press.\n");  // neither a termination nor a reward: every rollout ends at once
  icpi::PolicyIteration<Lamp, ConstantModel, LampText, PlainBuffer<Lamp>> agent(env, model);
  EXPECT_GE(agent.train(env, {.steps = 40}), 40U);
  EXPECT_GT(agent.costs().lm_calls, 0U);
  EXPECT_GT(agent.costs().invalid, 0U);
}

TEST(Skeletons, OptionsHoldStrategies) {
  icpi::PolicyIterationOptions options = icpi::paper_options();
  options.decisions.values = icpi::MeanOfRollouts{{.rollouts_per_action = 4}};
  options.decisions.explorations = {icpi::RandomRate{0.1}};
  options.prompts.trajectories = icpi::TrajectoriesAboveReturn{.threshold = 0.5};
  EXPECT_EQ(options.decisions.values.get_if<icpi::MeanOfRollouts>()->options.rollouts_per_action, 4);
}

}  // namespace
}  // namespace skeletons
