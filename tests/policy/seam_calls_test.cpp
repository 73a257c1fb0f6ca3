// SPDX-License-Identifier: MIT
// The calls across the three edges for each unit of work, as docs/architecture.md lists them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "icpi/concepts/language_model_ref.hpp"
#include "icpi/concepts/rollout_model_ref.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "icpi/rollout/engine.hpp"
#include "support/agent_options.hpp"
#include "support/allocation_counter.hpp"
#include "support/logged_world.hpp"
#include "support/random_episodes.hpp"
#include "support/random_rollout_model.hpp"

namespace icpi {
namespace {

using testing::AllocationCounter;
using testing::CallLog;
using testing::LoggedBuffer;
using testing::LoggedText;
using testing::LoggedWorld;
using testing::LoggedWorldModel;

using LoggedAgent = PolicyIteration<LoggedWorld, LoggedWorldModel, LoggedText, LoggedBuffer>;
using Counts = std::map<std::string, std::size_t>;
constexpr std::size_t action_count = LoggedWorld::steps.size();

/// Those of the formatter.
Counts formatter_calls(const CallLog& log) {
  Counts result;
  for (const auto* member : {"observation", "action", "reward", "termination", "episode_start", "trajectory_step",
                             "stop", "parse_action", "parse_reward", "parse_termination", "accepts_observation"}) {
    if (log.count(member) > 0) result[member] = log.count(member);
  }
  return result;
}

/// Those by which the world model's and the policy's prompts ask for experience.
Counts look_ups(const CallLog& log) {
  Counts result;
  for (const auto* member : {"matching", "reward_classes", "trajectory", "[]"}) {
    if (log.count(member) > 0) result[member] = log.count(member);
  }
  return result;
}

/// What writing one transition takes, and reading back of it what is predicted as well.
const Counts one_transition{{"observation", 2}, {"action", 1},          {"reward", 1},
                            {"termination", 1}, {"trajectory_step", 1}, {"accepts_observation", 2},
                            {"parse_reward", 1}};

Counts times(std::size_t factor, Counts counts) {
  for (auto& [member, count] : counts) count *= factor;
  return counts;
}

PolicyIterationOptions without_warm_up() {
  PolicyIterationOptions options = paper_options();
  options.decisions.explorations = {};
  return options;
}

class SeamCalls : public ::testing::Test {
 protected:
  SeamCalls() { log->clear(); }

  /// An agent with experience, in an episode that began at cell 0.
  std::unique_ptr<LoggedAgent> experienced(PolicyIterationOptions options, std::size_t episodes = 20) {
    auto agent = std::make_unique<LoggedAgent>(world, model, options);
    LoggedWorld other(std::make_shared<CallLog>());
    for (std::size_t seed = 0; seed < episodes; ++seed) agent->import(testing::random_episode(other, seed));
    agent->begin_episode(0);
    return agent;
  }

  std::shared_ptr<CallLog> log = std::make_shared<CallLog>();
  LoggedWorld world{log};
  LoggedWorldModel model{log};
};

class SeamCallsByMemory : public SeamCalls, public ::testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(Memory, SeamCallsByMemory, ::testing::Bool(),
                         [](const auto& online) { return online.param ? "online" : "by_episode"; });

TEST_F(SeamCalls, ConstantTextsAreFetchedOnceAnAgent) {
  const LoggedAgent agent(world, model);
  EXPECT_EQ(formatter_calls(*log), (Counts{{"stop", query_kinds.size()},
                                           {"action", action_count},
                                           {"termination", 2},
                                           {"episode_start", 1},
                                           {"parse_action", action_count},
                                           {"parse_termination", 2}}));
}

TEST_F(SeamCalls, ADecisionWritesItsObservationAndReadsEveryAnswerOnce) {
  const auto agent = experienced(without_warm_up());
  log->clear();
  static_cast<void>(agent->act(0));
  const auto& costs = agent->decision().costs;
  auto calls = formatter_calls(*log);
  EXPECT_EQ(calls["observation"], 1U);
  EXPECT_EQ(log->count({"parse_action", "parse_reward", "parse_termination", "accepts_observation"}),
            costs.lm_calls + 1);  // and the observation itself
  EXPECT_GT(costs.lm_calls, 40U);
  for (const auto* member : {"action", "reward", "termination", "episode_start", "trajectory_step", "stop"})
    EXPECT_EQ(calls.count(member), 0U) << member;
  EXPECT_EQ(log->count({"actions", "discount", "reset", "step"}), 0U);
}

TEST_F(SeamCalls, APromptLooksTheBufferUpByItsKindWhateverItShowsAndHowOftenItIsPut) {
  constexpr std::size_t tried = action_count;  // whether there is something to learn: asked once a decision
  for (const int rollouts : {1, 50}) {
    for (const int steps : {1, 2}) {
      PolicyIterationOptions options = without_warm_up();
      icpi_test::rollouts_of(options) = {.step_limit = steps, .rollouts_per_action = rollouts};
      const auto agent = experienced(options);
      log->clear();
      static_cast<void>(agent->act(0));
      // The last step: terminations take two look-ups an action, rewards one.
      Counts expected{{"matching", tried + 2 * action_count}, {"reward_classes", action_count}};
      if (steps == 2) {  // before it: observations one an action, policy prompts one a trajectory; then all go on
        expected["matching"] += action_count + 2;
        expected["reward_classes"] += 1;
        expected["trajectory"] = LastTrajectories{}.recency;
      }
      EXPECT_EQ(look_ups(*log), expected);
    }
  }
}

TEST_P(SeamCallsByMemory, AnObservedStepIsWrittenOnceOnlineElseTwice) {
  const bool online = GetParam();
  PolicyIterationOptions options = paper_options();
  options.decisions.update_within_episode = online;
  const auto agent = experienced(options);
  std::size_t steps = 0;
  int cell = world.reset(0);
  for (bool runs = true; runs; ++steps) {
    const auto step = world.step(agent->act(cell));
    log->clear();
    agent->observe(step);
    runs = !step.terminated && !step.truncated;
    cell = step.observation;
    const std::size_t at_the_end = online ? 1 : steps + 1;  // a finished episode is written whole
    EXPECT_EQ(formatter_calls(*log), times(runs ? 1 : at_the_end, one_transition));
    EXPECT_EQ(log->count("extend"), online ? 1U : 0U);
    EXPECT_EQ(log->count("append"), !online && !runs ? 1U : 0U);
    EXPECT_EQ(log->count("close"), online && !runs ? 1U : 0U);
    EXPECT_EQ(look_ups(*log), Counts{});
  }
  EXPECT_GT(steps, 1U);
}

TEST_F(SeamCalls, StablePromptsLookUpTheSameHoweverLongTheHistory) {
  icpi::PolicyIterationOptions options;
  options.prompts.context_tokens = 100000;
  for (const std::size_t episodes : {5U, 100U}) {
    const auto agent = experienced(options, episodes);
    log->clear();
    agent->begin_episode(0);
    const std::size_t shown = std::min(episodes, LastTrajectories{}.recency);
    EXPECT_EQ(log->count("trajectory"), AppendOnlyExamples{}.policy_prompts * shown);
    const auto step = world.step(agent->act(world.reset(0)));
    log->clear();
    agent->observe(step);
    EXPECT_EQ(look_ups(*log), (Counts{{"matching", 3 * action_count}, {"reward_classes", 2 * action_count}}));
  }
}

TEST_F(SeamCalls, TrainingCallsTheEnvironmentOnceAStep) {
  LoggedAgent agent(world, model);
  log->clear();
  const std::size_t steps = agent.train(world, {.episodes = 5});
  EXPECT_EQ(log->count("reset"), 5U);
  EXPECT_EQ(log->count("step"), steps);
  EXPECT_EQ(log->count("actions"), 5U);  // are they still the same? once an episode
  EXPECT_EQ(log->count("discount"), 0U);
}

TEST_F(SeamCalls, TheLanguageModelIsCalledOnceABatch) {
  const auto agent = experienced(without_warm_up());
  log->clear();
  static_cast<void>(agent->act(0));
  EXPECT_EQ(log->count("complete"), agent->decision().costs.rounds);
  EXPECT_GT(agent->decision().costs.lm_calls, 2 * agent->decision().costs.rounds);
}

/// Counts, and allocates nothing.
struct SilentModel {
  static std::string identity() { return "silent"; }
  void complete(std::span<const CompletionRequest>, std::span<Completion>) { ++batches; }
  std::size_t batches = 0;
};

TEST(ModelEdges, ALanguageModelBehindItsReferenceCostsOneCallABatchAndNoAllocation) {
  SilentModel model;
  const std::vector<CompletionRequest> requests(64);
  std::vector<Completion> completions(64);
  const auto before = AllocationCounter::allocations.load();
  const LanguageModelRef reference(model);
  for (int batch = 0; batch < 10; ++batch) reference.complete(requests, completions);
  EXPECT_EQ(AllocationCounter::allocations - before, 0U);
  EXPECT_EQ(model.batches, 10U);
}

TEST(ModelEdges, ARolloutModelBehindItsReferenceCostsOneCallARoundAndNoAllocation) {
  testing::RandomRolloutModel model;
  const std::vector<DecisionTask> tasks{{0, 0, 3, 0.9, RandomKey(1)}, {1, 0, 3, 0.9, RandomKey(2)}};
  std::vector<DecisionResult> results(tasks.size());
  RolloutEngine engine;
  engine.run(model, tasks, {.rollouts_per_action = 8}, results);
  for (auto& result : results) result.costs = {};
  model.batches = 0;
  const auto before = AllocationCounter::allocations.load();
  engine.run(model, tasks, {.rollouts_per_action = 8}, results);
  EXPECT_EQ(AllocationCounter::allocations - before, 0U);
  EXPECT_EQ(model.batches, std::max(results[0].costs.rounds, results[1].costs.rounds));
  EXPECT_GT(model.batches, 0U);
}

}  // namespace
}  // namespace icpi
