// SPDX-License-Identifier: MIT
// The thread of examples/control_loop.hpp.
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "../../examples/control_loop.hpp"
#include "icpi/domains/mini_catch_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"

namespace icpi {
namespace {

using CatchQuestion = control_loop::Question<MiniCatch>;
using CatchAnswer = control_loop::Answer<MiniCatch>;
using CatchThread = control_loop::AgentThread<MiniCatch>;

constexpr auto never = control_loop::TimePoint::max();

CatchAnswer wait_for_answer(CatchThread& thread) {
  auto answer = thread.take();
  for (; !answer; answer = thread.take()) std::this_thread::yield();
  return *answer;
}

TEST(AgentThread, AnswersOnAThreadOfItsOwnAndOneQuestionAtATime) {
  std::atomic<bool> may_answer = false;
  std::thread::id there;
  CatchThread thread([&](const CatchQuestion& question, const Until&) {
    there = std::this_thread::get_id();
    while (!may_answer) std::this_thread::yield();
    return CatchAnswer{question.seen.paddle == 0 ? MiniCatchAction::right : MiniCatchAction::left};
  });
  EXPECT_FALSE(thread.take());
  EXPECT_TRUE(thread.ask({.seen = {0, 1, 1}, .deadline = never}));
  EXPECT_FALSE(thread.ask({.seen = {1, 1, 1}, .deadline = never}));
  EXPECT_FALSE(thread.take());
  may_answer = true;
  EXPECT_EQ(wait_for_answer(thread).action, MiniCatchAction::right);
  EXPECT_FALSE(thread.take());
  EXPECT_TRUE(thread.ask({.seen = {1, 1, 1}, .deadline = never}));
  EXPECT_EQ(wait_for_answer(thread).action, MiniCatchAction::left);
  EXPECT_NE(there, std::this_thread::get_id());
}

TEST(AgentThread, DropsAnAnswerThatNobodyTook) {
  std::atomic<int> decided = 0;
  CatchThread thread([&](const CatchQuestion& question, const Until&) {
    const bool first = decided++ == 0;
    EXPECT_EQ(first, question.seen.paddle == 0);
    return CatchAnswer{first ? MiniCatchAction::right : MiniCatchAction::left};
  });
  EXPECT_TRUE(thread.ask({.seen = {0, 1, 1}, .deadline = never}));
  while (!thread.ask({.seen = {1, 1, 1}, .deadline = never})) std::this_thread::yield();
  EXPECT_EQ(wait_for_answer(thread).action, MiniCatchAction::left);
  EXPECT_EQ(decided, 2);
}

TEST(AgentThread, EndsADecisionThatIsUnderWay) {
  std::atomic<bool> deciding = false;
  bool told = false;
  {
    CatchThread thread([&](const CatchQuestion&, const Until& until) {
      deciding = true;
      while (!until.over()) std::this_thread::yield();
      told = until.stop.stop_requested();
      return CatchAnswer{};
    });
    EXPECT_TRUE(thread.ask({.deadline = never}));
    while (!deciding) std::this_thread::yield();
  }
  EXPECT_TRUE(told);
}

TEST(AgentThread, KeepsWhatTheAgentThrew) {
  CatchThread thread([](const CatchQuestion&, const Until&) -> CatchAnswer { throw std::runtime_error("no model"); });
  EXPECT_TRUE(thread.ask({.deadline = never}));
  while (!thread.failure()) std::this_thread::yield();
  EXPECT_FALSE(thread.ask({.deadline = never}));
  EXPECT_FALSE(thread.take());
  try {
    std::rethrow_exception(thread.failure());
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "no model");
  }
}

TEST(AgentThread, PlaysForAHostThatWaitsForEveryAnswer) {
  MiniCatch env;
  InductionModel model;
  PolicyIteration<MiniCatch, InductionModel> agent(env, model, {.seed = 1});
  control_loop::Player<MiniCatch, PolicyIteration<MiniCatch, InductionModel>> player(agent);
  std::size_t episodes = 0;
  {
    CatchThread thread(
        [&](const CatchQuestion& question, const Until& until) { return player.decide(question, until); });
    CatchQuestion question{.seen = env.reset(0), .deadline = never};
    for (int tick = 0; tick < 100; ++tick) {
      ASSERT_TRUE(thread.ask(question));
      const auto action = wait_for_answer(thread).action;
      const auto step = env.step(action);
      question.done = {{question.seen, action, step.reward, step.terminated, step.truncated, step.observation}};
      question.decided = true;
      question.seen = step.terminated ? env.reset(++episodes) : step.observation;
    }
  }
  EXPECT_EQ(agent.episodes(), 20U);  // of five steps
  EXPECT_EQ(agent.memory().buffer.size(), 99U);
}

}  // namespace
}  // namespace icpi
