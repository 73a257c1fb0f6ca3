// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "icpi/domains/all.hpp"
#include "support/agent_options.hpp"
#include "support/allocation_counter.hpp"
#include "support/repeated_decisions.hpp"

namespace icpi {
namespace {

using testing::AllocationCounter;
using testing::DecisionShape;
using testing::FreeModel;
using testing::FreeSubmittedModel;
using testing::RepeatedDecisions;

TEST(AllocationCounter, Counts) {
  const auto before = AllocationCounter::allocations.load();
  const auto held = AllocationCounter::held_bytes.load();
  auto memory = std::make_unique<std::string>(1000, 'x');
  EXPECT_EQ(AllocationCounter::allocations - before, 2U);
  EXPECT_GE(AllocationCounter::held_bytes - held, 1000);
  memory.reset();
  EXPECT_EQ(AllocationCounter::held_bytes - held, 0);
}

DecisionShape shape_of(icpi_test::PromptMode mode, bool deduplicate, int rollouts) {
  DecisionShape shape;
  shape.prompts.examples = icpi_test::examples_of(mode);
  shape.queries.deduplicate = deduplicate;
  shape.rollouts.rollouts_per_action = rollouts;
  shape.rollouts.step_limit = 8;
  shape.episodes = 60;
  shape.different = 4;
  return shape;
}

/// Allocations of 20 decisions after 40 that warm up; at least 1,000 questions reach the model.
template <class Decisions>
std::uint64_t allocations_in_steady_state(Decisions& decisions) {
  for (int i = 0; i < 40; ++i) decisions.run();
  const auto asked = decisions.costs().lm_calls;
  const auto before = AllocationCounter::allocations.load();
  for (int i = 0; i < 20; ++i) decisions.run();
  const auto allocations = AllocationCounter::allocations - before;
  EXPECT_GT(decisions.costs().lm_calls - asked, 1000U);
  EXPECT_EQ(decisions.costs().invalid, 0U);
  return allocations;
}

class SteadyState : public ::testing::TestWithParam<std::tuple<icpi_test::PromptMode, bool>> {};
INSTANTIATE_TEST_SUITE_P(Modes, SteadyState,
                         ::testing::Values(std::tuple(icpi_test::PromptMode::per_query, false),
                                           std::tuple(icpi_test::PromptMode::stable, false),
                                           std::tuple(icpi_test::PromptMode::stable, true)),
                         [](const auto& mode) {
                           const std::string name =
                               std::get<0>(mode.param) == icpi_test::PromptMode::stable ? "stable" : "per_query";
                           return name + (std::get<1>(mode.param) ? "_deduplicated" : "");
                         });

TEST_P(SteadyState, ADecisionAllocatesNothingInAnyDomain) {
  const auto [mode, deduplicate] = GetParam();
  const auto shape = shape_of(mode, deduplicate, 16);
  for_each_domain([&]<class Env>(const Env&) {
    RepeatedDecisions<Env> decisions(FreeModel<Env>(OracleModel<Env>()), shape);
    EXPECT_EQ(allocations_in_steady_state(decisions), 0U) << Env::name;
  });
}

TEST_P(SteadyState, ADecisionOfAnAsynchronousModelAllocatesNothing) {
  const auto [mode, deduplicate] = GetParam();
  const auto shape = shape_of(mode, deduplicate, 16);
  RepeatedDecisions<MiniInvaders, FreeSubmittedModel<MiniInvaders>> decisions(
      FreeSubmittedModel<MiniInvaders>(OracleModel<MiniInvaders>(), 10), shape);
  EXPECT_EQ(allocations_in_steady_state(decisions), 0U);
}

/// Repeats the answer of the last example that it is shown, or goes right; in chain both are always valid.
class LastAnswerModel {
 public:
  [[nodiscard]] std::string identity() const { return "last answer"; }
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      auto prompt = requests[i].prefix.text;
      prompt = prompt.substr(0, prompt.find_last_not_of('\n') + 1);
      completions[i].finish = FinishReason::stop;
      completions[i].error.category = ErrorCategory::none;
      completions[i].text.assign(requests[i].query.starts_with('\n') ? "state = right()"
                                                                     : prompt.substr(prompt.rfind('\n') + 1));
    }
  }
};

TEST(SteadyState, AnAgentsActAllocatesTheSameForAnyNumberOfQueries) {
  std::vector<std::uint64_t> allocations;
  std::vector<std::uint64_t> calls;
  for (const int rollouts : {1, 32}) {
    Chain env;
    LastAnswerModel model;
    PolicyIterationOptions options = icpi::paper_options();
    icpi_test::rollouts_of(options).rollouts_per_action = rollouts;
    PolicyIteration<Chain, LastAnswerModel> agent(env, model, options);
    for (std::uint64_t episode = 0; episode < 40; ++episode) agent.import(testing::random_episode(env, episode));
    const auto start = env.reset(1);
    agent.begin_episode(start, EpisodeKind::evaluation);
    for (int i = 0; i < 40; ++i) static_cast<void>(agent.act(start));
    const auto before = AllocationCounter::allocations.load();
    static_cast<void>(agent.act(start));
    allocations.push_back(AllocationCounter::allocations - before);
    calls.push_back(agent.decision().costs.lm_calls);
    EXPECT_EQ(agent.decision().costs.invalid, 0U);
  }
  EXPECT_GT(calls[1], 16 * calls[0]);
  EXPECT_EQ(allocations[1], allocations[0]);
  EXPECT_LE(allocations[1], 8U);
}

}  // namespace
}  // namespace icpi
