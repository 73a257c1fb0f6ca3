// SPDX-License-Identifier: MIT
#include "icpi/policy/exploration.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "icpi/core/error.hpp"

namespace icpi {
namespace {

/// Every action but the first was tried.
struct TriedButTheFirst final : History {
  OutcomeCounts outcomes(std::uint32_t, ObservationId, std::uint32_t) const override { return {}; }
  bool tried(std::uint32_t, ObservationId, std::uint32_t action) const override { return action != 0; }
  void recall(std::uint32_t, ObservationId, std::uint32_t, std::vector<SeenOutcome>& seen) const override {
    seen.clear();
  }
  ActionExperience experience(std::uint32_t, std::uint32_t) const override { return {}; }
};

int random_of(Exploration exploration, std::size_t trajectories, int times) {
  DecisionContext context;
  context.trajectories = trajectories;
  int count = 0;
  for (int i = 0; i < times; ++i) {
    RandomStream stream(RandomKey(1).child(static_cast<std::uint64_t>(i)));
    count += exploration->acts_at_random(context, stream) ? 1 : 0;
  }
  return count;
}

TEST(WarmUpExploration, FollowsThePapersFormula) {
  EXPECT_NEAR(WarmUp{}.probability(0), 1 / (1 + std::exp(6.0)), 1e-15);
  EXPECT_NEAR(WarmUp{}.probability(3), 0.5, 1e-15);
  EXPECT_NEAR(random_of(WarmUp{}, 3, 4000), 2000, 5 * std::sqrt(1000));
  EXPECT_EQ(random_of(WarmUp{.successes = 3, .abrupt = true}, 2, 100), 100);
  EXPECT_EQ(random_of(WarmUp{.successes = 3, .abrupt = true}, 3, 100), 0);
}

TEST(RandomRateExploration, ActsAtRandomThatOften) {
  EXPECT_NEAR(random_of(RandomRate{0.25}, 0, 4000), 1000, 5 * std::sqrt(750));
  EXPECT_EQ(random_of(RandomRate{0}, 0, 100), 0);
  EXPECT_EQ(random_of(RandomRate{1}, 0, 100), 100);
}

TEST(UntriedFirstExploration, AddsToWhatWasNeverTriedAndNothingElse) {
  const TriedButTheFirst history;
  DecisionContext context;
  context.history = &history;
  std::vector<double> values{1, 2, 3};
  Exploration exploration = UntriedFirst{0.5};
  exploration->adjust(context, values);
  EXPECT_EQ(values, (std::vector<double>{1.5, 2, 3}));
  EXPECT_EQ(random_of(exploration, 0, 100), 0);
  context.kind = EpisodeKind::evaluation;
  values = {1, 2, 3};
  exploration->adjust(context, values);
  EXPECT_EQ(values, (std::vector<double>{1, 2, 3}));
}

TEST(Explorations, SayWhatTheyAreAndCompareByIt) {
  EXPECT_EQ(Exploration(WarmUp{}).description(), "warm_up(successes=3, slope=2, abrupt=false)");
  EXPECT_EQ(Exploration(RandomRate{0.5}).description(), "random_rate(rate=0.5)");
  EXPECT_EQ(Exploration(UntriedFirst{}).description(), "untried_first(bonus=0.001)");
  EXPECT_EQ(Exploration(WarmUp{}), Exploration(WarmUp{}));
  EXPECT_NE(Exploration(WarmUp{}), Exploration(WarmUp{.successes = 1}));
  EXPECT_THROW(Exploration(RandomRate{1.5})->check(), InvalidArgument);
  EXPECT_THROW(Exploration(UntriedFirst{std::nan("")})->check(), InvalidArgument);
  EXPECT_THROW(Exploration(WarmUp{.successes = std::nan("")})->check(), InvalidArgument);
}

TEST(Explorations, AreValues) {
  Exploration first = RandomRate{0.5};
  const Exploration second = first;
  first.get_if<RandomRate>()->rate = 1;
  EXPECT_EQ(second.get_if<RandomRate>()->rate, 0.5);
  EXPECT_EQ(first.get_if<WarmUp>(), nullptr);
  EXPECT_NE(first, second);
}

}  // namespace
}  // namespace icpi
