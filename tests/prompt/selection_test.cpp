// SPDX-License-Identifier: MIT
// Which examples and trajectories prompts show, by the library's selections and by one of a user.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/domains/chain_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/random_episodes.hpp"

namespace icpi {
namespace {

std::vector<std::size_t> shown(TrajectorySelection selection, const std::vector<double>& returns) {
  std::vector<TrajectorySummary> trajectories;
  for (const double each : returns) trajectories.push_back({1, each});
  std::vector<std::size_t> result;
  selection->select(trajectories, result);
  return result;
}

TEST(TrajectorySelections, ShowTheLastOrTheLastAboveAReturn) {
  using Places = std::vector<std::size_t>;
  EXPECT_EQ(shown(LastTrajectories{2}, {1, 2, 3}), (Places{1, 2}));
  EXPECT_EQ(shown(LastTrajectories{8}, {1, 2, 3}), (Places{0, 1, 2}));
  EXPECT_EQ(shown(LastTrajectories{}, {}), Places{});
  EXPECT_EQ(shown(TrajectoriesAboveReturn{.threshold = 1, .recency = 2}, {5, 2, 1, 7, 0}), (Places{1, 3}));
  EXPECT_EQ(shown(TrajectoriesAboveReturn{.threshold = 9}, {5, 2}), Places{});
  EXPECT_EQ(TrajectorySelection(LastTrajectories{}).description(), "last_trajectories(recency=8)");
  EXPECT_THROW(TrajectorySelection(LastTrajectories{0})->check(), InvalidArgument);
  EXPECT_THROW(TrajectorySelection(TrajectoriesAboveReturn{.recency = 0})->check(), InvalidArgument);
}

TEST(ExampleSelections, SayWhatTheyAre) {
  EXPECT_EQ(ExampleSelection(BalancedExamples{}).description(), "balanced(balance=true)");
  EXPECT_EQ(ExampleSelection(AppendOnlyExamples{}).description(),
            "append_only(balance=true, rebuild_fraction=0.5, policy_prompts=4)");
  EXPECT_THROW(ExampleSelection(AppendOnlyExamples{.rebuild_fraction = 1})->check(), InvalidArgument);
  EXPECT_THROW(ExampleSelection(AppendOnlyExamples{.policy_prompts = 0})->check(), InvalidArgument);
  EXPECT_EQ(ExampleSelection(AlikeExamples{}).description(), "alike(count=6, stem_tokens=0, policy_prompts=4)");
  for (const AlikeExamples& refused :
       {AlikeExamples{.count = 0}, AlikeExamples{.count = 1001}, AlikeExamples{.policy_prompts = 0}})
    EXPECT_THROW(ExampleSelection(refused)->check(), InvalidArgument);
}

/// Shows the first examples as a prefix and the last one with the question; may break its laws.
struct FirstAndLast {
  std::size_t first = 2;
  std::size_t beyond = 0;  ///< added to the last place

  [[nodiscard]] std::string description() const { return "first_and_last"; }
  void select(const ExampleQuery& query, std::span<const ExampleCandidate> candidates, RandomStream&,
              ExampleChoice& choice) const {
    EXPECT_NE(query.kind, QueryKind::action);
    for (const auto& each : candidates) {
      EXPECT_TRUE(each.text.starts_with(each.question));
      EXPECT_EQ(each.text.substr(each.text.size() - 2), "\n\n");
    }
    for (std::size_t i = 0; i < std::min(first, candidates.size()); ++i) choice.prefix.push_back(i);
    if (!candidates.empty()) choice.query.push_back(candidates.size() - 1 + beyond);
  }
};

class OwnSelection : public ::testing::Test {
 protected:
  using Agent = PolicyIteration<Chain, InductionModel>;

  /// Decides once, and keeps what was asked about the world.
  void decide(ExampleSelection selection, std::size_t context_tokens = 3800) {
    PolicyIterationOptions options;
    options.prompts.examples = std::move(selection);
    options.prompts.context_tokens = context_tokens;
    Agent agent(env, model, options);
    for (std::uint64_t seed = 0; seed < 12; ++seed) agent.import(testing::random_episode(env, seed));
    agent.model().observe_queries([this](const QueryRecord& record) {
      if (record.question.kind != QueryKind::action)
        asked.push_back({std::string(record.prefix), std::string(record.query)});
    });
    agent.begin_episode(2, EpisodeKind::evaluation);
    static_cast<void>(agent.act(2));
  }

  static std::size_t examples(const std::string& text) {
    std::size_t count = 0;
    for (auto at = text.find("\n\n"); at != std::string::npos; at = text.find("\n\n", at + 1)) ++count;
    return count;
  }

  struct Asked {
    std::string prefix;
    std::string query;
  };
  Chain env;
  InductionModel model;
  std::vector<Asked> asked;
};

TEST_F(OwnSelection, SaysWhatStandsInThePrefixAndWhatBeforeTheQuestion) {
  decide(FirstAndLast{});
  ASSERT_GT(asked.size(), 10U);
  for (const auto& each : asked) {
    EXPECT_LE(examples(each.prefix), 2U);
    EXPECT_LE(examples(each.query), 1U);
    EXPECT_TRUE(each.query.ends_with("\n"));
  }
}

TEST_F(OwnSelection, ThatBreaksItsLawsIsNamed) {
  const auto message = [this](FirstAndLast selection, std::size_t context_tokens) -> std::string {
    try {
      decide(selection, context_tokens);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_NE(message({.beyond = 1000}, 3800).find("first_and_last chose example 1"), std::string::npos);
  EXPECT_NE(message({.first = 1000}, 200).find("first_and_last chose examples of "), std::string::npos);
}

}  // namespace
}  // namespace icpi
