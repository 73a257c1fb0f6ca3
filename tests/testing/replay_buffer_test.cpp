// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "icpi/domains/all.hpp"
#include "icpi/replay/trajectory_buffer.hpp"
#include "icpi/testing/check_replay_buffer.hpp"
#include "support/archetypes.hpp"

namespace icpi::testing {
namespace {

TEST(CheckReplayBuffer, FindsNothingInTheTrajectoryBuffer) {
  for_each_domain([](const auto& env) {
    using Env = std::remove_cvref_t<decltype(env)>;
    const Report report = check_replay_buffer<TrajectoryBuffer<Env>>(env);
    EXPECT_TRUE(report.ok()) << env.facts().name << "\n" << report;
    EXPECT_GT(report.checks(), 1000U);
  });
}

TEST(CheckReplayBuffer, FindsNothingInOneThatForgets) {
  for (const std::size_t held : {1U, 7U, 60U}) {
    const Report report =
        check_replay_buffer<TrajectoryBuffer<Maze>>(Maze{}, [held] { return TrajectoryBuffer<Maze>(Maze{}, held); });
    EXPECT_TRUE(report.ok()) << held << "\n" << report;
  }
}

TEST(CheckReplayBuffer, FindsNothingInTheArchetype) {
  const Report report =
      check_replay_buffer<archetype::Buffer>(archetype::Environment(3), [] { return archetype::Buffer(2); });
  EXPECT_TRUE(report.ok()) << report;
}

enum class Fault {
  none,
  forgets,
  half_append,
  newest_first,
  lists_twice,
  wrong_action,
  counts_running,
  one_class,
  misses_class,
  throws,
};

using T = TransitionOf<Maze>;

/// A trajectory buffer with one fault.
class Faulty {
 public:
  explicit Faulty(Fault fault) : fault_(fault), sound_(Maze{}) {}
  void append(std::span<const T> trajectory) {
    if (fault_ == Fault::throws && sound_.size() > 20) throw std::length_error("full");
    if (fault_ == Fault::half_append) {
      for (const T& transition : trajectory) sound_.extend(transition);
      return sound_.close();
    }
    sound_.append(trajectory);
  }
  void extend(const T& transition) { sound_.extend(transition); }
  void close() { sound_.close(); }
  [[nodiscard]] std::size_t size() const { return sound_.size(); }
  [[nodiscard]] const T& operator[](TransitionId id) const { return sound_[fault_ == Fault::forgets ? id / 2 : id]; }
  [[nodiscard]] std::size_t action_index(TransitionId id) const {
    return fault_ == Fault::wrong_action ? 0 : sound_.action_index(id);
  }
  [[nodiscard]] std::size_t trajectory_count() const {
    return sound_.trajectory_count() + (fault_ == Fault::counts_running ? 1 : 0);
  }
  [[nodiscard]] TransitionIds trajectory(std::size_t number) const { return sound_.trajectory(number); }
  [[nodiscard]] std::span<const TransitionId> matching(std::size_t action, bool terminated) const {
    const auto ids = sound_.matching(action, terminated);
    ids_.assign(ids.begin(), ids.end());
    if (fault_ == Fault::newest_first) std::reverse(ids_.begin(), ids_.end());
    if (fault_ == Fault::lists_twice && !ids_.empty()) ids_.push_back(ids_.back());
    return ids_;
  }
  [[nodiscard]] std::span<const RewardClass> reward_classes(std::size_t action, bool terminated) const {
    if (fault_ != Fault::one_class && fault_ != Fault::misses_class) return sound_.reward_classes(action, terminated);
    classes_.clear();
    const auto ids = sound_.matching(action, terminated);
    if (fault_ == Fault::one_class) classes_.push_back({ids.empty() ? 0.5 : 7.5, {ids.begin(), ids.end()}});
    return classes_;
  }

 private:
  Fault fault_;
  TrajectoryBuffer<Maze> sound_;
  mutable std::vector<TransitionId> ids_;
  mutable std::vector<RewardClass> classes_;
};
static_assert(ReplayBuffer<Faulty, Maze>);

TEST(CheckReplayBuffer, CatchesEveryFault) {
  const auto check = [](Fault fault) { return check_replay_buffer<Faulty>(Maze{}, [fault] { return Faulty(fault); }); };
  const Report sound = check(Fault::none);
  EXPECT_TRUE(sound.ok()) << sound;
  const std::vector<std::pair<Fault, std::string>> faults{
      {Fault::forgets, "never change"},      {Fault::half_append, "every transition that was recorded"},
      {Fault::newest_first, "matching()"},   {Fault::lists_twice, "matching()"},
      {Fault::wrong_action, "action_index"}, {Fault::counts_running, "the running one is not"},
      {Fault::one_class, "named after"},     {Fault::misses_class, "exactly one reward class"},
      {Fault::throws, "can be recorded"},
  };
  for (const auto& [fault, law] : faults) {
    const Report report = check(fault);
    EXPECT_TRUE(report.violates(law)) << law << "\n" << report;
  }
}

enum class Lapse { none, splits, drops_newest, drops_running, miscounts, recalls };

/// A trajectory buffer that holds no more than 30 transitions, and has one fault.
class Lapsing : public TrajectoryBuffer<Maze> {
 public:
  explicit Lapsing(Lapse lapse) : TrajectoryBuffer(Maze{}, 30), lapse_(lapse) {}
  [[nodiscard]] std::size_t size() const { return TrajectoryBuffer::size() - hidden(); }
  [[nodiscard]] std::size_t departed() const { return TrajectoryBuffer::departed() + hidden(); }
  [[nodiscard]] bool holds(TransitionId id) const {
    return TrajectoryBuffer::holds(id) && (hidden() == 0 || lapse_ == Lapse::miscounts || id != first_hidden());
  }

 private:
  /// One transition that is said to have left.
  [[nodiscard]] std::size_t hidden() const {
    const std::size_t came = TrajectoryBuffer::size() + TrajectoryBuffer::departed();
    if (came < 40) return 0;
    if (lapse_ == Lapse::recalls) return came % 3 == 0 ? 1 : 0;
    return lapse_ == Lapse::none ? 0 : 1;
  }
  [[nodiscard]] TransitionId first_hidden() const {
    const std::size_t newest = trajectory_count() - 1;
    if (lapse_ == Lapse::drops_newest) return trajectory(newest).back();
    if (lapse_ == Lapse::drops_running)
      return static_cast<TransitionId>(TrajectoryBuffer::size() + TrajectoryBuffer::departed() - 1);
    return trajectory(0)[0];
  }

  Lapse lapse_;
};

TEST(CheckReplayBuffer, CatchesEveryLapseOfOneThatForgets) {
  static_assert(ForgetsTransitions<Lapsing>);
  const auto check = [](Lapse lapse) {
    return check_replay_buffer<Lapsing>(Maze{}, [lapse] { return Lapsing(lapse); });
  };
  const Report sound = check(Lapse::none);
  EXPECT_TRUE(sound.ok()) << sound;
  const std::vector<std::pair<Lapse, std::string>> lapses{
      {Lapse::splits, "whole trajectories"}, {Lapse::drops_newest, "newest complete"},
      {Lapse::drops_running, "running"},     {Lapse::miscounts, "departed()"},
      {Lapse::recalls, "never comes back"},
  };
  for (const auto& [lapse, law] : lapses) {
    const Report report = check(lapse);
    EXPECT_TRUE(report.violates(law)) << law << "\n" << report;
  }
}

}  // namespace
}  // namespace icpi::testing
