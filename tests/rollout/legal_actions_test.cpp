// SPDX-License-Identifier: MIT
// Estimators where the rollout model says what is legal.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "icpi/concepts/rollout_model_ref.hpp"
#include "icpi/rollout/engine.hpp"
#include "icpi/rollout/planner.hpp"
#include "icpi/rollout/policy_alone.hpp"

namespace icpi {
namespace {

/// Places 0, 1, 2, ...: action 0 stays, worth 1; action 1 goes on, worth 2; action 2 is worth 100, and legal at place 7 alone.
/// The rollout policy's answers are invalid.
struct Road {
  void answer(std::span<const Question> questions, std::span<Answer> answers) {
    for (std::size_t i = 0; i < questions.size(); ++i) {
      const auto& question = questions[i];
      answers[i] = {AnswerStatus::valid, false, 0, question.observation + (question.action == 1 ? 1 : 0),
                    question.action == 2 ? 100.0 : question.action + 1.0};
      if (question.kind == QueryKind::action) answers[i].status = AnswerStatus::impossible;
      illegal += question.kind != QueryKind::action && question.action == 2 && question.observation != 7 ? 1 : 0;
    }
  }
  [[nodiscard]] LegalActions legal(std::uint32_t, ObservationId observation) const {
    static constexpr std::uint32_t usual[] = {0, 1};
    if (observation == 7) return {};
    return usual;
  }
  int illegal = 0;
};
static_assert(KnowsLegalActions<Road>);

constexpr std::uint32_t at_the_root[] = {1};

TEST(LegalRollouts, PlanNothingElse) {
  Road road;
  const std::vector<DecisionTask> tasks{{0, 3, 3, 1, RandomKey(5), at_the_root},
                                        {1, 5, 3, 1, RandomKey(5), at_the_root}};
  std::vector<DecisionResult> results(2);
  Planner planner;
  planner.run(road, tasks, {.step_limit = 4}, results);
  EXPECT_EQ(road.illegal, 0);
  EXPECT_EQ(results[0].returns(1, 0), 8);
  EXPECT_EQ(results[1].returns(1, 0), 2 + 2 + 100 + 100);
  for (const auto& result : results)
    for (const std::size_t action : {0U, 2U}) EXPECT_TRUE(std::isnan(result.returns(action, 0)));
  for (const PlannedStep& step : planner.imagined(0))
    EXPECT_TRUE(step.observation == 3 ? step.action == 1 : step.action < 2 || step.observation == 7);
}

TEST(LegalRollouts, DrawNothingElse) {
  Road road;
  const std::vector<DecisionTask> tasks{{0, 0, 3, 1, RandomKey(5), at_the_root}};
  std::vector<DecisionResult> results(1);
  RolloutEngine engine;
  engine.run(road, tasks, {.step_limit = 5, .rollouts_per_action = 200, .random_action_rate = 0.5}, results);
  EXPECT_EQ(road.illegal, 0);
  EXPECT_EQ(engine.rollouts().size(), 200U);
  int stays = 0;
  for (const Rollout& rollout : engine.rollouts())
    for (const ImaginedStep& step : rollout.steps()) stays += step.action == 0 ? 1 : 0;
  EXPECT_NEAR(stays, 200 * 4 / 2, 80);
  for (std::size_t sample = 0; sample < 200; ++sample) {
    EXPECT_TRUE(std::isnan(results[0].returns(0, sample)) && std::isnan(results[0].returns(2, sample)));
    EXPECT_FALSE(std::isnan(results[0].returns(1, sample)));
  }
}

TEST(LegalRollouts, ThePolicyAloneDrawsWhatIsLegalWhereItsAnswerIsNot) {
  Road road;
  struct Nothing final : History {
    [[nodiscard]] OutcomeCounts outcomes(std::uint32_t, ObservationId, std::uint32_t) const override { return {}; }
    [[nodiscard]] bool tried(std::uint32_t, ObservationId, std::uint32_t) const override { return false; }
    void recall(std::uint32_t, ObservationId, std::uint32_t, std::vector<SeenOutcome>& seen) const override {
      seen.clear();
    }
    [[nodiscard]] ActionExperience experience(std::uint32_t, std::uint32_t) const override { return {}; }
  } history;
  const std::vector<DecisionTask> tasks{{0, 0, 3, 1, RandomKey(5), at_the_root}};
  std::vector<DecisionResult> results(1);
  PolicyAlone().estimate(Imagination(road, history), tasks, results);
  EXPECT_EQ(results[0].action, std::optional<std::uint32_t>(1));
}

}  // namespace
}  // namespace icpi
