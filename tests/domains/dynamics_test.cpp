// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "icpi/domains/all.hpp"
#include "icpi/domains/solver.hpp"
#include "support/domain_table.hpp"

namespace icpi::test {
namespace {

template <class Env>
class Dynamics : public testing::Test {
 protected:
  using Observation = typename Env::Observation;

  static bool matches(const std::string& expected, const Observation& seen) {
    const std::string text = table_text(seen);
    if (expected.back() != '*') return text == expected;
    return text.substr(0, expected.size() - 1) == expected.substr(0, expected.size() - 1);
  }

  Env env_;
  DomainTable table_ = read_domain_table(Env::name);
};

using Domains = testing::Types<Chain, DistractorChain, Maze, MiniCatch, MiniInvaders, PointMass>;
TYPED_TEST_SUITE(Dynamics, Domains);

TYPED_TEST(Dynamics, EveryTransitionIsTheTables) {
  const auto names = table_actions<TypeParam>();
  ASSERT_EQ(names.size(), this->env_.actions().size());
  ASSERT_GT(this->table_.steps.size(), 0U);
  for (const TableStep& expected : this->table_.steps) {
    const auto state = table_state<typename TypeParam::Observation>(expected.state);
    ASSERT_EQ(table_text(state), expected.state);
    const auto index = std::find(names.begin(), names.end(), expected.action) - names.begin();
    const auto action = this->env_.actions().at(static_cast<std::size_t>(index));

    const auto outcomes = this->env_.outcomes(state, action);
    ASSERT_EQ(outcomes.size(), expected.next.back() == '*' ? 8U : 1U);
    std::set<std::string> following;
    for (const auto& [probability, step] : outcomes) {
      EXPECT_DOUBLE_EQ(probability, 1.0 / static_cast<double>(outcomes.size()));
      EXPECT_TRUE(this->matches(expected.next, step.observation)) << expected.state << " " << expected.action;
      EXPECT_EQ(step.reward, expected.reward) << expected.state << " " << expected.action;
      EXPECT_EQ(step.terminated, expected.terminated) << expected.state << " " << expected.action;
      EXPECT_FALSE(step.truncated);
      following.insert(table_text(step.observation));
    }
    EXPECT_EQ(following.size(), outcomes.size());

    this->env_.set_state(state, 7);
    const auto step = this->env_.step(action);
    EXPECT_TRUE(following.count(table_text(step.observation)));
    EXPECT_EQ(step.reward, expected.reward);
    EXPECT_EQ(step.terminated, expected.terminated);
  }
}

TYPED_TEST(Dynamics, OptimalReturnsAreTheTables) {
  Solver solver(this->env_, this->env_.facts().evaluation_discount);
  for (const TableStart& start : this->table_.starts) {
    const auto state = table_state<typename TypeParam::Observation>(start.state);
    EXPECT_NEAR(solver.optimal_return(state), start.optimal_return, 1e-14) << start.state;
    EXPECT_EQ(optimal_return(this->env_, state, this->env_.facts().evaluation_discount), solver.optimal_return(state));
  }
}

template <class Env>
class FiniteStarts : public Dynamics<Env> {};

using FiniteDomains = testing::Types<Chain, DistractorChain, Maze, MiniCatch, MiniInvaders>;
TYPED_TEST_SUITE(FiniteStarts, FiniteDomains);

TYPED_TEST(FiniteStarts, AreDistributedAsTheTables) {
  constexpr int draws = 40000;
  std::map<std::string, int> counts;
  for (std::uint64_t seed = 0; seed < draws; ++seed) ++counts[table_text(this->env_.reset(seed))];
  EXPECT_EQ(counts.size(), this->table_.starts.size());
  double total = 0;
  for (const TableStart& start : this->table_.starts) {
    total += start.probability;
    const double expected = start.probability * draws;
    EXPECT_NEAR(counts[start.state], expected, 5 * std::sqrt(expected)) << start.state;
  }
  EXPECT_NEAR(total, 1, 1e-12);
}

TYPED_TEST(Dynamics, TheOptimalActionsEarnTheOptimalReturn) {
  const double discount = this->env_.facts().evaluation_discount;
  Solver solver(this->env_, discount);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    auto seen = this->env_.reset(seed);
    const double expected = solver.optimal_return(seen);
    double earned = 0;
    double weight = 1;
    for (int taken = 0;; ++taken, weight *= discount) {
      const auto step = this->env_.step(solver.optimal_action(seen, taken));
      earned += weight * step.reward;
      if (step.terminated || step.truncated) break;
      seen = step.observation;
    }
    EXPECT_NEAR(earned, expected, 1e-12) << "seed " << seed;
  }
}

TYPED_TEST(Dynamics, EpisodesEndAsTheLimitSays) {
  const int limit = this->env_.time_limit();
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    this->env_.reset(seed);
    RandomStream stream(RandomKey(seed).child(99));
    int steps = 0;
    for (bool ended = false; !ended; ++steps) {
      ASSERT_LT(steps, 20);
      const auto& actions = this->env_.actions();
      const auto step = this->env_.step(actions[stream.index(actions.size())]);
      ended = step.terminated || step.truncated;
      EXPECT_EQ(step.truncated, !step.terminated && steps + 1 == limit);
    }
    EXPECT_THROW(this->env_.step(this->env_.actions()[0]), InvalidArgument);
  }
}

TYPED_TEST(Dynamics, ACopyIsAnEpisodeOfItsOwn) {
  auto start = this->env_.reset(11);
  TypeParam copy = this->env_;
  const auto action = this->env_.actions()[0];
  const auto first = this->env_.step(action);
  EXPECT_EQ(copy.step(action), first);
  EXPECT_EQ(this->env_.reset(11), start);
}

double closed_form(int state) { return std::pow(0.8, std::abs(state - 4)); }

TEST(OptimalReturns, AreThePapersClosedForms) {
  Solver chain(Chain{}, 0.8);
  Solver distractor(DistractorChain{}, 0.8);
  for (int state = 0; state < 8; ++state) {
    EXPECT_NEAR(chain.optimal_return(state), closed_form(state), 1e-14);
    for (int d = 0; d < 8; ++d) EXPECT_NEAR(distractor.optimal_return({state, d}), closed_form(state), 1e-14);
  }
  PointMass mass;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const auto start = mass.reset(seed);
    const double steps = 2 * std::ceil(std::sqrt(std::abs(start.position) - 2));
    EXPECT_NEAR(optimal_return(mass, start, 0.8), std::pow(0.8, steps), 1e-14) << start.position;
  }
}

TEST(PointMassStarts, AreUniformOnBothSidesAndAtRest) {
  PointMass mass;
  constexpr int draws = 40000;
  std::map<int, int> counts;
  for (std::uint64_t seed = 0; seed < draws; ++seed) {
    const auto start = mass.reset(seed);
    ASSERT_EQ(start.velocity, 0);
    ASSERT_GT(std::abs(start.position), 2);
    ASSERT_LT(std::abs(start.position), 6);
    ++counts[static_cast<int>(std::floor(start.position * 2))];  // half-open intervals of length 0.5
  }
  EXPECT_EQ(counts.size(), 16U);
  for (const auto& [bin, count] : counts) EXPECT_NEAR(count, draws / 16.0, 5 * std::sqrt(draws / 16.0)) << bin;
}

TEST(Facts, AreThePapers) {
  std::map<std::string_view, DomainFacts> facts;
  for_each_domain([&](const auto& env) { facts[env.facts().name] = env.facts(); });
  EXPECT_EQ(facts.size(), 6U);
  const auto expected = [](std::string_view name, int horizon, int rollout_limit, double discount, double scale) {
    return DomainFacts{name, horizon, rollout_limit, discount, scale, scale == 2 ? 1.0 : 0.0};
  };
  EXPECT_EQ(facts["chain"], expected("chain", 80, 6, 0.8, 1));
  EXPECT_EQ(facts["distractor-chain"], expected("distractor-chain", 120, 6, 0.8, 1));
  EXPECT_EQ(facts["maze"], expected("maze", 140, 6, 0.8, 1));
  EXPECT_EQ(facts["mini-catch"], expected("mini-catch", 280, 5, 1, 1));
  EXPECT_EQ(facts["mini-invaders"], expected("mini-invaders", 175, 8, 1, 2));
  EXPECT_EQ(facts["point-mass"], expected("point-mass", 240, 8, 0.8, 1));
  EXPECT_EQ(MiniCatch{}.discount(), 1);
  EXPECT_EQ(MiniInvaders{}.discount(), 0.8);
  EXPECT_EQ(Chain{}.time_limit(), 8);
  EXPECT_EQ(MiniInvaders{}.time_limit(), 0);
}

TEST(VisitDomain, FindsEveryNameAndNamesThemOtherwise) {
  for (const std::string_view name : domain_names)
    EXPECT_EQ(visit_domain(name, [](const auto& env) { return env.facts().name; }), name);
  try {
    visit_domain("chane", [](const auto&) {});
    FAIL() << "an unknown name was accepted";
  } catch (const InvalidArgument& error) {
    EXPECT_STREQ(error.what(),
                 "unknown domain 'chane': choose one of chain, distractor-chain, maze, mini-catch, mini-invaders, "
                 "point-mass");
  }
}

}  // namespace
}  // namespace icpi::test
