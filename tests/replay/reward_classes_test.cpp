// SPDX-License-Identifier: MIT
#include "icpi/replay/reward_classes.hpp"

#include <gtest/gtest.h>

#include <set>

#include "icpi/core/random.hpp"

namespace icpi {
namespace {

RewardClasses classes_of(const std::vector<double>& rewards) {
  RewardClasses classes;
  for (std::size_t i = 0; i < rewards.size(); ++i) classes.add(static_cast<TransitionId>(i), rewards[i]);
  return classes;
}

TEST(RewardClasses, AreTheValuesWhileThereAreFew) {
  const auto classes = classes_of({0, 1, 0, -2.5, 1});
  ASSERT_EQ(classes.classes().size(), 3U);
  EXPECT_EQ(classes.classes()[1].reward, 1);
  EXPECT_EQ(classes.classes()[1].members, (std::vector<TransitionId>{1, 4}));
}

TEST(RewardClasses, AreTheSignsWhenThereAreMany) {
  std::vector<double> rewards;
  for (int i = -10; i <= 10; ++i) rewards.push_back(i / 3.0);
  const auto classes = classes_of(rewards);
  ASSERT_EQ(classes.classes().size(), 3U);
  EXPECT_EQ(classes.classes()[0].members.size(), 10U);
  EXPECT_EQ(classes.classes()[1].members.size(), 1U);
}

TEST(RewardClasses, AreQuartilesWhenManyShareOneSign) {
  std::vector<double> rewards;
  for (int i = 0; i < 1000; ++i) rewards.push_back(1 + i);
  RandomStream(RandomKey(3)).shuffle(std::span(rewards));
  const auto classes = classes_of(rewards);
  ASSERT_EQ(classes.classes().size(), 4U);
  for (const auto& each : classes.classes()) EXPECT_NEAR(static_cast<double>(each.members.size()), 250, 60);
}

TEST(RewardClasses, HoldEveryTransitionOnceInOrderWhateverComes) {
  RandomStream random{RandomKey(7)};
  for (int trial = 0; trial < 50; ++trial) {
    RewardClasses classes;
    const std::size_t count = random.index(200);
    const std::size_t kept = count == 0 ? 0 : random.index(count);
    for (std::size_t i = 0; i < count; ++i) {
      classes.add(static_cast<TransitionId>(i), random.index(2) == 0 ? random.uniform() - 0.5 : 1);
    }
    classes.truncate(static_cast<TransitionId>(kept));
    std::set<TransitionId> seen;
    for (const auto& each : classes.classes()) {
      EXPECT_FALSE(each.members.empty());
      EXPECT_TRUE(std::is_sorted(each.members.begin(), each.members.end()));
      seen.insert(each.members.begin(), each.members.end());
    }
    EXPECT_EQ(seen.size(), kept);
    EXPECT_TRUE(kept == 0 || *seen.rbegin() == kept - 1);
  }
}

}  // namespace
}  // namespace icpi
