// SPDX-License-Identifier: MIT
// Where requests say that their examples and their question stand.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/domains/all.hpp"
#include "icpi/models/oracle.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/agent_options.hpp"
#include "support/random_episodes.hpp"

namespace icpi {
namespace {

using icpi_test::PromptMode;

/// Answers as a true model, and shows every request.
template <class Env>
class LookingModel {
 public:
  using Look = std::function<void(const CompletionRequest&)>;
  explicit LookingModel(Look look) : look_(std::move(look)) {}
  [[nodiscard]] std::string identity() const { return "looking"; }
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    for (const CompletionRequest& request : requests) look_(request);
    oracle_.complete(requests, completions);
  }

 private:
  Look look_;
  OracleModel<Env> oracle_;
};

std::string prompt_of(const CompletionRequest& request) {
  return std::string(request.prefix.text) + std::string(request.query);
}

std::string_view part(std::string_view prompt, std::uint32_t begin, std::uint32_t end) {
  return prompt.substr(begin, end - begin);
}

/// Some episodes and decisions of an agent in this mode.
template <class Env, class Formatter = default_formatter_t<Env>>
void decide(PromptMode mode, typename LookingModel<Env>::Look look) {
  Env env;
  LookingModel<Env> model(std::move(look));
  PolicyIterationOptions options = icpi_test::paper_options_with(mode);
  icpi_test::rollouts_of(options).rollouts_per_action = 2;
  icpi_test::rollouts_of(options).step_limit = 3;
  PolicyIteration<Env, LookingModel<Env>, Formatter> agent(env, model, options);
  for (std::uint64_t episode = 0; episode < 6; ++episode) agent.import(testing::random_episode(env, episode));
  TrainingLimits limits;
  limits.episodes = 4;
  limits.episode_steps = 3;
  static_cast<void>(agent.train(env, limits));
}

class ExampleBorders : public ::testing::TestWithParam<PromptMode> {};
INSTANTIATE_TEST_SUITE_P(Modes, ExampleBorders, ::testing::Values(PromptMode::per_query, PromptMode::stable),
                         [](const auto& mode) { return mode.param == PromptMode::stable ? "stable" : "per_query"; });

TEST_P(ExampleBorders, CutWorldPromptsIntoQuestionsAndAnswers) {
  for_each_domain([&]<class Env>(const Env&) {
    std::size_t seen = 0;
    decide<Env>(GetParam(), [&](const CompletionRequest& request) {
      if (request.query.starts_with('\n')) return;
      const std::string prompt = prompt_of(request);
      const std::string_view stop = request.stop[0];
      std::string together;
      for (const PromptExample& each : request.examples) {
        ASSERT_TRUE(each.question < each.answer && each.answer < each.end && each.end <= prompt.size());
        const auto answer = part(prompt, each.answer, each.end);
        EXPECT_EQ(answer.find(stop), answer.size() - stop.size()) << answer;
        together += std::string(part(prompt, each.question, each.end)) + "\n";
      }
      EXPECT_EQ(together, request.prefix.text) << Env::name;
      EXPECT_EQ(request.question, request.prefix.text.size());
      seen += request.examples.size();
    });
    EXPECT_GT(seen, 100U) << Env::name;
  });
}

TEST_P(ExampleBorders, CutPolicyPromptsAtEveryAction) {
  for_each_domain([&]<class Env>(const Env& env) {
    const default_formatter_t<Env> formatter(env);
    std::vector<std::string> actions;
    for (const auto& action : env.actions()) actions.push_back(formatter.action(action));
    std::size_t seen = 0;
    decide<Env>(GetParam(), [&](const CompletionRequest& request) {
      if (!request.query.starts_with('\n')) return;
      const std::string prompt = prompt_of(request);
      std::uint32_t before = 0;
      for (const PromptExample& each : request.examples) {
        ASSERT_TRUE(before <= each.question && each.question < each.answer && each.end <= prompt.size());
        EXPECT_NE(std::find(actions.begin(), actions.end(), part(prompt, each.answer, each.end)), actions.end());
        EXPECT_NE(prompt[each.question], '\n') << "blank lines belong to nobody";
        const auto between = part(prompt, before, each.question);
        EXPECT_TRUE(between.empty() || between.ends_with('\n')) << between;
        before = each.end;
      }
      EXPECT_EQ(request.question, request.prefix.text.size() + 1);
      EXPECT_EQ(request.examples.empty(), request.prefix.text.empty());
      seen += request.examples.size();
    });
    EXPECT_GT(seen, 10U) << Env::name;
  });
}

TEST(ExampleBorders, OfALongerAppendOnlyPromptBeginWithTheShorterOnes) {
  std::map<std::uint64_t, std::vector<PromptExample>> known;
  std::size_t grown = 0;
  decide<MiniCatch>(PromptMode::stable, [&](const CompletionRequest& request) {
    auto& before = known[request.prefix.identity];
    ASSERT_LE(before.size(), request.examples.size());
    EXPECT_TRUE(std::equal(before.begin(), before.end(), request.examples.begin()));
    grown += !before.empty() && before.size() < request.examples.size() ? 1U : 0U;
    before.assign(request.examples.begin(), request.examples.end());
  });
  EXPECT_GT(grown, 5U);
}

/// Writes trajectories in a way of its own.
struct TerseSteps : ChainFormatter {
  using ChainFormatter::ChainFormatter;
  [[nodiscard]] std::string trajectory_step(const TransitionOf<Chain>& transition) const {
    return "then: " + ChainFormatter::trajectory_step(transition);
  }
};

TEST(ExampleBorders, AreNotGuessedInStepsOfAnotherForm) {
  std::size_t seen = 0;
  decide<Chain, TerseSteps>(PromptMode::per_query, [&](const CompletionRequest& request) {
    if (!request.query.starts_with('\n') || request.prefix.text.empty()) return;
    EXPECT_TRUE(request.examples.empty());
    ++seen;
  });
  EXPECT_GT(seen, 0U);
}

}  // namespace
}  // namespace icpi
