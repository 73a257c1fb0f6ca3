// SPDX-License-Identifier: MIT
// Decisions among actions of which some have no known value.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/random_episodes.hpp"

namespace icpi {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

/// Gives these values of the chain's three actions, or returns of two rollouts, and says that the time was up.
struct Halted {
  static constexpr bool needs_world_model = false;
  std::vector<double> values{};
  std::vector<double> returns{};

  void estimate(const Imagination&, std::span<const DecisionTask> tasks, std::span<DecisionResult> results) const {
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      results[i].clear();
      results[i].cut_short = true;
      results[i].values = values;
      if (returns.empty()) continue;
      results[i].returns.resize(3, 2);
      for (std::size_t k = 0; k < returns.size(); ++k) results[i].returns(k / 2, k % 2) = returns[k];
    }
  }
  [[nodiscard]] std::string description() const { return "halted()"; }
};

/// Decisions of many agents, by seed.
std::vector<Decision> decisions(const Halted& halted, const ActionSelection& selection = Greedy{},
                                const std::vector<ChainAction>& legal = {}) {
  Chain env;
  InductionModel model;
  PolicyIterationOptions options;
  options.decisions.values = halted;
  options.decisions.explorations = {UntriedFirst{.bonus = 100}};
  options.decisions.selection = selection;
  std::vector<Decision> made;
  for (options.seed = 0; options.seed < 40; ++options.seed) {
    PolicyIteration<Chain, InductionModel> agent(env, model, options);
    agent.begin_episode(2);
    if (!legal.empty()) agent.offer(legal);
    static_cast<void>(agent.act(2));
    made.push_back(agent.decision());
  }
  return made;
}

TEST(UnknownValues, AreReportedAndNeverChosenOverKnownOnes) {
  for (const ActionSelection& selection : {ActionSelection(Greedy{}), ActionSelection(Softmax{.temperature = 1000})}) {
    for (const Decision& decision : decisions({.values = {unknown, -5, unknown}}, selection)) {
      EXPECT_EQ(decision.action, 1U);
      EXPECT_TRUE(decision.by_model && decision.cut_short);
      ASSERT_EQ(decision.values.size(), 3U);
      EXPECT_TRUE(std::isnan(decision.values[0]));
      EXPECT_EQ(decision.values[1], 95);
    }
  }
}

TEST(UnknownValues, AreNotPartOfMeans) {
  for (const Decision& decision : decisions({.returns = {-4, unknown, unknown, unknown, -9, -9}})) {
    EXPECT_EQ(decision.action, 0U);
    EXPECT_EQ(decision.values[0], 96);
    EXPECT_TRUE(std::isnan(decision.values[1]));
    EXPECT_EQ(decision.values[2], 91);
  }
}

TEST(UnknownValues, OfAllActionsMakeADecisionAtRandom) {
  std::set<std::size_t> chosen;
  for (const Decision& decision : decisions({.values = {unknown, unknown, unknown}})) {
    EXPECT_TRUE(decision.cut_short);
    EXPECT_FALSE(decision.by_model);
    EXPECT_TRUE(decision.values.empty() && decision.returns.empty());
    chosen.insert(decision.action);
  }
  EXPECT_EQ(chosen.size(), 3U);
}

TEST(UnknownValues, ALegalActionIsTakenWhereOnlyIllegalOnesAreKnown) {
  for (const Decision& decision :
       decisions({.values = {unknown, unknown, 7}}, Greedy{}, {ChainAction::left, ChainAction::try_goal})) {
    EXPECT_FALSE(decision.by_model);
    EXPECT_LT(decision.action, 2U);
  }
}

TEST(UnknownValues, TooFewReturnsAreAnErrorOfTheEstimator) {
  struct TooFew : Halted {
    void estimate(const Imagination&, std::span<const DecisionTask>, std::span<DecisionResult> results) const {
      results[0].clear();
      results[0].returns.resize(2, 1);
    }
  };
  Chain env;
  InductionModel model;
  PolicyIterationOptions options;
  options.decisions.values = TooFew{};
  options.decisions.explorations = {};
  PolicyIteration<Chain, InductionModel> agent(env, model, options);
  agent.begin_episode(2);
  EXPECT_THROW(static_cast<void>(agent.act(2)), Error);
}

}  // namespace
}  // namespace icpi
