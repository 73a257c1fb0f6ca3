// SPDX-License-Identifier: MIT
#include "icpi/policy/several_environments.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/domains/mini_catch_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "icpi/prompt/prompt_state.hpp"
#include "support/agent_options.hpp"
#include "support/logged_world.hpp"
#include "support/shuffled_language_model.hpp"

namespace icpi {
namespace {

constexpr std::size_t count = 8;

/// What happened in each environment, to be compared bit for bit.
struct Record {
  std::vector<std::size_t> actions;
  std::vector<double> values;
  friend bool operator==(const Record&, const Record&) = default;
};
using Records = std::vector<Record>;

void add(Record& record, const Decision& decision) {
  record.actions.push_back(decision.action);
  record.values.insert(record.values.end(), decision.values.begin(), decision.values.end());
}

struct Mode {
  icpi_test::PromptMode prompts = icpi_test::PromptMode::stable;
  double temperature = 0;
  bool within_episode = false;
};

PolicyIterationOptions options_with(const Mode& mode) {
  PolicyIterationOptions options = paper_options();
  options.seed = 3;
  options.prompts.examples = icpi_test::examples_of(mode.prompts);
  options.prompts.context_tokens = 500;
  options.queries.sampling.temperature = mode.temperature;
  options.decisions.update_within_episode = mode.within_episode;
  options.decisions.explorations = {WarmUp{.successes = 1}};
  icpi_test::rollouts_of(options).rollouts_per_action = 2;
  icpi_test::rollouts_of(options).step_limit = 3;
  return options;
}

/// How a round goes about what it does.
enum class Way { in_order, permuted, in_two_parts };

/// Plays the open loop; `way` must not matter.
template <class LM>
Records play(LM& model, const PolicyIterationOptions& options, Way way, std::size_t rounds = 11) {
  using Agent = PolicyIteration<MiniCatch, LM>;
  std::vector<MiniCatch> envs(count);
  Agent agent(envs[0], model, options);
  Records records(count);
  std::vector<MiniCatch::Observation> seen;
  std::vector<bool> over(count, false);
  for (std::size_t i = 0; i < count; ++i) {
    auto& place = agent.environment(i);
    place.callbacks().on_decision = [&records, i](const Decision& decision) { add(records[i], decision); };
    seen.push_back(envs[i].reset(agent.environment_key(i).child(0).seed()));
    place.begin_episode(seen[i]);
  }
  RandomStream shuffling{RandomKey(99)};
  for (std::size_t round = 0; round < rounds; ++round) {
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (way != Way::in_order) shuffling.shuffle(std::span(order));
    const std::size_t first = way == Way::in_two_parts ? 1 + round % (count - 1) : count;
    std::vector<MiniCatch::Action> actions(count, agent.actions()[0]);
    std::vector<const MiniCatch::Observation*> observations;
    for (const std::size_t i : order) observations.push_back(&seen[i]);
    const std::span<const std::size_t> numbers(order);
    const std::span<const MiniCatch::Observation* const> places(observations);
    agent.act(numbers.first(first), places.first(first), std::span(actions).first(first));
    if (first < count) agent.act(numbers.subspan(first), places.subspan(first), std::span(actions).subspan(first));
    std::vector<Step<MiniCatch::Observation>> steps;
    for (std::size_t k = 0; k < count; ++k) steps.push_back(envs[order[k]].step(actions[k]));
    agent.observe(order, steps);
    for (std::size_t k = 0; k < count; ++k) {
      seen[order[k]] = steps[k].observation;
      over[order[k]] = steps[k].terminated || steps[k].truncated;
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (!over[i]) continue;
      auto& place = agent.environment(i);
      seen[i] = envs[i].reset(agent.environment_key(i).child(place.episodes()).seed());
      place.begin_episode(seen[i]);
    }
  }
  return records;
}

class EightEnvironments : public ::testing::TestWithParam<Mode> {};
INSTANTIATE_TEST_SUITE_P(
    Modes, EightEnvironments,
    ::testing::Values(Mode{icpi_test::PromptMode::stable, 0}, Mode{icpi_test::PromptMode::stable, .1},
                      Mode{icpi_test::PromptMode::stable, .1, true}, Mode{icpi_test::PromptMode::per_query, 0},
                      Mode{icpi_test::PromptMode::per_query, .1}),
    [](const auto& mode) {
      return std::string(mode.param.prompts == icpi_test::PromptMode::stable ? "stable" : "per_query") +
             (mode.param.temperature > 0 ? "_sampled" : "_greedy") + (mode.param.within_episode ? "_online" : "");
    });

TEST_P(EightEnvironments, OrderCompanyThreadsSplitsAndCompletionDoNotMatter) {
  const auto options = options_with(GetParam());
  InductionModel model;
  const Records expected = play(model, options, Way::in_order);
  std::size_t by_model = 0;
  for (const Record& each : expected) by_model += each.values.size();
  EXPECT_GT(by_model, 60U);
  EXPECT_NE(expected[0], expected[1]);
  EXPECT_EQ(play(model, options, Way::permuted), expected);
  EXPECT_EQ(play(model, options, Way::in_two_parts), expected);
  auto otherwise = options;
  otherwise.queries.threads = 3;
  otherwise.queries.chunk = 5;
  EXPECT_EQ(play(model, otherwise, Way::permuted), expected);
  for (const std::size_t concurrency : {7U, 1000U}) {
    testing::ShuffledLanguageModel shuffled(InductionModel{}, concurrency, 8);
    EXPECT_EQ(play(shuffled, options, Way::permuted), expected) << concurrency;
  }
}

TEST_P(EightEnvironments, OneOfThemIsTheSingleLoop) {
  auto options = options_with(GetParam());
  InductionModel model;
  MiniCatch env;
  const auto record = [&](auto&& train) {
    PolicyIteration<MiniCatch, InductionModel> agent(env, model, options);
    Record result;
    agent.callbacks().on_decision = [&](const Decision& decision) { add(result, decision); };
    const TrainingResult trained = train(agent);
    EXPECT_EQ(trained.end, TrainingEnd::steps);
    EXPECT_EQ(trained.steps, agent.memory().buffer.size());
    EXPECT_EQ(trained.episodes, agent.memory().buffer.trajectory_count());
    return std::pair(result, agent.total_costs());
  };
  MiniCatch* const only = &env;
  const auto alone = record([&](auto& agent) { return agent.train(env, {.steps = 60}); });
  EXPECT_EQ(record([&](auto& agent) { return agent.train(std::span(&only, 1), {.steps = 60}); }), alone);
}

using Agent = PolicyIteration<MiniCatch, InductionModel>;

/// An agent that has lived a little and stands at one observation in every environment.
struct Standing {
  explicit Standing(const PolicyIterationOptions& options) : agent(envs[0], model, options) {
    agent.train(envs[0], {.episodes = 12});
    for (std::size_t i = 0; i < count; ++i) {
      numbers.push_back(i);
      observations.push_back(&seen);
      agent.environment(i).begin_episode(seen, EpisodeKind::evaluation);
    }
  }
  std::uint64_t calls(std::size_t first, std::size_t number) {
    const auto before = agent.total_costs().lm_calls;
    std::vector<MiniCatch::Action> actions(number, agent.actions()[0]);
    agent.act(std::span(numbers).subspan(first, number), std::span(observations).first(number), actions);
    return agent.total_costs().lm_calls - before;
  }

  std::vector<MiniCatch> envs{count};
  InductionModel model;
  Agent agent;
  MiniCatch::Observation seen = envs[0].reset(5);
  std::vector<std::size_t> numbers;
  std::vector<const MiniCatch::Observation*> observations;
};

PolicyIterationOptions world_questions_only(double temperature) {
  auto options = options_with({icpi_test::PromptMode::stable, temperature});
  icpi_test::rollouts_of(options).step_limit = 1;
  return options;
}

TEST(SeveralEnvironments, AskIdenticalGreedyQuestionsOnceAndSampledOnesEach) {
  Standing greedy(world_questions_only(0));
  const auto once = greedy.calls(0, count);
  EXPECT_GT(once, 0U);
  EXPECT_EQ(Standing(world_questions_only(0)).calls(3, 1), once);
  EXPECT_EQ(greedy.calls(0, count), 0U);
  Standing sampled(world_questions_only(1));
  EXPECT_GE(sampled.calls(0, count), count * once);
}

TEST(SeveralEnvironments, AnothersBeginningInvalidatesNeitherHandlesNorAnswersNorPolicyPrompts) {
  Standing standing(world_questions_only(0));
  standing.calls(0, count);
  auto& prompt_context = standing.agent.environment(2).memory();
  const auto handle = prompt_context.observe(standing.seen);
  const std::string text(prompt_context.text(handle));
  const auto policy = prompt_context.state().policy_prompts[0];
  standing.agent.environment(5).begin_episode(standing.seen, EpisodeKind::evaluation);
  EXPECT_EQ(prompt_context.text(handle), text);
  EXPECT_EQ(prompt_context.state().policy_prompts[0].identity, policy.identity);
  EXPECT_EQ(prompt_context.state().policy_prompts[0].text, policy.text);
  EXPECT_EQ(standing.calls(2, 1), 0U);
}

TEST(SeveralEnvironments, WhatOneLearnsIsInThePromptsOfAll) {
  Standing standing(options_with({icpi_test::PromptMode::stable, 0, true}));
  auto& one = standing.agent.environment(1);
  auto& other = standing.agent.environment(6);
  one.begin_episode(standing.seen);
  other.begin_episode(standing.seen);
  const auto prompt = [&] {
    return other.memory().state().stable_prompt(QueryKind::observation, one.decision().action, false, 0).text;
  };
  static_cast<void>(one.act(standing.seen));
  const std::string before = prompt();
  const auto handle = other.memory().observe(standing.seen);
  const auto action = static_cast<std::uint32_t>(one.decision().action);
  const std::size_t times = other.memory().outcomes(handle, action).times;
  one.observe({standing.seen, 0, false, false});
  EXPECT_EQ(other.memory().outcomes(handle, action).times, times + 1);
  EXPECT_NE(prompt(), before);
}

TEST(SeveralEnvironments, ExperienceEntersInTheOrderOfTheirNumbers) {
  Standing standing(options_with({icpi_test::PromptMode::stable, 0, true}));
  for (const std::size_t number : standing.numbers) standing.agent.environment(number).begin_episode(standing.seen);
  static_cast<void>(standing.calls(0, count));
  const std::vector<std::size_t> order{5, 2, 7, 0};
  std::vector<Step<MiniCatch::Observation>> steps;
  for (const std::size_t number : order) steps.push_back({standing.seen, static_cast<double>(number), false, false});
  const auto& buffer = standing.agent.memory().buffer;
  const auto before = static_cast<TransitionId>(buffer.size());
  standing.agent.observe(order, steps);
  ASSERT_EQ(buffer.size(), before + 4U);
  for (TransitionId i = 0; i < 4; ++i) EXPECT_EQ(buffer[before + i].reward, std::vector<double>({0, 2, 5, 7})[i]);
}

/// A chain that breaks after some steps.
class Brittle {
 public:
  using Observation = Chain::Observation;
  using Action = Chain::Action;
  explicit Brittle(int steps_left = 1 << 20) : steps_left_(steps_left) {}
  [[nodiscard]] decltype(auto) actions() const { return chain_.actions(); }
  [[nodiscard]] double discount() const { return chain_.discount(); }
  Observation reset(std::uint64_t seed) { return chain_.reset(seed); }
  Step<Observation> step(const Action& action) {
    if (--steps_left_ < 0) throw std::runtime_error("it broke");
    return chain_.step(action);
  }

 private:
  Chain chain_;
  int steps_left_;
};
using BrittleAgent = PolicyIteration<Brittle, InductionModel, ChainFormatter>;

TEST(SeveralEnvironments, OneThatFailsLeavesTheOthersRunningAndIsReported) {
  for (const bool within_episode : {false, true}) {
    InductionModel model;
    std::vector<Brittle> envs{Brittle(), Brittle(13), Brittle()};
    BrittleAgent agent(envs[0], model, options_with({icpi_test::PromptMode::stable, 0, within_episode}));
    std::vector<Brittle*> all{&envs[0], &envs[1], &envs[2]};
    const auto result = agent.train(all, {.episodes = 40});
    EXPECT_EQ(result.end, TrainingEnd::episodes);
    EXPECT_EQ(result.episodes, 40U);
    ASSERT_EQ(result.failures.size(), 1U);
    EXPECT_EQ(result.failures[0].environment, 1U);
    EXPECT_EQ(result.failures[0].message, "it broke");
    EXPECT_EQ(result.failures[0].episode, agent.environment(1).episodes() - 1);
    EXPECT_GT(agent.environment(2).episodes(), agent.environment(1).episodes() + 5);
    EXPECT_EQ(agent.memory().buffer.trajectory_count(), within_episode ? 41U : 40U);
    std::vector<Brittle> broken{Brittle(2), Brittle(1)};
    std::vector<Brittle*> both{&broken[0], &broken[1]};
    const auto none = agent.train(both, {.episodes = 40});
    EXPECT_EQ(none.end, TrainingEnd::failed);
    EXPECT_EQ(none.failures.size(), 2U);
  }
}

TEST(SeveralEnvironments, MistakesAreRefusedBeforeAnythingHappens) {
  InductionModel model;
  std::vector<Chain> envs(2);
  PolicyIteration<Chain, InductionModel> agent(envs[0], model);
  std::vector<Chain*> twice{&envs[0], &envs[0]};
  std::vector<Chain*> missing{&envs[0], nullptr};
  EXPECT_THROW(agent.train(twice, {.steps = 1}), InvalidArgument);
  EXPECT_THROW(agent.train(missing, {.steps = 1}), InvalidArgument);
  const auto seen = envs[0].reset(1);
  const std::vector<const Chain::Observation*> observations{&seen, &seen};
  std::vector<Chain::Action> actions(2, agent.actions()[0]);
  EXPECT_THROW(agent.act(std::vector<std::size_t>{0, 1}, observations, actions), InvalidArgument);
  static_cast<void>(agent.environment(1));
  EXPECT_THROW(agent.act(std::vector<std::size_t>{0, 1}, observations, actions), InvalidArgument);
  agent.begin_episode(seen);
  EXPECT_THROW(agent.act(std::vector<std::size_t>{0, 0}, observations, actions), InvalidArgument);
  agent.abandon();
  EXPECT_THROW(agent.save("nowhere"), InvalidArgument);
}

/// A buffer of one running trajectory serves one environment.
template <class A>
concept HasSeveral = requires(A& agent) { agent.environment(1); };
static_assert(HasSeveral<Agent>);
static_assert(
    !HasSeveral<PolicyIteration<testing::LoggedWorld, InductionModel, testing::LoggedText, testing::LoggedBuffer>>);

}  // namespace
}  // namespace icpi
