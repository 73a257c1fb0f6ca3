// SPDX-License-Identifier: MIT
// Agents that allow known answers alone, and models that can and cannot be told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/domains/all.hpp"
#include "icpi/models/oracle.hpp"
#include "icpi/models/recording.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/random_episodes.hpp"

namespace icpi {
namespace {

using ::testing::HasSubstr;

/// Answers as a true model, or with a number that nobody knows; knows only at run time whether it takes choices.
class ToldModel {
 public:
  explicit ToldModel(bool told, bool obeys = true) : told_(told), obeys_(obeys) {}
  [[nodiscard]] std::string identity() const { return "the told model"; }
  [[nodiscard]] Capabilities capabilities() const {
    Capabilities can;
    can.constrains_choices = told_;
    return can;
  }
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    std::vector<CompletionRequest> plain(requests.begin(), requests.end());
    for (CompletionRequest& request : plain) {
      with_choices += request.choices.empty() ? 0 : 1;
      request.choices = {};
    }
    oracle_.complete(plain, completions);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const bool reward = completions[i].text.find("reward") != std::string::npos;
      if (!obeys_ && reward && !requests[i].choices.empty()) completions[i].text = "assert reward == 77";
      ignored += !obeys_ && reward && !requests[i].choices.empty() ? 1 : 0;
    }
  }

  std::size_t with_choices = 0;
  std::size_t ignored = 0;

 private:
  bool told_;
  bool obeys_;
  OracleModel<Chain> oracle_;
};

/// The costs of some decisions that allow known answers alone.
template <class Model>
Costs decide(Model& model) {
  Chain env;
  PolicyIterationOptions options = paper_options();
  options.queries.restrict_answers = true;
  PolicyIteration<Chain, Model> agent(env, model, options);
  for (std::uint64_t episode = 0; episode < 10; ++episode) agent.import(testing::random_episode(env, episode));
  const auto start = env.reset(1);
  agent.begin_episode(start, EpisodeKind::evaluation);
  static_cast<void>(agent.act(start));
  return agent.decision().costs;
}

TEST(RestrictedAnswers, ReachAModelThatTakesThemAtRunTime) {
  ToldModel model(true);
  EXPECT_EQ(decide(model).invalid, 0U);
  EXPECT_GT(model.with_choices, 0U);
}

TEST(RestrictedAnswers, AreReplayedFromARecordingOfThem) {
  const std::string file = ::testing::TempDir() + "/restricted_answers.jsonl";
  std::filesystem::remove(file);
  Costs recorded;
  {
    RecordingModel<ToldModel> model(ToldModel(true), file);
    recorded = decide(model);
  }
  ReplayingModel replay(file);
  EXPECT_EQ(decide(replay), recorded);
  EXPECT_GT(recorded.lm_calls, 0U);
  EXPECT_EQ(recorded.failures, 0U);
  std::filesystem::remove(file);
}

TEST(RestrictedAnswers, AreRefusedAtTheStartWhereTheyCannotBeHad) {
  ToldModel model(false);
  try {
    static_cast<void>(decide(model));
    ADD_FAILURE() << "it would answer as it likes";
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(), HasSubstr("'the told model'"));
    EXPECT_THAT(error.what(), HasSubstr("restrict_answers"));
  }
}

TEST(RestrictedAnswers, ThatAreIgnoredAreInvalidPredictionsAndNoFailures) {
  ToldModel model(true, false);
  const Costs costs = decide(model);
  EXPECT_GT(model.ignored, 0U);
  EXPECT_EQ(costs.invalid, model.ignored);
  EXPECT_EQ(costs.failures, 0U);
}

}  // namespace
}  // namespace icpi
