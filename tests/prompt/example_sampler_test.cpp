// SPDX-License-Identifier: MIT
#include "icpi/prompt/example_sampler.hpp"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <set>

namespace icpi {
namespace {

TEST(SparsePermutation, DrawsEveryElementOnceAndEveryOrderEquallyOften) {
  SparsePermutation permutation;
  RandomStream stream{RandomKey(2)};
  for (const std::size_t size : {1U, 7U, 1000U}) {
    permutation.start(size);
    std::set<std::size_t> seen;
    while (permutation.left() > 0) seen.insert(permutation.draw(stream));
    EXPECT_EQ(seen.size(), size);
    EXPECT_EQ(*seen.rbegin(), size - 1);
  }
  std::map<std::vector<std::size_t>, int> orders;
  for (int trial = 0; trial < 6000; ++trial) {
    permutation.start(3);
    std::vector<std::size_t> order;
    while (permutation.left() > 0) order.push_back(permutation.draw(stream));
    ++orders[order];
  }
  ASSERT_EQ(orders.size(), 6U);
  for (const auto& [order, count] : orders) EXPECT_NEAR(count, 1000, 150);  // five standard deviations
}

std::vector<TransitionId> ids(std::size_t count, TransitionId first) {
  std::vector<TransitionId> members(count);
  std::iota(members.begin(), members.end(), first);
  return members;
}

TEST(ExampleSampler, DrawsTheWholeBalancedMultiset) {
  const auto many = ids(50, 0);
  const auto few = ids(3, 100);
  ExampleClasses classes;
  classes.add(0, many);
  classes.add(1, few);
  classes.add(2, {});
  ASSERT_EQ(classes.classes().size(), 2U);
  ExampleSampler sampler;
  RandomStream stream{RandomKey(4)};
  sampler.start(classes, true);
  std::map<TransitionId, int> counts;
  while (const auto example = sampler.next(stream)) ++counts[example->id];
  int repeated = 0;
  for (const auto& [id, count] : counts) {
    EXPECT_TRUE(id >= 100 || count == 1);
    if (id >= 100) repeated += count;
  }
  EXPECT_EQ(counts.size(), 53U);
  EXPECT_EQ(repeated, 50);
  sampler.start(classes, false);
  EXPECT_EQ(sampler.left(), 53U);
}

TEST(ExampleSampler, TheFirstDrawsAreBalancedHoweverLongTheHistory) {
  const auto many = ids(100000, 0);
  const auto few = ids(10, 200000);
  ExampleClasses classes;
  classes.add(0, many);
  classes.add(1, few);
  ExampleSampler sampler;
  RandomStream stream{RandomKey(5)};
  int rare = 0;
  for (int trial = 0; trial < 200; ++trial) {
    sampler.start(classes, true);
    for (int draw = 0; draw < 20; ++draw) rare += sampler.next(stream)->class_index == 1 ? 1 : 0;
  }
  EXPECT_NEAR(rare, 2000, 160);  // five standard deviations
}

TEST(ExampleClasses, SpanSeveralPartsOfOneKey) {
  const auto first = ids(2, 0);
  const auto second = ids(3, 10);
  ExampleClasses classes;
  classes.add(0.5, first);
  classes.add(0.5, second);
  ASSERT_EQ(classes.classes().size(), 1U);
  EXPECT_EQ(classes.classes()[0][1], 1U);
  EXPECT_EQ(classes.classes()[0][2], 10U);
  EXPECT_EQ(classes.classes()[0][4], 12U);
}

}  // namespace
}  // namespace icpi
