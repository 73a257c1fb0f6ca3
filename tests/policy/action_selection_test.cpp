// SPDX-License-Identifier: MIT
#include "icpi/policy/action_selection.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "icpi/core/error.hpp"

namespace icpi {
namespace {

constexpr int times = 3000;

std::array<int, 3> selected(ActionSelection selection, const std::vector<double>& values) {
  std::array<int, 3> counts{};
  for (int i = 0; i < times; ++i) {
    RandomStream stream(RandomKey(2).child(static_cast<std::uint64_t>(i)));
    ++counts.at(selection->select(values, stream));
  }
  return counts;
}

TEST(GreedySelection, TakesTheBestAndBreaksTiesUniformly) {
  EXPECT_EQ(selected(Greedy{}, {1, 3, 2})[1], times);
  const auto ties = selected(Greedy{}, {2, 1, 2 + 1e-12});
  EXPECT_NEAR(ties[0], times / 2, 5 * std::sqrt(times / 4.0));
  EXPECT_EQ(ties[1], 0);
}

TEST(GreedySelection, CopesWithInfiniteValues) {
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_EQ(selected(Greedy{}, {1, infinite, -infinite})[1], times);
  const auto all = selected(Greedy{}, {-infinite, -infinite, -infinite});
  for (const int count : all) EXPECT_GT(count, times / 4);
}

TEST(SoftmaxSelection, TakesEachInProportion) {
  const auto counts = selected(Softmax{.temperature = 2}, {0, 2 * std::log(2.0), 2 * std::log(3.0)});
  for (int action = 0; action < 3; ++action) {
    const double share = (action + 1) / 6.0;
    EXPECT_NEAR(counts.at(static_cast<std::size_t>(action)), share * times, 5 * std::sqrt(times * share * (1 - share)));
  }
}

TEST(SoftmaxSelection, CopesWithInfiniteAndHugeValues) {
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_EQ(selected(Softmax{}, {1, infinite, 2})[1], times);
  EXPECT_EQ(selected(Softmax{}, {-infinite, 5, -infinite})[1], times);
  EXPECT_EQ(selected(Softmax{}, {1e308, -1e308, 0})[0], times);
  for (const int count : selected(Softmax{}, {-infinite, -infinite, -infinite})) EXPECT_GT(count, times / 4);
}

TEST(ActionSelections, SayWhatTheyAre) {
  EXPECT_EQ(ActionSelection(Greedy{}).description(), "greedy()");
  EXPECT_EQ(ActionSelection(Softmax{.temperature = 0.5}).description(), "softmax(temperature=0.5)");
  EXPECT_THROW(ActionSelection(Softmax{.temperature = 0})->check(), InvalidArgument);
  EXPECT_NO_THROW(ActionSelection(Greedy{})->check());
}

}  // namespace
}  // namespace icpi
