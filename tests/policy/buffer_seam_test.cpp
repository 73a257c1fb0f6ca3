// SPDX-License-Identifier: MIT
// What prompts show comes from the user's buffer, and from nothing else.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/agent_options.hpp"
#include "support/logged_world.hpp"
#include "support/random_episodes.hpp"

namespace icpi {
namespace {

using testing::CallLog;
using testing::LoggedBuffer;
using testing::LoggedText;
using testing::LoggedWorld;
using testing::LoggedWorldModel;

using Recorded = TransitionOf<LoggedWorld>;

/// Every second element, the first included.
std::vector<Recorded> every_second(std::span<const Recorded> all) {
  std::vector<Recorded> kept;
  for (std::size_t i = 0; i < all.size(); i += 2) kept.push_back(all[i]);
  return kept;
}

/// Keeps every second step of a trajectory.
class ForgettingBuffer : public TrajectoryBuffer<LoggedWorld> {
 public:
  using TrajectoryBuffer::TrajectoryBuffer;
  void append(std::span<const Recorded> trajectory) { TrajectoryBuffer::append(every_second(trajectory)); }
};

/// Keeps everything, and lists for the world model's prompts every second step of a trajectory.
class HidingBuffer : public TrajectoryBuffer<LoggedWorld> {
 public:
  explicit HidingBuffer(const LoggedWorld& world) : TrajectoryBuffer(world), listed_(world) {}

  void append(std::span<const Recorded> trajectory) {
    for (std::size_t i = 0; i < trajectory.size(); i += 2) ids_.push_back(static_cast<TransitionId>(size() + i));
    TrajectoryBuffer::append(trajectory);
    listed_.append(every_second(trajectory));
    for (std::size_t action = 0; action < LoggedWorld::steps.size(); ++action) {
      for (const bool terminated : {false, true}) translate(action, terminated);
    }
  }
  [[nodiscard]] TransitionIds matching(std::size_t action, bool terminated) const {
    return matching_[2 * action + (terminated ? 1 : 0)];
  }
  [[nodiscard]] std::span<const RewardClass> reward_classes(std::size_t action, bool terminated) const {
    return classes_[2 * action + (terminated ? 1 : 0)];
  }

 private:
  /// Numbers of what is listed become numbers of what is kept.
  void translate(std::size_t action, bool terminated) {
    const std::size_t group = 2 * action + (terminated ? 1 : 0);
    const auto listed = listed_.matching(action, terminated);
    matching_[group].clear();
    for (const auto id : listed) matching_[group].push_back(ids_[id]);
    const auto classes = listed_.reward_classes(action, terminated);
    classes_[group].assign(classes.begin(), classes.end());
    for (auto& each : classes_[group]) {
      for (auto& id : each.members) id = ids_[id];
    }
  }

  TrajectoryBuffer<LoggedWorld> listed_;
  std::vector<TransitionId> ids_;  ///< of what is listed, among all
  std::array<std::vector<TransitionId>, 2 * LoggedWorld::steps.size()> matching_;
  std::array<std::vector<RewardClass>, 2 * LoggedWorld::steps.size()> classes_;
};

/// What was asked, and what came of it.
struct Conduct {
  std::vector<std::string> prompts;
  std::vector<std::size_t> actions;
  std::vector<double> values;
};

std::vector<TrajectoryOf<LoggedWorld>> random_episodes(std::size_t count) {
  LoggedWorld world(std::make_shared<CallLog>());
  std::vector<TrajectoryOf<LoggedWorld>> episodes;
  for (std::size_t seed = 0; seed < count; ++seed) episodes.push_back(testing::random_episode(world, seed));
  return episodes;
}

/// Decisions from this experience at all cells.
template <class Buffer>
Conduct conduct(const std::vector<TrajectoryOf<LoggedWorld>>& episodes, PolicyIterationOptions options) {
  LoggedWorld world(std::make_shared<CallLog>());
  InductionModel model;
  PolicyIteration<LoggedWorld, InductionModel, LoggedText, Buffer> agent(world, model, options);
  for (const auto& episode : episodes) agent.import(episode);
  Conduct result;
  agent.model().observe_queries([&](const QueryRecord& record) {
    result.prompts.push_back(std::string(record.prefix) + std::string(record.query));
  });
  for (int cell = 0; cell < 4; ++cell) {
    agent.begin_episode(cell, EpisodeKind::evaluation);
    static_cast<void>(agent.act(cell));
    result.actions.push_back(agent.decision().action);
    result.values.insert(result.values.end(), agent.decision().values.begin(), agent.decision().values.end());
  }
  return result;
}

void expect_equal(const Conduct& left, const Conduct& right) {
  EXPECT_EQ(left.prompts, right.prompts);
  EXPECT_EQ(left.actions, right.actions);
  EXPECT_EQ(left.values, right.values);
}

std::vector<TrajectoryOf<LoggedWorld>> shortened(std::vector<TrajectoryOf<LoggedWorld>> episodes) {
  for (auto& episode : episodes) episode = every_second(episode);
  return episodes;
}

/// Of which it matters what is forgotten: a step that ends or a reward.
constexpr std::size_t few_episodes = 4;

class BufferSeam : public ::testing::TestWithParam<icpi_test::PromptMode> {
 protected:
  static PolicyIterationOptions options() {
    PolicyIterationOptions options = icpi::paper_options();
    options.seed = 3;
    options.prompts.examples = icpi_test::examples_of(GetParam());
    options.prompts.context_tokens = 500;
    return options;
  }
};
INSTANTIATE_TEST_SUITE_P(PromptModes, BufferSeam,
                         ::testing::Values(icpi_test::PromptMode::per_query, icpi_test::PromptMode::stable),
                         [](const auto& mode) {
                           return mode.param == icpi_test::PromptMode::stable ? "stable" : "per_query";
                         });

TEST_P(BufferSeam, WhatABufferForgetsNoPromptShows) {
  const auto episodes = random_episodes(few_episodes);
  const auto forgetting = conduct<ForgettingBuffer>(episodes, options());
  expect_equal(forgetting, conduct<TrajectoryBuffer<LoggedWorld>>(shortened(episodes), options()));
  const auto remembering = conduct<TrajectoryBuffer<LoggedWorld>>(episodes, options());
  EXPECT_NE(forgetting.prompts, remembering.prompts);
  EXPECT_NE(forgetting.actions, remembering.actions);
  EXPECT_NE(forgetting.values, remembering.values);
}

TEST_P(BufferSeam, WhatABufferDoesNotListNoWorldModelPromptShows) {
  const auto episodes = random_episodes(12);
  auto one_step = options();  // no action questions: their prompts show trajectories, which it does not shorten
  icpi_test::rollouts_of(one_step).step_limit = 1;
  const auto hiding = conduct<HidingBuffer>(episodes, one_step);
  expect_equal(hiding, conduct<TrajectoryBuffer<LoggedWorld>>(shortened(episodes), one_step));
  EXPECT_NE(hiding.prompts, conduct<TrajectoryBuffer<LoggedWorld>>(episodes, one_step).prompts);
}

/// Look-ups of one decision, requests that it took and bytes of examples that they showed.
struct LookUps {
  std::map<std::string, std::size_t> calls;
  std::size_t by_prompts = 0;
  std::size_t requests = 0;
  std::size_t bytes = 0;
};

LookUps look_ups(PolicyIterationOptions options, std::size_t context_tokens) {
  const auto log = std::make_shared<CallLog>();
  LoggedWorld world(log);
  LoggedWorldModel model(log);
  options.prompts.context_tokens = context_tokens;
  icpi_test::rollouts_of(options).rollouts_per_action = 3;
  PolicyIteration<LoggedWorld, LoggedWorldModel, LoggedText, LoggedBuffer> agent(world, model, options);
  for (const auto& episode : random_episodes(40)) agent.import(episode);
  agent.begin_episode(1, EpisodeKind::evaluation);
  log->clear();
  static_cast<void>(agent.act(1));
  LookUps result;
  for (const auto* member : {"matching", "reward_classes", "trajectory", "[]", "action_index"})
    result.calls[member] = log->count(member);
  result.by_prompts = log->count({"reward_classes", "trajectory", "matching"});
  result.requests = agent.decision().costs.lm_calls;
  result.bytes = model.prompt_bytes;
  EXPECT_EQ(agent.decision().costs.invalid, 0U);
  EXPECT_GT(result.requests, 30U);
  return result;
}

TEST_P(BufferSeam, LookUpsArePerPromptAndNotPerExample) {
  const auto few = look_ups(options(), 200);
  const auto many = look_ups(options(), 3000);
  EXPECT_EQ(few.requests, many.requests);
  EXPECT_GT(many.bytes, 4 * few.bytes);
  EXPECT_EQ(few.calls, many.calls);
  EXPECT_EQ(many.calls.at("[]"), 0U);
  EXPECT_EQ(many.calls.at("action_index"), 0U);
  // Whether every action was tried costs at most two a decision.
  const std::size_t asked_before = 2 * LoggedWorld::steps.size();
  if (GetParam() == icpi_test::PromptMode::stable) {
    EXPECT_LE(many.by_prompts, asked_before);  // prompts were written when the experience came
  } else {
    EXPECT_GT(many.by_prompts, asked_before);
    EXPECT_LE(many.calls.at("matching"), asked_before + 2 * many.requests);
    EXPECT_LE(many.calls.at("reward_classes"), many.requests);
    EXPECT_LE(many.calls.at("trajectory"), LastTrajectories{}.recency * many.requests);
    EXPECT_LT(many.by_prompts, many.requests);  // equal prompts of a batch share them
  }
}

}  // namespace
}  // namespace icpi
