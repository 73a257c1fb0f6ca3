// SPDX-License-Identifier: MIT
// With examples chosen by likeness an answer is kept until its examples change, whoever asks and whenever.
#include <gtest/gtest.h>

#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "icpi/core/hash.hpp"
#include "icpi/domains/chain_formatter.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "icpi/policy/several_environments.hpp"
#include "support/random_episodes.hpp"

namespace icpi {
namespace {

/// Copies the answer of an example, which one depends on prompt and seed; keeps what it was asked.
struct CopyingModel {
  [[nodiscard]] static std::string identity() { return "copying"; }
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const CompletionRequest& request = requests[i];
      const std::string prompt = std::string(request.prefix.text) + std::string(request.query);
      asked.emplace(prompt, *request.seed);
      ++count;
      completions[i] = {};
      completions[i].finish = FinishReason::stop;
      if (request.examples.empty()) continue;
      const PromptExample& example =
          request.examples[RandomStream(RandomKey(detail::fnv1a(prompt)).child(*request.seed))
                               .index(request.examples.size())];
      completions[i].text = prompt.substr(example.answer, example.end - example.answer - 1);
    }
  }
  std::set<std::pair<std::string, std::uint64_t>> asked;  ///< prompts and seeds
  std::size_t count = 0;
};

PolicyIterationOptions options_with(double temperature) {
  PolicyIterationOptions options;
  options.prompts.examples = AlikeExamples{};
  options.queries.sampling.temperature = temperature;
  options.decisions.explorations.clear();
  options.decisions.values = Planning{};
  return options;
}

using AlikeAgent = PolicyIteration<Chain, CopyingModel>;

/// Decides once at this state, in an episode of its own; how often the model is asked.
std::size_t calls(AlikeAgent& agent, CopyingModel& model, int state) {
  const std::size_t before = model.count;
  agent.begin_episode(state, EpisodeKind::evaluation);
  static_cast<void>(agent.act(state));
  agent.abandon();
  return model.count - before;
}

class AlikeAnswers : public ::testing::TestWithParam<double> {};

TEST_P(AlikeAnswers, AreKeptOverEpisodesUntilTheirExamplesChange) {
  Chain env;
  CopyingModel model;
  AlikeAgent agent(env, model, options_with(GetParam()));
  for (std::uint64_t seed = 0; seed < 12; ++seed) agent.import(testing::random_episode(env, seed));
  EXPECT_GT(calls(agent, model, 3), 5U);
  EXPECT_EQ(calls(agent, model, 3), 0U);
  const TransitionOf<Chain> known = agent.memory().buffer[0];
  agent.import({known});  // nothing new
  EXPECT_EQ(calls(agent, model, 3), 0U);
  model.asked.clear();
  agent.import({{3, env.actions()[0], 0.25, false, false, 2}});  // a reward never seen before
  EXPECT_GT(calls(agent, model, 3), 0U);
  for (const auto& [prompt, seed] : model.asked) EXPECT_NE(prompt.find("0.25"), std::string::npos) << prompt;
}

TEST_P(AlikeAnswers, AreTheSameWhoeverAsksFirstAndWhatCameFirst) {
  const auto asked = [](bool turned, double temperature) {
    std::vector<Chain> envs(2);
    CopyingModel model;
    AlikeAgent agent(envs[0], model, options_with(temperature));
    for (std::uint64_t seed = 0; seed < 12; ++seed)
      agent.import(testing::random_episode(envs[0], turned ? 11 - seed : seed));
    const std::vector<int> states = turned ? std::vector{5, 2} : std::vector{2, 5};
    std::vector<const int*> observations{&states[0], &states[1]};
    std::vector<Chain::Action> actions(2, envs[0].actions()[0]);
    for (std::size_t i = 0; i < 2; ++i) agent.environment(i).begin_episode(states[i], EpisodeKind::evaluation);
    agent.act(std::vector<std::size_t>{0, 1}, observations, actions);
    if (turned) std::swap(actions[0], actions[1]);
    return std::pair(model.asked, actions);
  };
  const auto one = asked(false, GetParam());
  EXPECT_GT(one.first.size(), 10U);
  EXPECT_EQ(one, asked(true, GetParam()));
}

INSTANTIATE_TEST_SUITE_P(GreedyAndSampled, AlikeAnswers, ::testing::Values(0.0, 1.0));

}  // namespace
}  // namespace icpi
