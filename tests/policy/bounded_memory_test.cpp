// SPDX-License-Identifier: MIT
// An agent whose buffer forgets: memory stays flat, and it decides as one that was given only what the buffer holds.
#include "icpi/policy/policy_iteration.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "icpi/domains/mini_catch_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/prompt/prompt_state.hpp"
#include "icpi/replay/trajectory_buffer.hpp"
#include "support/agent_options.hpp"

namespace icpi {
namespace {

constexpr std::size_t environments = 4;

/// An agent that can be put into another's episode.
struct Agent : PolicyIteration<MiniCatch, InductionModel> {
  using AgentCore::restore;
  using PolicyIteration::PolicyIteration;
};

PolicyIterationOptions options_with(icpi_test::PromptMode mode, bool within_episode) {
  PolicyIterationOptions options = paper_options();
  options.prompts.examples = icpi_test::examples_of(mode);
  options.prompts.context_tokens = 500;
  options.queries.restrict_answers = true;
  options.decisions.update_within_episode = within_episode;
  options.decisions.explorations = {WarmUp{.successes = std::numeric_limits<double>::infinity()}};  // never the model
  icpi_test::rollouts_of(options).step_limit = 4;
  return options;
}

/// Whole trajectories that a buffer holds, in a buffer that was given nothing else.
TrajectoryBuffer<MiniCatch> held_by(const TrajectoryBuffer<MiniCatch>& buffer) {
  TrajectoryBuffer<MiniCatch> result{MiniCatch{}};
  std::vector<TrajectoryId> ids;
  std::vector<TrajectoryId> of(buffer.size() + buffer.departed());
  for (std::size_t i = 0; i < buffer.trajectory_count(); ++i) {
    ids.push_back(result.begin());
    for (const TransitionId id : buffer.trajectory(i)) of[id] = ids.back();
  }
  for (TransitionId id = 0; id < of.size(); ++id)
    if (buffer.holds(id)) result.extend(of[id], buffer[id]);
  for (const TrajectoryId id : ids) result.end(id);
  return result;
}

/// Lets the model decide in one evaluation, and gives what it thought.
std::vector<double> thoughts(Agent& agent, std::uint64_t seed) {
  MiniCatch env;
  const auto seen = env.reset(seed);
  agent.begin_episode(seen, EpisodeKind::evaluation);
  std::vector<double> result;
  static_cast<void>(agent.act(seen));
  EXPECT_TRUE(agent.decision().by_model);
  const auto values = agent.decision().returns.values();
  result.assign(values.begin(), values.end());
  result.push_back(static_cast<double>(agent.decision().action));
  agent.abandon();
  return result;
}

std::size_t bytes_in_use() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

struct Bounded {
  icpi_test::PromptMode mode;
  bool within_episode;
};

/// Compares an agent, from whose buffer something has just left, with one that was given only what is left.
void compare_with_fresh(Agent& agent, const MiniCatch& env, InductionModel& model,
                        const PolicyIterationOptions& options) {
  ASSERT_LE(agent.memory().buffer.size(), 300U);
  Agent fresh(env, model, options, MiniCatchFormatter(), held_by(agent.memory().buffer));
  fresh.restore(agent.episodes(), {});
  EXPECT_EQ(fresh.memory().trajectories(), agent.memory().trajectories());
  for (std::uint64_t seed = 0; seed < 2; ++seed) EXPECT_EQ(thoughts(agent, seed), thoughts(fresh, seed));
  const auto answers = [](const Agent& of) {
    const auto known = of.memory().state().book.known_answers(QueryKind::reward);
    return std::vector<std::string>(known.begin(), known.end());
  };
  EXPECT_EQ(answers(agent), answers(fresh));
}

/// Lives for `steps`; what is held in the first half, after the first tenth, and in the second differs by at most 5 %.
void live(const Bounded& how, std::size_t steps) {
  const auto options = options_with(how.mode, how.within_episode);
  InductionModel model;
  std::vector<MiniCatch> envs(environments);
  std::vector<MiniCatch*> all;
  for (auto& env : envs) all.push_back(&env);
  Agent agent(envs[0], model, options, MiniCatchFormatter(), TrajectoryBuffer<MiniCatch>(envs[0], 300));
  constexpr std::size_t parts = 20;
  std::size_t most_before = 0;
  std::size_t most_after = 0;
  for (std::size_t part = 0; part < parts; ++part) {
    SCOPED_TRACE(part);
    agent.train(all, {.steps = steps / parts});
    const std::size_t departed = agent.memory().buffer.departed();
    agent.train(envs[0], {.episodes = 1});
    ASSERT_GT(agent.memory().buffer.departed(), departed);
    if (part % 4 == 3) compare_with_fresh(agent, envs[0], model, options);
    model = InductionModel();  // what it keeps of prompts is not the agent's
    auto& half = part < parts / 2 ? most_before : most_after;
    if (part >= parts / 10) half = std::max(half, bytes_in_use());
  }
  EXPECT_GT(agent.memory().buffer.departed(), steps - 400);
  ::testing::Test::RecordProperty("bytes_before", std::to_string(most_before));
  ::testing::Test::RecordProperty("bytes_after", std::to_string(most_after));
  EXPECT_LE(static_cast<double>(most_after), 1.05 * static_cast<double>(most_before));
}

class BoundedMemory : public ::testing::TestWithParam<Bounded> {};
const auto every_way =
    ::testing::Values(Bounded{icpi_test::PromptMode::stable, false}, Bounded{icpi_test::PromptMode::stable, true},
                      Bounded{icpi_test::PromptMode::per_query, false});
const auto name = [](const auto& way) {
  return std::string(way.param.mode == icpi_test::PromptMode::stable ? "stable" : "per_query") +
         (way.param.within_episode ? "_online" : "");
};
INSTANTIATE_TEST_SUITE_P(Ways, BoundedMemory, every_way, name);

TEST_P(BoundedMemory, StaysFlatAndDecidesByWhatItHolds) { live(GetParam(), 50'000); }

class BoundedMemoryForLong : public BoundedMemory {};
INSTANTIATE_TEST_SUITE_P(Ways, BoundedMemoryForLong, every_way, name);

TEST_P(BoundedMemoryForLong, StaysFlatOverAMillionSteps) { live(GetParam(), 1'000'000); }

TEST(BoundedAgent, IsSavedNoMoreOnceSomethingHasLeft) {
  const auto options = options_with(icpi_test::PromptMode::stable, false);
  InductionModel model;
  MiniCatch env;
  Agent agent(env, model, options, MiniCatchFormatter(), TrajectoryBuffer<MiniCatch>(env, 12));
  agent.train(env, {.episodes = 2});
  agent.memory().check_complete();
  EXPECT_EQ(agent.memory().events().size(), 2U);
  agent.train(env, {.episodes = 1});
  EXPECT_TRUE(agent.memory().events().empty());
  try {
    agent.save("nowhere");
    ADD_FAILURE();
  } catch (const InvalidArgument& error) {
    EXPECT_EQ(std::string(error.what()).substr(0, 41), "save: 5 transitions have left the buffer;");
  }
}

}  // namespace
}  // namespace icpi
