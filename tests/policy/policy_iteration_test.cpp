// SPDX-License-Identifier: MIT
#include "icpi/policy/policy_iteration.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <stdexcept>
#include <tuple>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/domains/mini_catch_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "support/random_episodes.hpp"
#include "support/shuffled_language_model.hpp"

namespace icpi {
namespace {

using ChainAgent = PolicyIteration<Chain, InductionModel>;
static_assert(Agent<ChainAgent, Chain>);
static_assert(AsynchronousLanguageModel<testing::ShuffledLanguageModel<InductionModel>>);

/// What an agent did and imagined, to be compared bit for bit.
struct History {
  std::vector<std::size_t> actions;
  std::vector<double> returns;

  template <class Agent>
  void add(const Agent& agent) {
    const auto& decision = agent.decision();
    actions.push_back(decision.action);
    returns.insert(returns.end(), decision.returns.data(), decision.returns.data() + decision.returns.size());
  }
  friend bool operator==(const History&, const History&) = default;
};

template <class Env, class LM>
History play(LM& model, const PolicyIterationOptions& options, std::size_t steps) {
  Env env;
  PolicyIteration<Env, LM> agent(env, model, options);
  History history;
  agent.callbacks().on_decision = [&](const Decision&) { history.add(agent); };
  agent.train(env, {.steps = steps});
  return history;
}

PolicyIterationOptions options_with(PromptMode mode, std::uint64_t seed = 4) {
  PolicyIterationOptions options;
  options.seed = seed;
  options.prompts.mode = mode;
  options.prompts.context_tokens = 1200;
  options.decisions.warm_up.successes = 1;
  options.decisions.rollouts.rollouts_per_action = 2;
  return options;
}

class EveryMode : public ::testing::TestWithParam<PromptMode> {};
INSTANTIATE_TEST_SUITE_P(PromptModes, EveryMode, ::testing::Values(PromptMode::per_query, PromptMode::stable),
                         [](const auto& mode) { return mode.param == PromptMode::stable ? "stable" : "per_query"; });

TEST_P(EveryMode, ThreadsSpeculationOrderAndConcurrencyDoNotMatter) {
  auto options = options_with(GetParam());
  InductionModel model;
  const auto expected = play<MiniCatch>(model, options, 25);
  EXPECT_GT(expected.returns.size(), 50U);
  InductionModel threaded({.threads = 3});
  options.queries.threads = 3;
  EXPECT_EQ(play<MiniCatch>(threaded, options, 25), expected);
  options.decisions.rollouts.speculate = true;
  EXPECT_EQ(play<MiniCatch>(model, options, 25), expected);
  for (const std::size_t concurrency : {1U, 3U, 100U}) {
    for (const bool prime : {false, true}) {
      options.decisions.rollouts.speculate = concurrency == 3;
      options.queries.prime_prefixes = prime;
      testing::ShuffledLanguageModel<InductionModel> shuffled(InductionModel{}, concurrency, 9 + concurrency);
      EXPECT_EQ(play<MiniCatch>(shuffled, options, 25), expected) << concurrency << " at a time, primed: " << prime;
    }
  }
}

TEST_P(EveryMode, DeduplicationSavesCallsAndChangesNothing) {
  auto options = options_with(GetParam());
  Chain env;
  InductionModel model;
  ChainAgent with(env, model, options);
  options.queries.deduplicate = false;
  ChainAgent without(env, model, options);
  History first, second;
  with.callbacks().on_decision = [&](const Decision&) { first.add(with); };
  without.callbacks().on_decision = [&](const Decision&) { second.add(without); };
  with.train(env, {.steps = 40});
  without.train(env, {.steps = 40});
  EXPECT_EQ(first, second);
  EXPECT_EQ(with.costs().lm_calls + with.costs().deduplicated, without.costs().lm_calls);
  EXPECT_EQ(with.costs().deduplicated > 0, GetParam() == PromptMode::stable);
}

TEST_P(EveryMode, AgentsThatDecideTogetherDecideAsIfAlone) {
  constexpr std::size_t count = 5;
  for (const auto rule : {ActionRule::rollouts, ActionRule::planning}) {
    InductionModel model;
    std::vector<std::unique_ptr<ChainAgent>> alone, together;
    std::vector<Chain> alone_envs(count), together_envs(count);
    for (std::size_t i = 0; i < count; ++i) {
      auto options = options_with(GetParam(), i);
      options.decisions.rule = rule;
      for (auto* agents : {&alone, &together}) {
        agents->push_back(std::make_unique<ChainAgent>(alone_envs[i], model, options));
        for (std::uint64_t seed = 0; seed < 6; ++seed) {
          agents->back()->import(testing::random_episode(alone_envs[i], 10 * i + seed));
        }
      }
    }
    std::vector<Chain::Observation> observations;
    std::vector<ChainAgent::Base*> agents;
    for (std::size_t i = 0; i < count; ++i) {
      observations.push_back(alone_envs[i].reset(i));
      alone[i]->begin_episode(observations[i]);
      together[i]->begin_episode(observations[i]);
      agents.push_back(together[i].get());
    }
    std::vector<const Chain::Observation*> views;
    for (const auto& observation : observations) views.push_back(&observation);
    std::vector<Chain::Action> actions(count, Chain().actions()[0]);
    ChainAgent::act_together(agents, views, actions);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(alone[i]->act(observations[i]), actions[i]);
      EXPECT_TRUE((alone[i]->decision().returns == together[i]->decision().returns).all());
      EXPECT_EQ(alone[i]->decision().costs.lm_calls, together[i]->decision().costs.lm_calls);
    }
  }
}

TEST(PolicyIteration, CountsThreeRoundsForEverySimulatedStep) {
  auto options = options_with(PromptMode::stable);
  options.decisions.warm_up = {.successes = 0, .slope = 2, .abrupt = true};
  Chain env;
  InductionModel model;
  ChainAgent agent(env, model, options);
  std::size_t decisions = 0;
  agent.callbacks().on_decision = [&](const Decision& decision) {
    if (!decision.by_model) return;
    ++decisions;
    std::size_t longest = 0;
    for (const auto& rollout : agent.rollouts()) longest = std::max(longest, rollout.steps().size());
    EXPECT_LE(decision.costs.rounds, 3 * longest - 1 + decision.costs.retries);
    EXPECT_GE(decision.costs.rounds, 3 * longest - 1);
  };
  agent.train(env, {.steps = 60});
  EXPECT_GT(decisions, 20U);
}

TEST(PolicyIteration, EvaluationLearnsNothing) {
  auto options = options_with(PromptMode::stable);
  Chain env;
  InductionModel model;
  ChainAgent agent(env, model, options);
  agent.train(env, {.episodes = 10});
  const auto before = agent.lane().buffer.size();
  bool random = false;
  agent.callbacks().on_decision = [&](const Decision& decision) { random = random || !decision.by_model; };
  for (int episode = 0; episode < 5; ++episode) static_cast<void>(agent.evaluate(env));
  EXPECT_EQ(agent.lane().buffer.size(), before);
  EXPECT_FALSE(random);
}

TEST(PolicyIteration, WarmUpFollowsThePapersFormula) {
  const WarmUp paper;
  EXPECT_NEAR(paper.probability(0), 1 / (1 + std::exp(6.0)), 1e-15);
  EXPECT_NEAR(paper.probability(3), 0.5, 1e-15);
  EXPECT_NEAR(paper.probability(8), 1 / (1 + std::exp(-10.0)), 1e-15);
  EXPECT_EQ((WarmUp{.successes = 3, .slope = 2, .abrupt = true}).probability(2), 0);
  // How often the model decides in the fourth episode, when three trajectories are there.
  InductionModel model;
  int by_model = 0;
  int ready = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Chain env;
    ChainAgent agent(env, model, {.seed = seed});
    for (std::uint64_t episode = 0; episode < 3; ++episode) {
      agent.import(testing::random_episode(env, 3 * seed + episode));
    }
    if (!agent.lane().ready()) continue;
    const auto observation = env.reset(seed);
    agent.begin_episode(observation);
    static_cast<void>(agent.act(observation));
    ++ready;
    by_model += agent.decision().by_model ? 1 : 0;
  }
  EXPECT_GT(ready, 100);
  EXPECT_NEAR(by_model, 0.5 * ready, 5 * 0.5 * std::sqrt(ready));
}

TEST(PolicyIteration, OnlineStepsCountAtOnceAndAnAbandonedEpisodeIsKept) {
  auto options = options_with(PromptMode::stable);
  options.decisions.online = true;
  Chain env;
  InductionModel model;
  ChainAgent agent(env, model, options);
  const auto observation = env.reset(1);
  agent.begin_episode(observation);
  const auto step = env.step(agent.act(observation));
  agent.observe(step);
  EXPECT_EQ(agent.lane().buffer.size(), 1U);
  agent.begin_episode(env.reset(2));
  EXPECT_EQ(agent.lane().buffer.trajectory_count(), 1U);
}

TEST(PolicyIteration, RefusesWhatItCannotUse) {
  Chain env;
  InductionModel model;
  const auto message = [&](auto&& change) -> std::string {
    PolicyIterationOptions options;
    change(options);
    try {
      ChainAgent agent(env, model, options);
    } catch (const InvalidArgument& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message([](auto& o) { o.queries.sampling.temperature = -1; }), "temperature is -1; allowed: 0 or more");
  EXPECT_EQ(message([](auto& o) { o.decisions.rollouts.step_limit = 0; }), "step_limit is 0; allowed: at least 1");
  EXPECT_EQ(message([](auto& o) { o.prompts.recency = 0; }), "recency is 0; allowed: at least 1");
  EXPECT_EQ(message([](auto&) {}), "");
  ChainAgent agent(env, model);
  EXPECT_THROW(agent.observe({}), InvalidArgument);
  EXPECT_THROW(static_cast<void>(agent.act({})), InvalidArgument);
  const auto observation = env.reset(1);
  agent.begin_episode(observation);
  static_cast<void>(agent.act(observation));
  EXPECT_THROW(agent.observe({observation, std::numeric_limits<double>::quiet_NaN(), false, false}), InvalidArgument);
  EXPECT_NO_THROW(agent.observe(env.step(env.actions()[0])));
}

/// Both directions read the same.
struct AmbiguousFormatter : ChainFormatter {
  using ChainFormatter::ChainFormatter;
  [[nodiscard]] std::string action(Chain::Action) const { return "move()\n"; }
};

TEST(PolicyIteration, RefusesAFormatterWhoseActionsAreAmbiguous) {
  Chain env;
  InductionModel model;
  try {
    PolicyIteration<Chain, InductionModel, AmbiguousFormatter> agent(env, model, {}, AmbiguousFormatter(env));
    FAIL() << "accepted";
  } catch (const InvalidArgument& error) {
    EXPECT_STREQ(error.what(), "formatter: actions 0 and 1 have the same text \"move()\"; texts must differ");
  }
}

/// A model that fails every item of a kind of request now and then.
struct FailingModel {
  InductionModel model;
  int calls = 0;
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    model.complete(requests, completions);
    for (auto& completion : completions) {
      if (++calls % 3 == 0) completion.error = {ErrorCategory::transport, "connection lost", 0};
    }
  }
  [[nodiscard]] std::string identity() const { return "failing"; }
};

TEST(PolicyIteration, CountsFailuresApartFromInvalidPredictions) {
  FailingModel model;
  Chain env;
  auto options = options_with(PromptMode::per_query);
  PolicyIteration<Chain, FailingModel> agent(env, model, options);
  agent.train(env, {.steps = 40});
  EXPECT_GT(agent.costs().failures, 10U);
  EXPECT_EQ(agent.costs().failures, static_cast<std::uint64_t>(model.calls / 3));
  EXPECT_GT(agent.costs().retries, 0U);
  EXPECT_EQ(agent.costs().invalid, 0U);
}

TEST(PolicyIteration, TheRolloutPolicyRuleAsksOneQuestionADecision) {
  Chain env;
  InductionModel model;
  PolicyIterationOptions options;
  options.decisions.rule = ActionRule::rollout_policy;
  options.decisions.warm_up = {.successes = 3, .slope = 2, .abrupt = true};
  options.prompts.success_threshold = 0;
  ChainAgent agent(env, model, options);
  std::size_t asked = 0;
  agent.callbacks().on_decision = [&](const Decision& decision) {
    asked += decision.by_model ? 1 : 0;
    EXPECT_EQ(decision.values.size(), 0);
    EXPECT_TRUE(decision.by_model || agent.lane().trajectories() < 3);
  };
  agent.train(env, {.steps = 300});
  EXPECT_GT(asked, 10U);
  EXPECT_EQ(agent.costs().lm_calls, asked + agent.costs().retries);
}

/// Throws at a given batch, else answers.
struct ThrowingModel {
  InductionModel model;
  int batches_left = 1000000;
  std::size_t items = 0;
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    if (batches_left-- == 0) throw std::runtime_error("gone");
    model.complete(requests, completions);
    items += requests.size();
  }
  [[nodiscard]] std::string identity() const { return "throwing"; }
};

TEST(PolicyIteration, ADecisionThatThrewLeavesNothingBehind) {
  for (const auto mode : {PromptMode::per_query, PromptMode::stable}) {
    auto options = options_with(mode);
    options.queries.sampling.temperature = 0;
    options.decisions.warm_up = {.successes = 0, .slope = 2, .abrupt = true};
    Chain env;
    ThrowingModel undisturbed, disturbed;
    PolicyIteration<Chain, ThrowingModel> expected(env, undisturbed, options), agent(env, disturbed, options);
    for (auto* each : {&expected, &agent}) {
      for (std::uint64_t seed = 0; seed < 6; ++seed) each->import(testing::random_episode(env, seed));
      each->begin_episode(Chain::Observation{3});
    }
    disturbed.batches_left = 1;
    EXPECT_THROW(static_cast<void>(agent.act({3})), std::runtime_error);
    EXPECT_THROW(agent.observe(env.step(env.actions()[0])), InvalidArgument);
    EXPECT_EQ(agent.act({3}), expected.act({3}));
    EXPECT_TRUE((agent.decision().returns == expected.decision().returns).all());
  }
}

/// Fails every item in the same way.
struct RefusingModel {
  ErrorCategory category = ErrorCategory::authentication;
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      completions[i] = {};
      completions[i].error = {category, "refused", 0};
    }
  }
  [[nodiscard]] std::string identity() const { return "refusing"; }
};

TEST(PolicyIteration, AsksAgainOnlyWhenThatCanHelp) {
  for (const auto category : {ErrorCategory::authentication, ErrorCategory::transport}) {
    RefusingModel model{category};
    Chain env;
    PolicyIteration<Chain, RefusingModel> agent(env, model, options_with(PromptMode::per_query));
    agent.train(env, {.steps = 60});
    EXPECT_GT(agent.costs().failures, 0U);
    EXPECT_EQ(agent.costs().retries > 0, category == ErrorCategory::transport);
  }
}

TEST(PolicyIteration, ActsOnHugeRewards) {
  Chain env;
  InductionModel model;
  auto options = options_with(PromptMode::stable);
  options.decisions.warm_up = {.successes = 0, .slope = 2, .abrupt = true};
  options.decisions.rollouts.rollouts_per_action = 4;
  options.queries.sampling.temperature = 1;
  ChainAgent agent(env, model, options);
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    auto trajectory = testing::random_episode(env, seed);
    for (std::size_t i = 0; i < trajectory.size(); ++i) trajectory[i].reward = i % 2 == 0 ? 1e308 : -1e308;
    agent.import(trajectory);
  }
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto observation = env.reset(seed);
    agent.begin_episode(observation);
    static_cast<void>(agent.act(observation));
    EXPECT_LT(agent.decision().action, 3U);
  }
}

}  // namespace
}  // namespace icpi
