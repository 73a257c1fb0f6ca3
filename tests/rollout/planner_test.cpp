// SPDX-License-Identifier: MIT
#include "icpi/rollout/planner.hpp"

#include <gtest/gtest.h>

#include <tuple>
#include <vector>

#include "support/random_rollout_model.hpp"

namespace icpi {
namespace {

/// A corridor 0 .. 4: action 0 goes left, 1 goes right; stepping from 4 ends with reward 1. Counts every question.
struct Corridor {
  void answer(std::span<const Question> questions, std::span<Answer> answers) {
    for (std::size_t i = 0; i < questions.size(); ++i) {
      const auto& question = questions[i];
      const bool goal = question.observation == 4;
      const auto left = question.observation == 0 ? 0 : question.observation - 1;
      answers[i] = {AnswerStatus::valid, goal, 0, question.action == 0 ? left : question.observation + 1,
                    goal ? 1.0 : 0};
    }
    asked += questions.size();
  }
  std::uint64_t asked = 0;
};

TEST(Planner, FindsTheOptimalFiniteHorizonValues) {
  Corridor model;
  const std::vector<DecisionTask> tasks{{0, 2, 2, 0.8, RandomKey(1)}, {1, 4, 2, 0.8, RandomKey(2)}};
  std::vector<DecisionResult> results(2);
  Planner().run(model, tasks, {.step_limit = 6}, results);
  EXPECT_NEAR(results[0].returns(1, 0), 0.8 * 0.8, 1e-12);
  EXPECT_NEAR(results[0].returns(0, 0), 0.8 * 0.8 * 0.8 * 0.8, 1e-12);
  EXPECT_EQ(results[1].returns(0, 0), 1);
  // Five observations, two actions: termination and reward each, and what follows the eight that do not end.
  model.asked = 0;
  Planner().run(model, std::span(tasks).first(1), {.step_limit = 8}, results);
  EXPECT_EQ(model.asked, 2U * 5 * 2 + 8);
}

TEST(Planner, ShowsWhatItImagined) {
  Corridor model;
  const std::vector<DecisionTask> tasks{{0, 3, 2, 0.8, RandomKey(1)}};
  std::vector<DecisionResult> results(1);
  Planner planner;
  planner.run(model, tasks, {.step_limit = 2}, results);
  const auto steps = planner.imagined(0);
  ASSERT_EQ(steps.size(), 6U);  // two actions at 3, then at 2 and 4
  EXPECT_EQ(steps[0].observation, 3U);
  EXPECT_EQ(steps[1].action, 1U);
  EXPECT_TRUE(steps[1].known && steps[1].goes_on && !steps[1].terminated);
  EXPECT_EQ(steps[1].next, 4U);
  EXPECT_EQ(steps[5].observation, 4U);
  EXPECT_TRUE(steps[5].known && steps[5].terminated && !steps[5].goes_on);
  EXPECT_EQ(steps[5].reward, 1);
}

TEST(Planner, RewardBeyondTheHorizonDoesNotCount) {
  Corridor model;
  const std::vector<DecisionTask> tasks{{0, 1, 2, 0.8, RandomKey(1)}};
  std::vector<DecisionResult> results(1);
  Planner().run(model, tasks, {.step_limit = 3}, results);
  EXPECT_EQ(results[0].returns(1, 0), 0);
  Planner().run(model, tasks, {.step_limit = 4}, results);
  EXPECT_NEAR(results[0].returns(1, 0), 0.8 * 0.8 * 0.8, 1e-12);
}

TEST(Planner, KeepsToItsNodeLimitAndDoesNotDependOnCompany) {
  testing::RandomRolloutModel model;
  std::vector<DecisionTask> tasks;
  for (std::uint32_t prompt_context = 0; prompt_context < 5; ++prompt_context)
    tasks.push_back({prompt_context, prompt_context, 3, 0.9, RandomKey(prompt_context)});
  std::vector<DecisionResult> together(5), alone(1);
  Planner planner;
  planner.run(model, tasks, {.step_limit = 5, .node_limit = 40}, together);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    planner.run(model, std::span(tasks).subspan(i, 1), {.step_limit = 5, .node_limit = 40}, alone);
    EXPECT_EQ(alone[0].returns, together[i].returns);
    EXPECT_EQ(alone[0].costs, together[i].costs);
  }
  testing::RandomRolloutModel perfect({0, 0, 0, 0});
  planner.run(perfect, std::span(tasks).first(1), {.step_limit = 50, .node_limit = 7}, alone);
  EXPECT_EQ(perfect.asked, 3U * 3 * 7);  // three questions, three actions, seven observations
}

/// The steps that were imagined, to be compared.
std::vector<std::tuple<ObservationId, std::uint32_t, bool, bool, double, bool, ObservationId>> compared(
    const std::vector<PlannedStep>& steps) {
  std::vector<std::tuple<ObservationId, std::uint32_t, bool, bool, double, bool, ObservationId>> result;
  for (const auto& step : steps)
    result.emplace_back(step.observation, step.action, step.known, step.terminated, step.reward, step.goes_on,
                        step.next);
  return result;
}

TEST(Planner, TheOrderOfArrivalChangesNothing) {
  std::vector<DecisionTask> tasks;
  for (std::uint32_t prompt_context = 0; prompt_context < 3; ++prompt_context)
    tasks.push_back({prompt_context, prompt_context, 3, 0.9, RandomKey(prompt_context)});
  const PlanningOptions options{.step_limit = 6, .attempts = 3, .node_limit = 60};
  testing::RandomRolloutModel model;
  std::vector<DecisionResult> in_batches(3), one_by_one(3);
  Planner planner;
  planner.run(model, tasks, options, in_batches);
  std::vector<std::vector<PlannedStep>> imagined;
  for (std::size_t task = 0; task < tasks.size(); ++task) imagined.push_back(planner.imagined(task));
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    testing::ShuffledRolloutModel shuffled(testing::RandomRolloutModel(), 1 + seed % 7 * 5, seed);
    planner.run(shuffled, tasks, options, one_by_one);
    EXPECT_EQ(shuffled.most_in_flight, shuffled.concurrency());
    for (std::size_t task = 0; task < tasks.size(); ++task) {
      EXPECT_EQ(one_by_one[task].returns, in_batches[task].returns) << "seed " << seed;
      EXPECT_EQ(compared(planner.imagined(task)), compared(imagined[task])) << "seed " << seed;
      EXPECT_EQ(one_by_one[task].costs.retries, in_batches[task].costs.retries);
      EXPECT_EQ(one_by_one[task].costs.rounds, 0U);
    }
  }
}

TEST(Planner, AModelThatWorksInBatchesGetsOneKindOfAWholeLayerInOne) {
  struct Model : Corridor {
    void answer(std::span<const Question> questions, std::span<Answer> answers) {
      Corridor::answer(questions, answers);
      for (const auto& question : questions) EXPECT_EQ(question.kind, questions[0].kind);
      ++batches;
    }
    int batches = 0;
  } model;
  const std::vector<DecisionTask> tasks{{0, 2, 2, 0.8, RandomKey(1)}};
  std::vector<DecisionResult> results(1);
  Planner().run(model, tasks, {.step_limit = 3}, results);
  EXPECT_EQ(model.batches, 3 + 3 + 2);  // nothing follows the last layer
  EXPECT_EQ(results[0].costs.rounds, 8U);
}

}  // namespace
}  // namespace icpi
