// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "icpi/domains/all.hpp"
#include "support/agent_options.hpp"
#include "support/latency_model.hpp"
#include "support/repeated_decisions.hpp"

namespace icpi {
namespace {

using testing::LatencyModel;
using testing::LatencyOptions;

using SlowModel = LatencyModel<OracleModel<MiniInvaders>>;
using Memory = TypedPromptContext<MiniInvaders, MiniInvadersFormatter, TrajectoryBuffer<MiniInvaders>>;
static_assert(AsynchronousLanguageModel<SlowModel>);

/// What a decision took on the simulated clock, and what it must have taken at least.
struct Timing {
  double wall = 0;
  double critical_path = 0;  ///< longest chain of latencies of any one rollout, retries included
  double work = 0;           ///< sum of all latencies
  std::size_t failures = 0;
  std::size_t in_flight = 0;  ///< at most, at once
};

/// Works out the critical path from what was asked and how long each answer took, without looking at a clock. Attempts
/// at one question follow each other; reward and observation follow the termination side by side, the action follows
/// both. A rollout is known by its first action and sample; questions tell the sample, and actions have different keys.
class Chains {
 public:
  void add(std::uint64_t rollout, const Question& question, double latency) {
    steps_[rollout][question.step][static_cast<std::size_t>(question.kind)] += latency;
  }

  [[nodiscard]] double longest() const {
    double longest = 0;
    for (const auto& [rollout, steps] : steps_) {
      double chain = 0;
      for (const auto& [step, spent] : steps) chain += spent[0] + std::max(spent[1], spent[2]) + spent[3];
      longest = std::max(longest, chain);
    }
    return longest;
  }

 private:
  static_assert(static_cast<std::size_t>(QueryKind::action) == 3);
  std::map<std::uint64_t, std::map<std::uint32_t, std::array<double, 4>>> steps_;
};

Timing decide(const LatencyOptions& latency, icpi_test::PromptMode mode, int rollouts_per_action) {
  MiniInvaders env;
  SlowModel model(OracleModel<MiniInvaders>(), latency);
  PromptOptions prompts;
  prompts.examples = icpi_test::examples_of(mode);
  prompts.context_tokens = 1000;
  Memory prompt_context(
      env, TrajectoryBuffer<MiniInvaders>(env), MiniInvadersFormatter(env), prompts,
      [](std::string_view text) { return estimated_tokens(text); }, RandomKey(1));
  for (std::uint64_t episode = 0; episode < 30; ++episode) prompt_context.append(testing::random_episode(env, episode));
  prompt_context.begin_episode(30);

  QueryOptions queries;
  queries.deduplicate = false;
  PromptedRolloutModel rollout_model(model, queries);
  rollout_model.serve_also(prompt_context);
  RolloutOptions rollouts;
  rollouts.step_limit = 8;
  rollouts.rollouts_per_action = rollouts_per_action;

  const DecisionTask task{0, prompt_context.observe(env.reset(3)), 3, env.discount(), RandomKey(2)};
  // A question's key tells its rollout: the engine derives it from the task's.
  std::map<std::uint64_t, std::uint64_t> rollout_of;
  for (std::uint64_t action = 0; action < 3; ++action) {
    for (std::uint64_t sample = 0; sample < static_cast<std::uint64_t>(rollouts_per_action); ++sample) {
      const RandomKey key = task.key.child(action << 32 | sample);
      for (std::uint64_t part = 0; part < 8 * 4; ++part) rollout_of[key.child(part).seed()] = action << 32 | sample;
    }
  }
  Chains chains;
  std::size_t answered = 0;
  rollout_model.observe_queries([&](const QueryRecord& record) {
    chains.add(rollout_of.at(record.question.key.seed()), record.question, model.collected.at(answered++));
  });
  DecisionResult result;
  RolloutEngine engine;
  engine.run(rollout_model, std::span(&task, 1), rollouts, std::span(&result, 1));
  EXPECT_EQ(answered, model.collected.size());
  return {model.now(), chains.longest(), model.work(), model.failures(), model.most_in_flight()};
}

struct Case {
  std::string name;
  LatencyOptions latency;
};

class Decision : public ::testing::TestWithParam<std::tuple<Case, icpi_test::PromptMode>> {};
INSTANTIATE_TEST_SUITE_P(
    Latencies, Decision,
    ::testing::Combine(::testing::Values(Case{"fixed", {}}, Case{"heavy_tail", {.deviation = 1.5}},
                                         Case{"failing", {.failure_rate = 0.01}},
                                         Case{"heavy_tail_failing", {.deviation = 1.5, .failure_rate = 0.01}}),
                       ::testing::Values(icpi_test::PromptMode::per_query, icpi_test::PromptMode::stable)),
    [](const auto& combination) {
      return std::get<0>(combination.param).name +
             (std::get<1>(combination.param) == icpi_test::PromptMode::stable ? "_stable" : "_per_query");
    });

TEST_P(Decision, TakesItsCriticalPathWithUnlimitedConcurrency) {
  auto [each, mode] = GetParam();
  each.latency.concurrency = 1U << 20;
  const auto timing = decide(each.latency, mode, 16);
  EXPECT_GT(timing.critical_path, 0.1);
  EXPECT_LE(timing.wall, 1.1 * timing.critical_path);
  EXPECT_GE(timing.wall, 0.999 * timing.critical_path);
  EXPECT_EQ(timing.failures > 0, each.latency.failure_rate > 0);
  EXPECT_GE(timing.in_flight, 48U);
}

// With c requests at a time a decision takes at least max(work / c, critical path). At most 1.1 times work / c, where
// that is three critical paths or more; below, one critical path is added, because no schedule can fill all c places
// while the last rollout ends.
TEST_P(Decision, TakesItsShareOfTheWorkWithLimitedConcurrency) {
  auto [each, mode] = GetParam();
  for (const std::size_t concurrency : {1U, 4U, 16U, 64U}) {
    each.latency.concurrency = concurrency;
    const auto timing = decide(each.latency, mode, 32);
    const double share = timing.work / static_cast<double>(concurrency);
    const double allowance = share >= 3 * timing.critical_path ? 0 : timing.critical_path;
    EXPECT_LE(timing.wall, 1.1 * share + allowance) << concurrency << " at a time";
    EXPECT_GE(timing.wall, 0.999 * std::max(share, timing.critical_path)) << concurrency << " at a time";
    EXPECT_EQ(timing.in_flight, concurrency);
    RecordProperty("wall_over_share_" + std::to_string(concurrency), std::to_string(timing.wall / share));
    RecordProperty("share_over_path_" + std::to_string(concurrency), std::to_string(share / timing.critical_path));
  }
}

TEST(LatencyModel, KeepsItsPromises) {
  SlowModel model(OracleModel<MiniInvaders>(), {.median = 2, .concurrency = 2});
  const std::string_view stop = "\n";
  CompletionRequest request;
  request.query = "nothing";
  request.stop = std::span(&stop, 1);
  for (Ticket ticket = 0; ticket < 3; ++ticket) model.submit(request, ticket);
  std::vector<FinishedCompletion> finished(4);
  EXPECT_EQ(model.collect(finished, std::chrono::milliseconds(1000)), 0U);
  EXPECT_DOUBLE_EQ(model.now(), 1);
  EXPECT_EQ(model.collect(finished, std::chrono::milliseconds(1500)), 2U);
  EXPECT_DOUBLE_EQ(model.now(), 2);
  model.cancel(2);
  EXPECT_EQ(model.collect(finished, std::chrono::milliseconds(1000)), 1U);
  EXPECT_EQ(finished[0].completion.error.category, ErrorCategory::cancelled);
  EXPECT_DOUBLE_EQ(model.now(), 2);
}

TEST(LatencyModel, HasAHeavyTail) {
  SlowModel model(OracleModel<MiniInvaders>(), {.deviation = 1.5, .failure_rate = 0.01});
  std::vector<Completion> completions(4000);
  std::vector<CompletionRequest> requests(completions.size());
  for (std::size_t i = 0; i < requests.size(); ++i) requests[i].seed = i;
  model.complete(requests, completions);
  auto latencies = model.collected;
  std::sort(latencies.begin(), latencies.end());
  EXPECT_NEAR(latencies[2000], 0.05, 0.005);
  EXPECT_NEAR(latencies[3960] / 0.05, 33, 8);  // exp(1.5 * 2.33)
  EXPECT_NEAR(static_cast<double>(model.failures()), 40, 20);
}

}  // namespace
}  // namespace icpi
