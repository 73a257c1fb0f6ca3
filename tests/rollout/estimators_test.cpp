// SPDX-License-Identifier: MIT
// The library's value estimators through their seam.
#include <gtest/gtest.h>

#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/rollout/mean_of_rollouts.hpp"
#include "icpi/rollout/planning.hpp"
#include "icpi/rollout/policy_alone.hpp"
#include "support/random_rollout_model.hpp"

namespace icpi {
namespace {

/// Nothing was ever tried.
struct NoHistory final : History {
  OutcomeCounts outcomes(std::uint32_t, ObservationId, std::uint32_t) const override { return {}; }
  bool tried(std::uint32_t, ObservationId, std::uint32_t) const override { return false; }
  void recall(std::uint32_t, ObservationId, std::uint32_t, std::vector<SeenOutcome>& seen) const override {
    seen.clear();
  }
  ActionExperience experience(std::uint32_t, std::uint32_t) const override { return {}; }
};

class Estimators : public ::testing::Test {
 protected:
  std::vector<DecisionResult> estimate(ValueEstimator& estimator, std::span<const DecisionTask> asked) {
    std::vector<DecisionResult> results(asked.size());
    for (auto& result : results) result.values = {1, 2, 3};  // of an earlier decision
    estimator->estimate(Imagination(model, history), asked, results);
    return results;
  }

  NoHistory history;
  testing::RandomRolloutModel model;
  std::vector<DecisionTask> tasks{{0, 5, 3, 0.9, RandomKey(1)}, {1, 9, 3, 0.9, RandomKey(2)}};
};

TEST_F(Estimators, DoNotDependOnCompanyAndForgetTheDecisionBefore) {
  for (ValueEstimator estimator : {ValueEstimator(MeanOfRollouts{{.rollouts_per_action = 4}}),
                                   ValueEstimator(Planning{{.step_limit = 3}}), ValueEstimator(PolicyAlone{})}) {
    const auto together = estimate(estimator, tasks);
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      const auto alone = estimate(estimator, std::span(tasks).subspan(i, 1));
      EXPECT_EQ(alone[0].returns, together[i].returns) << estimator.description();
      EXPECT_EQ(alone[0].action, together[i].action);
      EXPECT_TRUE(alone[0].values.empty());
    }
    const ValueEstimator copy = estimator;
    EXPECT_TRUE(copy->imagined(0).empty());  // working memory is no part of the value
  }
}

TEST_F(Estimators, TellWhatTheyImagined) {
  ValueEstimator rollouts = MeanOfRollouts{{.rollouts_per_action = 2}};
  (void)estimate(rollouts, tasks);
  const auto steps = rollouts->imagined(1);
  ASSERT_FALSE(steps.empty());
  EXPECT_EQ(steps[0].observation, 9U);
  EXPECT_TRUE(rollouts->imagined(2).empty());
  ValueEstimator planning = Planning{};
  (void)estimate(planning, tasks);
  EXPECT_EQ(planning->imagined(0)[0].observation, 5U);
}

TEST_F(Estimators, OfTheRolloutPolicyGiveAnAction) {
  ValueEstimator alone = PolicyAlone{};
  const auto results = estimate(alone, tasks);
  ASSERT_TRUE(results[0].action.has_value());
  EXPECT_LT(*results[0].action, 3U);
  EXPECT_TRUE(results[0].returns.empty());
  EXPECT_FALSE(alone->needs_world_model());
  EXPECT_TRUE(ValueEstimator(Planning{})->needs_world_model());
}

TEST_F(Estimators, RefuseParametersOutOfRange) {
  EXPECT_THROW(ValueEstimator(MeanOfRollouts{{.attempts = 0}})->check(), InvalidArgument);
  EXPECT_THROW(ValueEstimator(Planning{{.node_limit = 0}})->check(), InvalidArgument);
  EXPECT_THROW(ValueEstimator(PolicyAlone{.attempts = 256})->check(), InvalidArgument);
}

}  // namespace
}  // namespace icpi
