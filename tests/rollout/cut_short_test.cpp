// SPDX-License-Identifier: MIT
// What is imagined of a world in which every step costs 1, until the time is up.
#include <gtest/gtest.h>

#include <cmath>
#include <stop_token>
#include <vector>

#include "icpi/rollout/engine.hpp"
#include "icpi/rollout/planner.hpp"

namespace icpi {
namespace {

/// Answers so many questions. Nothing ends, and every action leads somewhere else.
struct CostlyWorld {
  std::size_t answers;
  std::stop_source source{};

  void answer(std::span<const Question> questions, std::span<Answer> out) {
    for (std::size_t i = 0; i < questions.size(); ++i) {
      if (answers == 0) source.request_stop();
      const auto next = 3 * questions[i].observation + 1 + questions[i].action;
      out[i] = answers == 0 ? Answer{AnswerStatus::failed} : Answer{AnswerStatus::valid, false, 0, next, -1.0};
      answers -= answers == 0 ? 0 : 1;
    }
  }
  [[nodiscard]] Until until() const { return {.stop = source.get_token()}; }
};

const std::vector<DecisionTask> tasks{{0, 0, 3, 0.5, RandomKey(1)}};

DecisionResult rollouts_after(std::size_t answers, int rollouts_per_action = 1) {
  CostlyWorld world{answers};
  std::vector<DecisionResult> results(1);
  RolloutEngine().run(world, tasks, {.step_limit = 3, .rollouts_per_action = rollouts_per_action}, results,
                      world.until());
  return results[0];
}

DecisionResult plan_after(std::size_t answers) {
  CostlyWorld world{answers};
  std::vector<DecisionResult> results(1);
  Planner().run(world, tasks, {.step_limit = 2}, results, world.until());
  return results[0];
}

TEST(CutShort, RolloutsWithoutAStepAreUnknown) {
  const DecisionResult result = rollouts_after(3 + 2);  // terminations; reward and observation of action 0
  EXPECT_TRUE(result.cut_short);
  EXPECT_EQ(result.returns(0, 0), -1);
  EXPECT_TRUE(std::isnan(result.returns(1, 0)));
  EXPECT_TRUE(std::isnan(result.returns(2, 0)));
}

TEST(CutShort, OneKnownRolloutOfSeveralIsEnough) {
  const DecisionResult result = rollouts_after(6 + 2 + 2 + 2, 2);  // of action 0 both, of action 1 one
  EXPECT_EQ(result.returns(0, 1), -1);
  EXPECT_EQ(result.returns(1, 0), -1);
  EXPECT_TRUE(std::isnan(result.returns(1, 1)));
}

TEST(CutShort, NothingIsKnownOfWhatWasNotAnswered) {
  for (const DecisionResult& result : {rollouts_after(0), plan_after(0)}) {
    EXPECT_TRUE(result.cut_short);
    for (std::size_t action = 0; action < 3; ++action) EXPECT_TRUE(std::isnan(result.returns(action, 0))) << action;
  }
}

TEST(CutShort, PlansKnowWhatRewardsTheyKnow) {
  const DecisionResult result = plan_after(3 + 1);  // terminations; the reward of action 0
  EXPECT_TRUE(result.cut_short);
  EXPECT_EQ(result.returns(0, 0), -1);
  EXPECT_TRUE(std::isnan(result.returns(1, 0)));
}

TEST(CutShort, PlansDoNotTakeStepsThatWereNotAskedAbout) {
  // All of the root; then nine terminations, and the reward of the first action where action 0 leads.
  const DecisionResult result = plan_after(9 + 9 + 1);
  EXPECT_EQ(result.returns(0, 0), -1 + 0.5 * -1);
  EXPECT_EQ(result.returns(1, 0), -1);  // nothing is known of what comes then
}

}  // namespace
}  // namespace icpi
