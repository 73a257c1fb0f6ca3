// SPDX-License-Identifier: MIT
#include "icpi/replay/trajectory_buffer.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "icpi/domains/chain.hpp"

namespace icpi {
namespace {

using Buffer = TrajectoryBuffer<Chain>;
using ChainTransition = TransitionOf<Chain>;
static_assert(SharedReplayBuffer<Buffer, Chain>);

ChainTransition step(Chain::Action action, double reward, bool terminated = false, bool truncated = false) {
  return {Chain::Observation{}, action, reward, terminated, truncated, Chain::Observation{}};
}

std::vector<TransitionId> ids(TransitionIds listed) { return {listed.begin(), listed.end()}; }

class TrajectoryBufferTest : public ::testing::Test {
 protected:
  Chain env_;
  Chain::Action left_ = env_.actions()[0];
  Chain::Action right_ = env_.actions()[2];
  Buffer buffer_{env_};
};

TEST_F(TrajectoryBufferTest, IndexesByActionAndTermination) {
  buffer_.append(std::vector{step(left_, 0), step(right_, 1, true)});
  buffer_.append(std::vector{step(left_, 2), step(left_, 0, false, true)});
  ASSERT_EQ(buffer_.trajectory_count(), 2U);
  EXPECT_EQ(ids(buffer_.trajectory(1)), (std::vector<TransitionId>{2, 3}));
  const auto left = buffer_.matching(0, false);
  EXPECT_EQ(std::vector(left.begin(), left.end()), (std::vector<TransitionId>{0, 2, 3}));
  EXPECT_EQ(buffer_.matching(2, true).size(), 1U);
  EXPECT_TRUE(buffer_.matching(1, false).empty());
  EXPECT_EQ(buffer_.reward_classes(0, false).size(), 2U);
  EXPECT_EQ(buffer_.action_index(1), 2U);
}

TEST_F(TrajectoryBufferTest, AppendIsAllOrNothing) {
  buffer_.append(std::vector{step(left_, 0, true)});
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_THROW(buffer_.append(std::vector{step(left_, 0), step(right_, infinite, true)}), InvalidArgument);
  EXPECT_THROW(buffer_.append(std::vector{step(left_, 0, true), step(right_, 0, true)}), InvalidArgument);
  EXPECT_EQ(buffer_.size(), 1U);
  EXPECT_EQ(buffer_.trajectory_count(), 1U);
  try {
    buffer_.append(std::vector{step(left_, 0), step(right_, infinite, true)});
  } catch (const InvalidArgument& error) {
    EXPECT_STREQ(error.what(), "step 1: the reward inf is not finite");
  }
}

TEST_F(TrajectoryBufferTest, AnExtendedTrajectoryIsSeenAtOnceAndCompleteWhenClosed) {
  buffer_.extend(step(left_, 0));
  EXPECT_EQ(buffer_.matching(0, false).size(), 1U);
  EXPECT_EQ(buffer_.trajectory_count(), 0U);
  EXPECT_THROW(buffer_.append(std::vector{step(left_, 0, true)}), InvalidArgument);
  buffer_.extend(step(right_, 1, true));
  buffer_.close();
  buffer_.close();
  EXPECT_EQ(buffer_.trajectory_count(), 1U);
  EXPECT_EQ(buffer_.trajectory(0).size(), 2U);
}

TEST_F(TrajectoryBufferTest, TrajectoriesGrowSideBySideAndAreListedAsTheyEnd) {
  const TrajectoryId first = buffer_.begin();
  const TrajectoryId second = buffer_.begin();
  const TrajectoryId empty = buffer_.begin();
  buffer_.extend(first, step(left_, 0));
  buffer_.extend(second, step(right_, 0));
  buffer_.append(std::vector{step(left_, 1, true)});
  buffer_.extend(first, step(right_, 0));
  buffer_.end(empty);
  EXPECT_EQ(buffer_.trajectory_count(), 1U);
  buffer_.end(second);
  buffer_.end(first);
  ASSERT_EQ(buffer_.trajectory_count(), 3U);
  EXPECT_EQ(ids(buffer_.trajectory(0)), (std::vector<TransitionId>{2}));
  EXPECT_EQ(ids(buffer_.trajectory(1)), (std::vector<TransitionId>{1}));
  EXPECT_EQ(ids(buffer_.trajectory(2)), (std::vector<TransitionId>{0, 3}));
  EXPECT_EQ(ids(buffer_.matching(2, false)), (std::vector<TransitionId>{1, 3}));
}

TEST_F(TrajectoryBufferTest, OnlyRunningTrajectoriesGrowAndEnd) {
  const TrajectoryId running = buffer_.begin();
  EXPECT_THROW(buffer_.extend(running + 1, step(left_, 0)), InvalidArgument);
  EXPECT_THROW(buffer_.extend(running, step(left_, std::numeric_limits<double>::infinity())), InvalidArgument);
  EXPECT_EQ(buffer_.size(), 0U);
  buffer_.end(running);
  EXPECT_THROW(buffer_.extend(running, step(left_, 0)), InvalidArgument);
  try {
    buffer_.end(running);
    ADD_FAILURE();
  } catch (const InvalidArgument& error) {
    EXPECT_STREQ(error.what(), "no trajectory 0 is running");
  }
}

/// An observation whose copying can be made to fail.
struct Fragile {
  int value = 0;
  static inline int copies_left = 1000000;
  Fragile() = default;
  Fragile(const Fragile& other) : value(other.value) {
    if (--copies_left < 0) throw std::runtime_error("copy");
  }
  Fragile& operator=(const Fragile&) = default;
  friend bool operator==(const Fragile&, const Fragile&) = default;
};
struct FragileWorld {
  using Observation = Fragile;
  using Action = int;
  [[nodiscard]] std::vector<int> actions() const { return {0, 1}; }
  Fragile reset(std::uint64_t) { return {}; }
  Step<Fragile> step(int) { return {{}, 0, true, false}; }
  [[nodiscard]] double discount() const { return 1; }
};

TEST(TrajectoryBuffer, AThrowingCopyLeavesNothingBehind) {
  TrajectoryBuffer<FragileWorld> buffer{FragileWorld{}};
  std::vector<TransitionOf<FragileWorld>> trajectory(5);
  trajectory.back().terminated = true;
  for (auto& each : trajectory) each.reward = 1;
  for (int copies = 0; copies < 12; ++copies) {
    Fragile::copies_left = copies;
    try {
      buffer.append(trajectory);
    } catch (const std::runtime_error&) {
      EXPECT_EQ(buffer.size(), 0U);
      EXPECT_TRUE(buffer.matching(0, false).empty());
      EXPECT_TRUE(buffer.reward_classes(0, false).empty());
    }
    if (buffer.size() > 0) break;
  }
  Fragile::copies_left = 1000000;
  EXPECT_TRUE(trajectory[0].observation == Fragile());
  const auto before = buffer.size();
  buffer.append(trajectory);
  EXPECT_EQ(buffer.size(), before + 5);
  EXPECT_EQ(buffer.matching(0, false).size(), buffer.size() / 5 * 4);
}

}  // namespace
}  // namespace icpi
