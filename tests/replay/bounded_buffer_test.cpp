// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "icpi/core/random.hpp"
#include "icpi/domains/chain.hpp"
#include "icpi/replay/trajectory_buffer.hpp"

namespace icpi {
namespace {

using Buffer = TrajectoryBuffer<Chain>;
using ChainTransition = TransitionOf<Chain>;
static_assert(ForgetsTransitions<Buffer>);

/// What a buffer serves, its transitions numbered from the oldest on.
std::string served(const Buffer& buffer) {
  std::map<TransitionId, std::size_t> place;
  const auto next = static_cast<TransitionId>(buffer.size() + buffer.departed());
  for (TransitionId id = 0; id < next; ++id)
    if (buffer.holds(id)) place.emplace(id, place.size());
  EXPECT_EQ(place.size(), buffer.size());
  std::string text;
  const auto list = [&](TransitionIds ids) {
    for (const TransitionId id : ids) text += std::to_string(place.at(id)) + ' ';
    text += '\n';
  };
  for (const auto& [id, number] : place)
    text += std::to_string(buffer.action_index(id)) + ' ' + std::to_string(buffer[id].reward) + '\n';
  for (std::size_t i = 0; i < buffer.trajectory_count(); ++i) list(buffer.trajectory(i));
  for (std::size_t action = 0; action < 3; ++action) {
    for (const bool terminated : {false, true}) {
      list(buffer.matching(action, terminated));
      for (const RewardClass& each : buffer.reward_classes(action, terminated)) {
        text += std::to_string(each.reward) + ": ";
        list(each.members);
      }
    }
  }
  return text;
}

/// Trajectories that run side by side, and those that are complete, kept the plainest way.
struct Plain {
  struct Kept {
    TrajectoryId id = 0;
    std::vector<std::pair<std::size_t, ChainTransition>> steps;  ///< with the time of their coming
  };
  std::vector<Kept> running;
  std::vector<Kept> complete;

  [[nodiscard]] std::size_t size() const {
    std::size_t size = 0;
    for (const auto* list : {&running, &complete})
      for (const Kept& each : *list) size += each.steps.size();
    return size;
  }
  void forget(std::size_t most) {
    while (size() > most && complete.size() > 1) complete.erase(complete.begin());
  }
  /// A buffer that was given only this.
  [[nodiscard]] Buffer buffer() const {
    Buffer result{Chain{}};
    std::map<std::size_t, std::pair<TrajectoryId, const ChainTransition*>> by_time;
    std::vector<TrajectoryId> ids;
    for (const auto* list : {&complete, &running}) {
      for (const Kept& each : *list) {
        ids.push_back(result.begin());
        for (const auto& [time, step] : each.steps) by_time[time] = {ids.back(), &step};
      }
    }
    for (const auto& [time, step] : by_time) result.extend(step.first, *step.second);
    for (std::size_t i = 0; i < complete.size(); ++i) result.end(ids[i]);
    return result;
  }
};

TEST(BoundedBuffer, ServesWhatOneServesThatWasGivenOnlyWhatItHolds) {
  const Chain env;
  for (const std::size_t rewards : {2U, 6U, 40U}) {
    for (const std::size_t most : {1U, 20U, 90U}) {
      RandomStream stream(RandomKey(rewards * 1000 + most));
      Buffer buffer(env, most);
      Plain plain;
      for (std::size_t time = 0; time < 1500; ++time) {
        if (plain.running.size() < 4 && stream.index(3) == 0) plain.running.push_back({buffer.begin(), {}});
        if (plain.running.empty()) continue;
        const auto chosen = plain.running.begin() + static_cast<std::ptrdiff_t>(stream.index(plain.running.size()));
        const bool ends = stream.index(6) == 0;
        const double reward = static_cast<double>(stream.index(rewards)) - (rewards == 40 ? 20 : 0);
        const ChainTransition step{{}, env.actions()[stream.index(3)], reward, ends && stream.index(2) == 0, false, {}};
        buffer.extend(chosen->id, step);
        chosen->steps.emplace_back(time, step);
        if (!ends) continue;
        buffer.end(chosen->id);
        plain.complete.push_back(*chosen);
        plain.running.erase(chosen);
        plain.forget(most);
        ASSERT_EQ(served(buffer), served(plain.buffer())) << rewards << ' ' << most << ' ' << time;
      }
      EXPECT_GT(buffer.departed(), 500U);
      EXPECT_LT(buffer.size(), most + 150U);
    }
  }
}

TEST(BoundedBuffer, KeepsTheNewestTrajectoryHoweverLongAndWhatIsRunning) {
  const Chain env;
  Buffer buffer(env, 3);
  const ChainTransition step{{}, env.actions()[0], 0, false, false, {}};
  const TrajectoryId running = buffer.begin();
  buffer.extend(running, step);
  buffer.append(std::vector(5, step));
  EXPECT_EQ(buffer.size(), 6U);
  buffer.append(std::vector(2, step));
  EXPECT_EQ(buffer.size(), 3U);
  EXPECT_EQ(buffer.departed(), 5U);
  EXPECT_TRUE(buffer.holds(0));
  EXPECT_FALSE(buffer.holds(1));
  EXPECT_TRUE(buffer.holds(7));
  EXPECT_FALSE(buffer.holds(8));
  EXPECT_THROW(Buffer(env, 0), InvalidArgument);
}

TEST(BoundedBuffer, ARunningTrajectoryLongerThanTheBoundStaysAndDrivesOthersOut) {
  const Chain env;
  Buffer buffer(env, 10);
  const ChainTransition step{{}, env.actions()[0], 0, false, false, {}};
  const TrajectoryId running = buffer.begin();
  for (int i = 0; i < 40; ++i) {
    for (int k = 0; k < 3; ++k) buffer.extend(running, step);
    buffer.append(std::vector(2, step));
    const auto long_one = static_cast<std::size_t>(3 * (i + 1));
    EXPECT_EQ(buffer.size(), std::max<std::size_t>(long_one + 2, i == 1 ? 10 : 0));  // the newest one is beside it
    EXPECT_TRUE(buffer.holds(0));
  }
  EXPECT_EQ(buffer.trajectory_count(), 1U);
  buffer.end(running);  // now it is the newest complete one
  EXPECT_EQ(buffer.size(), 120U);
  EXPECT_EQ(buffer.trajectory_count(), 1U);
  EXPECT_EQ(buffer.trajectory(0).size(), 120U);
  buffer.append(std::vector(4, step));
  EXPECT_EQ(buffer.size(), 4U);
  EXPECT_EQ(buffer.departed(), 200U);
  EXPECT_FALSE(buffer.holds(0));
}

TEST(BoundedBuffer, ARefusedTrajectoryDrivesNothingOut) {
  const Chain env;
  Buffer buffer(env, 4);
  const ChainTransition step{{}, env.actions()[0], 0, false, false, {}};
  buffer.append(std::vector(4, step));
  const std::string before = served(buffer);
  auto spoilt = std::vector(3, step);
  spoilt[2].reward = std::numeric_limits<double>::infinity();
  EXPECT_THROW(buffer.append(spoilt), InvalidArgument);
  EXPECT_EQ(served(buffer), before);
  EXPECT_EQ(buffer.departed(), 0U);
}

}  // namespace
}  // namespace icpi
