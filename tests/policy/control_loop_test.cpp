// SPDX-License-Identifier: MIT
// The host of examples/control_loop.hpp, on a clock that moves when nothing else can.
#include "../../examples/control_loop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "icpi/domains/mini_catch_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"

namespace icpi {
namespace {

using namespace std::chrono_literals;
using control_loop::Report;
using control_loop::TimePoint;
using CatchQuestion = control_loop::Question<MiniCatch>;
using CatchAnswer = control_loop::Answer<MiniCatch>;

struct MadeUpClock {
  TimePoint time{1h};
  [[nodiscard]] TimePoint now() const { return time; }
  void sleep_until(TimePoint until) { time = std::max(time, until); }
};

/// Decides nothing, and takes so long for it.
struct SlowHand {
  MadeUpClock& clock;
  std::vector<std::chrono::milliseconds> takes;  ///< by question
  std::vector<CatchQuestion> asked{};
  TimePoint ready{};

  bool ask(const CatchQuestion& question) {
    if (clock.now() < ready) return false;
    ready = clock.now() + takes.at(asked.size());
    asked.push_back(question);
    return true;
  }
  [[nodiscard]] std::optional<CatchAnswer> take() const {
    if (clock.now() < ready) return std::nullopt;
    return CatchAnswer{MiniCatchAction::left};
  }
};

std::vector<MiniCatchAction> done_by(const CatchQuestion& question) {
  std::vector<MiniCatchAction> actions;
  for (const auto& step : question.done) actions.push_back(step.action);
  return actions;
}

TEST(ControlLoop, CountsWhatIsLateAndDoesWhatIsSafe) {
  MadeUpClock clock;
  MiniCatch env;
  SlowHand agent{clock, {1ms, 9ms, 10ms, 1ms, 26ms, 1ms}};
  const TimePoint start = clock.now();
  const Report report = control_loop::run(env, MiniCatchAction::stay, clock, agent, 8);
  EXPECT_EQ(report.in_time, 4U);  // due after 9 ms
  EXPECT_EQ(report.late, 2U);
  EXPECT_EQ(report.not_asked, 2U);  // 26 ms: two more ticks have begun by then
  EXPECT_EQ(report.cut_short, 0U);
  EXPECT_EQ(clock.now() - start, 79ms);
  EXPECT_THAT(report.lateness, ::testing::Each(0ns));

  ASSERT_EQ(agent.asked.size(), 6U);
  constexpr auto left = MiniCatchAction::left;
  constexpr auto stay = MiniCatchAction::stay;
  const std::vector<std::vector<MiniCatchAction>> done{{}, {left}, {left}, {stay}, {left}, {stay, stay, stay}};
  const std::vector<bool> decided{false, true, true, false, true, false};
  const std::vector<int> ticks{0, 1, 2, 3, 4, 7};
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(done_by(agent.asked[i]), done[i]) << i;
    EXPECT_EQ(agent.asked[i].decided, decided[i]) << i;
    EXPECT_EQ(agent.asked[i].deadline - start, ticks[i] * 10ms + 7ms) << i;
  }
}

/// How late the loop itself is.
struct LateClock : MadeUpClock {
  void sleep_until(TimePoint until) { MadeUpClock::sleep_until(until + 250us); }
};

TEST(ControlLoop, TellsItsOwnLatenessApart) {
  LateClock clock;
  MiniCatch env;
  SlowHand agent{clock, std::vector(5, 1ms)};
  const Report report = control_loop::run(env, MiniCatchAction::stay, clock, agent, 5);
  EXPECT_THAT(report.lateness, ::testing::Each(250us));  // it does not add up
  EXPECT_EQ(report.in_time, 5U);
}

/// Over when somebody's time is up; time passes when that is moved.
struct TimeIsUp {
  const TimePoint* time;
  TimePoint deadline;
  [[nodiscard]] bool stop_requested() const { return *time >= deadline; }
  [[nodiscard]] static bool stop_possible() { return true; }
};

/// The embedded model; every answer takes time, and every so many a long one.
class TimedModel {
 public:
  TimedModel(TimePoint& time, std::chrono::microseconds each, std::size_t long_every)
      : time_(&time), each_(each), long_every_(long_every) {}
  [[nodiscard]] std::string identity() const { return model_.identity(); }
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    model_.complete(requests, completions);
    for (std::size_t i = 0; i < requests.size(); ++i) *time_ += ++answered_ % long_every_ == 0 ? 15ms : each_;
  }

 private:
  InductionModel model_;
  TimePoint* time_;
  std::chrono::microseconds each_;
  std::size_t long_every_;
  std::size_t answered_ = 0;
};

using TimedAgent = PolicyIteration<MiniCatch, TimedModel>;

/// A real agent beside the loop, whose answer is there when its own time has come to an end.
class InlineAgent {
 public:
  InlineAgent(const MadeUpClock& clock, TimePoint& time, TimedAgent& agent)
      : clock_(&clock), time_(&time), player_(agent) {}

  bool ask(const CatchQuestion& question) {
    if (clock_->now() < *time_) return false;
    *time_ = clock_->now();
    done_.insert(done_.end(), question.done.begin(), question.done.end());
    answer_ = player_.decide(question, {.stop = TimeIsUp{time_, question.deadline}});
    return true;
  }
  std::optional<CatchAnswer> take() {
    if (clock_->now() < *time_) return std::nullopt;
    return std::exchange(answer_, std::nullopt);
  }
  /// All steps that the agent was told of.
  [[nodiscard]] const TrajectoryOf<MiniCatch>& done() const { return done_; }

 private:
  const MadeUpClock* clock_;
  TimePoint* time_;
  control_loop::Player<MiniCatch, TimedAgent> player_;
  std::optional<CatchAnswer> answer_;
  TrajectoryOf<MiniCatch> done_;
};

/// An agent, what it is made of, and what it was told.
struct Hosted {
  Hosted(std::chrono::microseconds each, std::size_t long_every, std::size_t ticks)
      : model(time, each, long_every), agent(env, model, options()), beside(clock, time, agent) {
    report = control_loop::run(env, MiniCatchAction::stay, clock, beside, ticks);
  }
  static PolicyIterationOptions options() {
    PolicyIterationOptions options{.seed = 3};
    options.queries.chunk = 1;
    return options;
  }

  MadeUpClock clock;
  TimePoint time{};
  MiniCatch env;
  TimedModel model;
  TimedAgent agent;
  InlineAgent beside;
  Report report;
};

TEST(ControlLoop, WithTimeEnoughItIsAHostThatWaits) {
  constexpr std::size_t ticks = 200;
  const Hosted hosted(0us, ticks * 10'000, ticks);
  EXPECT_EQ(hosted.report.in_time, ticks);
  EXPECT_EQ(hosted.report.cut_short, 0U);

  TimePoint never{};
  TimedModel model(never, 0us, ticks * 10'000);
  MiniCatch env;
  TimedAgent agent(env, model, Hosted::options());
  auto seen = env.reset(0);
  agent.begin_episode(seen);
  std::uint64_t episodes = 0;
  for (const auto& step : hosted.beside.done()) {
    ASSERT_EQ(agent.act(seen), step.action);
    const auto taken = env.step(step.action);
    agent.observe(taken);
    seen = taken.observation;
    if (!taken.terminated) continue;
    seen = env.reset(++episodes);
    agent.begin_episode(seen);
  }
  EXPECT_EQ(hosted.beside.done().size(), ticks - 1);  // nobody was told of the last one
  EXPECT_GT(agent.costs().lm_calls, 0U);
}

TEST(ControlLoop, TheAgentLearnsWhatTheHostDidInItsPlace) {
  constexpr std::size_t ticks = 400;
  const Hosted hosted(400us, 97, ticks);
  EXPECT_GT(hosted.report.in_time, ticks / 2);
  EXPECT_GT(hosted.report.cut_short, 0U);
  EXPECT_GT(hosted.report.late, 0U);
  EXPECT_GT(hosted.report.not_asked, 0U);
  EXPECT_EQ(hosted.report.in_time + hosted.report.late + hosted.report.not_asked, ticks);

  // What it was told is what happened, step for step.
  MiniCatch env;
  auto seen = env.reset(0);
  std::uint64_t episodes = 0;
  const auto& done = hosted.beside.done();
  for (const auto& step : done) {
    const auto taken = env.step(step.action);
    ASSERT_EQ(step, (TransitionOf<MiniCatch>{seen, step.action, taken.reward, taken.terminated, taken.truncated,
                                             taken.observation}));
    seen = taken.terminated ? env.reset(++episodes) : taken.observation;
  }
  // And all of it is remembered, once, broken off where the host had acted.
  const auto& kept = hosted.agent.memory().buffer;
  ASSERT_EQ(kept.size(), done.size());
  std::size_t broken_off = 0;
  for (TransitionId id = 0; id < kept.size(); ++id) {
    auto expected = done[id];
    if (kept[id].truncated) {
      ++broken_off;
      expected.truncated = true;
    }
    EXPECT_EQ(kept[id], expected);
  }
  EXPECT_GT(broken_off, 0U);
  EXPECT_LE(broken_off, hosted.report.late);
}

TEST(ControlLoop, NoDecisionIsLateByMoreThanOneAnswer) {
  const Hosted hosted(1900us, 1'000'000, 300);
  EXPECT_EQ(hosted.report.in_time, 300U);  // at most 7 + 1.9 ms, and due after 9
  EXPECT_GT(hosted.report.cut_short, 0U);
}

}  // namespace
}  // namespace icpi
