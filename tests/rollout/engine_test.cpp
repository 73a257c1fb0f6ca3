// SPDX-License-Identifier: MIT
#include "icpi/rollout/engine.hpp"

#include <gtest/gtest.h>

#include "support/random_rollout_model.hpp"
#include "support/sequential_rollouts.hpp"

namespace icpi {
namespace {

using testing::RandomRolloutModel;
using testing::SequentialRollouts;
using testing::ShuffledRolloutModel;

static_assert(RolloutModel<RandomRolloutModel>);
static_assert(AsynchronousRolloutModel<ShuffledRolloutModel>);

std::vector<DecisionTask> random_tasks(RandomStream& random, std::uint32_t actions) {
  std::vector<DecisionTask> tasks(1 + random.index(17));
  for (std::uint32_t prompt_context = 0; prompt_context < tasks.size(); ++prompt_context) {
    const RandomKey key(std::uint64_t{random()} << 32 | random());
    tasks[prompt_context] = {prompt_context, static_cast<ObservationId>(random.index(50)), actions,
                             0.5 + 0.5 * random.uniform(), key};
  }
  return tasks;
}

RolloutOptions random_options(RandomStream& random) {
  RolloutOptions options;
  options.step_limit = static_cast<int>(1 + random.index(8));
  options.rollouts_per_action = static_cast<int>(1 + random.index(33));
  options.attempts = static_cast<int>(1 + random.index(4));
  options.random_action_rate = random.index(2) == 0 ? 0 : 0.3;
  return options;
}

TEST(Engine, AgreesWithSequentialRolloutsBitForBit) {
  RandomStream random{RandomKey(1)};
  for (int trial = 0; trial < 60; ++trial) {
    const auto actions = static_cast<std::uint32_t>(1 + random.index(4));
    RandomRolloutModel model({.termination = 0.2 * random.uniform()}, actions);
    const auto tasks = random_tasks(random, actions);
    auto options = random_options(random);
    SequentialRollouts sequential(model, options);
    std::vector<DecisionResult> batched(tasks.size()), speculative(tasks.size()), shuffled(tasks.size());
    RolloutEngine engine;
    engine.run(model, tasks, options, batched);
    ShuffledRolloutModel asynchronous(model, 1 + random.index(64), random());
    RolloutEngine().run(asynchronous, tasks, options, shuffled);
    options.speculate = true;
    engine.run(model, tasks, options, speculative);
    ShuffledRolloutModel guessing(model, 1 + random.index(64), random());
    std::vector<DecisionResult> both(tasks.size());
    RolloutEngine().run(guessing, tasks, options, both);
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      const auto expected = sequential.run(tasks[i]);
      EXPECT_EQ(batched[i].returns, expected) << "trial " << trial << ", task " << i;
      EXPECT_EQ(speculative[i].returns, expected) << "speculative, trial " << trial << ", task " << i;
      EXPECT_EQ(shuffled[i].returns, expected) << "asynchronous, trial " << trial << ", task " << i;
      EXPECT_EQ(both[i].returns, expected) << "asynchronous and speculative, trial " << trial << ", task " << i;
    }
  }
}

TEST(Engine, AsksWhatTheSequentialOneAsksAndCountsTheRest) {
  for (const bool speculate : {false, true}) {
    RandomRolloutModel model;
    RolloutOptions options{.rollouts_per_action = 37};
    const std::vector<DecisionTask> tasks{{0, 3, 3, 0.8, RandomKey(5)}};
    std::vector<DecisionResult> results(1);
    options.speculate = speculate;
    RolloutEngine().run(model, tasks, options, results);
    const auto asked = model.asked;
    SequentialRollouts sequential(model, options);
    static_cast<void>(sequential.run(tasks[0]));
    EXPECT_EQ(asked, sequential.questions + results[0].costs.wasted);
    EXPECT_GT(results[0].costs.wasted, 0U);
  }
}

TEST(Engine, TakesThreeRoundsAStepAndTwoWhenItSpeculates) {
  for (int limit = 1; limit <= 9; ++limit) {
    RandomRolloutModel model({0, 0, 0, 0});
    const std::vector<DecisionTask> tasks{{0, 3, 3, 0.8, RandomKey(5)}, {1, 4, 2, 0.8, RandomKey(6)}};
    std::vector<DecisionResult> results(2);
    RolloutOptions options{.step_limit = limit, .rollouts_per_action = 4};
    RolloutEngine().run(model, tasks, options, results);
    EXPECT_EQ(model.batches, static_cast<std::uint64_t>(3 * limit - 1));
    EXPECT_EQ(results[0].costs.rounds, model.batches);
    options.speculate = true;
    RandomRolloutModel again({0, 0, 0, 0});
    RolloutEngine().run(again, tasks, options, results);
    EXPECT_EQ(again.batches, static_cast<std::uint64_t>(2 * limit - 1));
    // Of every step the reward under termination is not needed: 3 or 2 actions, 4 rollouts each.
    EXPECT_EQ(results[0].costs.wasted, static_cast<std::uint64_t>(limit * 3 * 4));
    EXPECT_EQ(results[1].costs.wasted, static_cast<std::uint64_t>(limit * 2 * 4));
  }
}

TEST(Engine, ARetryTakesOneMoreRound) {
  // Every first attempt is invalid.
  struct Model {
    void answer(std::span<const Question> questions, std::span<Answer> answers) {
      ++batches;
      for (std::size_t i = 0; i < questions.size(); ++i) {
        answers[i].status = questions[i].attempt == 0 ? AnswerStatus::invalid : AnswerStatus::valid;
      }
    }
    std::uint64_t batches = 0;
  } model;
  const std::vector<DecisionTask> tasks{{0, 0, 2, 1, RandomKey(5)}};
  std::vector<DecisionResult> results(1);
  RolloutEngine().run(model, tasks, {.step_limit = 2}, results);
  EXPECT_EQ(model.batches, 10U);                      // twice the five rounds of two steps
  EXPECT_EQ(results[0].costs.retries, 2U * (4 + 2));  // two rollouts: four questions in the first step, two in the last
}

TEST(Engine, SumsDiscountedRewardsAndStopsAtTermination) {
  // Reward 1 each step; terminates at the third.
  struct Model {
    void answer(std::span<const Question> questions, std::span<Answer> answers) {
      for (std::size_t i = 0; i < questions.size(); ++i) {
        answers[i] = {AnswerStatus::valid, questions[i].step == 2, 0, 0, 1.0};
      }
    }
  } model;
  const std::vector<DecisionTask> tasks{{0, 0, 1, 0.5, RandomKey(5)}};
  std::vector<DecisionResult> results(1);
  RolloutEngine engine;
  engine.run(model, tasks, {.step_limit = 6}, results);
  EXPECT_EQ(results[0].returns(0, 0), 1 + 0.5 + 0.25);
  ASSERT_EQ(engine.rollouts().size(), 1U);
  EXPECT_EQ(engine.rollouts()[0].end(), RolloutEnd::terminated);
  EXPECT_EQ(engine.rollouts()[0].steps().size(), 3U);
  engine.run(model, tasks, {.step_limit = 2}, results);
  EXPECT_EQ(results[0].returns(0, 0), 1.5);
  EXPECT_EQ(engine.rollouts()[0].end(), RolloutEnd::step_limit);
}

TEST(Engine, AnActionThatFailedEndsTheRolloutAndOneThatIsInvalidIsDrawn) {
  struct Model {
    AnswerStatus action = AnswerStatus::failed;
    void answer(std::span<const Question> questions, std::span<Answer> answers) {
      for (std::size_t i = 0; i < questions.size(); ++i) {
        answers[i] = {questions[i].kind == QueryKind::action ? action : AnswerStatus::valid, false, 0, 0, 1.0};
      }
    }
  };
  const std::vector<DecisionTask> tasks{{0, 0, 1, 1, RandomKey(5)}};
  std::vector<DecisionResult> results(1);
  RolloutEngine engine;
  Model failing;
  engine.run(failing, tasks, {.step_limit = 3}, results);
  EXPECT_EQ(engine.rollouts()[0].end(), RolloutEnd::failed);
  EXPECT_EQ(results[0].returns(0, 0), 1.0);
  Model babbling{AnswerStatus::invalid};
  engine.run(babbling, tasks, {.step_limit = 3}, results);
  EXPECT_EQ(engine.rollouts()[0].end(), RolloutEnd::step_limit);
  EXPECT_EQ(results[0].returns(0, 0), 3.0);
}

TEST(Engine, KeepsWithinTheConcurrencyOfTheModel) {
  for (const std::size_t limit : {1U, 2U, 5U, 1000U}) {
    ShuffledRolloutModel model(RandomRolloutModel{}, limit, 3);
    const std::vector<DecisionTask> tasks{{0, 3, 3, 0.8, RandomKey(5)}};
    std::vector<DecisionResult> results(1);
    RolloutEngine().run(model, tasks, {.rollouts_per_action = 8}, results);
    EXPECT_LE(model.most_in_flight, limit);
    EXPECT_EQ(model.most_in_flight,
              std::min<std::size_t>(limit, 24 + (limit == 1000U ? model.most_in_flight - 24 : 0)));
  }
}

}  // namespace
}  // namespace icpi
