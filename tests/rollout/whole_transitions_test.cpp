// SPDX-License-Identifier: MIT
// What one question about a whole transition must give: the values of three separate ones.
#include <gtest/gtest.h>

#include <span>
#include <vector>

#include "icpi/rollout/engine.hpp"
#include "icpi/rollout/planner.hpp"
#include "support/random_rollout_model.hpp"

namespace icpi {
namespace {

using testing::RandomRolloutModel;

/// Answers that depend on where, what and which kind alone; bad ones stay bad however often they are asked for.
class FixedWorld {
 public:
  explicit FixedWorld(std::uint64_t seed, RandomRolloutModel::Rates rates)
      : key_(seed), model_(RandomRolloutModel(rates)) {}

  void answer(std::span<const Question> questions, std::span<Answer> answers) {
    for (std::size_t i = 0; i < questions.size(); ++i) answers[i] = answer(questions[i]);
    asked += questions.size();
  }

  [[nodiscard]] Answer answer(Question question) const {
    question.attempt = 0;
    question.key = key_.child(static_cast<std::uint64_t>(question.kind));
    return model_.answer(question);
  }

  std::uint64_t asked = 0;

 private:
  RandomKey key_;
  RandomRolloutModel model_;
};

/// The same world where whole transitions are asked about.
class WholeWorld {
 public:
  explicit WholeWorld(const FixedWorld& world) : world_(world) {}

  void answer(std::span<const Question> questions, std::span<Answer> answers) {
    for (std::size_t i = 0; i < questions.size(); ++i) answers[i] = answer(questions[i]);
    asked += questions.size();
  }
  [[nodiscard]] static bool whole_transitions(std::uint32_t /*prompt_context*/) { return true; }

  [[nodiscard]] Answer answer(const Question& question) const {
    if (question.kind == QueryKind::action) return world_.answer(question);
    EXPECT_EQ(question.kind, QueryKind::transition);
    Answer whole;
    Question part = question;
    for (const QueryKind kind : {QueryKind::termination, QueryKind::reward, QueryKind::observation}) {
      if (kind == QueryKind::observation && whole.terminated) break;
      part.kind = kind;
      part.terminated = kind == QueryKind::reward && whole.terminated;
      const Answer answer = world_.answer(part);
      whole.status = answer.status;
      if (answer.status != AnswerStatus::valid) return whole;
      if (kind == QueryKind::termination) whole.terminated = answer.terminated;
      if (kind == QueryKind::reward) whole.reward = answer.reward;
      if (kind == QueryKind::observation) whole.observation = answer.observation;
      ++whole.parts;
    }
    return whole;
  }

  std::uint64_t asked = 0;

 private:
  FixedWorld world_;
};

static_assert(KnowsWholeTransitions<WholeWorld>);
static_assert(!KnowsWholeTransitions<FixedWorld>);

/// The same, one by one and in random order.
class ShuffledWholeWorld : public WholeWorld {
 public:
  using WholeWorld::WholeWorld;

  [[nodiscard]] static bool asynchronous() { return true; }
  [[nodiscard]] static std::size_t concurrency() { return 7; }
  void submit(const Question& question, std::uint64_t ticket) {
    waiting_.push_back({ticket, WholeWorld::answer(question)});
  }
  std::size_t collect(std::span<FinishedAnswer> out) {
    std::swap(waiting_[order_.index(waiting_.size())], waiting_.back());
    out[0] = waiting_.back();
    waiting_.pop_back();
    return 1;
  }
  void cancel_all() {}

 private:
  std::vector<FinishedAnswer> waiting_;
  RandomStream order_{RandomKey(3)};
};

std::vector<DecisionTask> transition_tasks(RandomStream& random) {
  std::vector<DecisionTask> tasks(1 + random.index(5));
  for (std::uint32_t i = 0; i < tasks.size(); ++i)
    tasks[i] = {i, static_cast<ObservationId>(random.index(50)), 3, 0.9, RandomKey(random())};
  return tasks;
}

RandomRolloutModel::Rates random_rates(RandomStream& random) {
  return {0.3 * random.uniform(), 0.1 * random.uniform(), 0.1 * random.uniform(), 0.1 * random.uniform()};
}

TEST(WholeTransitions, MakeTheRolloutsOfSeparateQuestions) {
  RandomStream random{RandomKey(1)};
  for (int trial = 0; trial < 100; ++trial) {
    FixedWorld separate(random(), random_rates(random));
    WholeWorld whole(separate);
    ShuffledWholeWorld shuffled(separate);
    const auto tasks = transition_tasks(random);
    RolloutOptions options{.step_limit = static_cast<int>(1 + random.index(8)),
                           .rollouts_per_action = static_cast<int>(1 + random.index(5)),
                           .speculate = trial % 2 == 1};
    std::vector<DecisionResult> expected(tasks.size()), got(tasks.size()), one_by_one(tasks.size());
    RolloutEngine().run(separate, tasks, options, expected);
    RolloutEngine().run(whole, tasks, options, got);
    RolloutEngine().run(shuffled, tasks, options, one_by_one);
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      EXPECT_EQ(got[i].returns, expected[i].returns) << "trial " << trial << ", task " << i;
      EXPECT_EQ(one_by_one[i].returns, expected[i].returns) << "trial " << trial << ", task " << i;
      EXPECT_EQ(got[i].costs.wasted, 0U);
    }
  }
}

TEST(WholeTransitions, MakeThePlansOfSeparateQuestions) {
  RandomStream random{RandomKey(2)};
  for (int trial = 0; trial < 100; ++trial) {
    FixedWorld separate(random(), random_rates(random));
    WholeWorld whole(separate);
    ShuffledWholeWorld shuffled(separate);
    const auto tasks = transition_tasks(random);
    const PlanningOptions options{.step_limit = static_cast<int>(1 + random.index(4)), .node_limit = 40};
    std::vector<DecisionResult> expected(tasks.size()), got(tasks.size()), one_by_one(tasks.size());
    Planner planner, whole_planner, shuffled_planner;
    planner.run(separate, tasks, options, expected);
    whole_planner.run(whole, tasks, options, got);
    shuffled_planner.run(shuffled, tasks, options, one_by_one);
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      EXPECT_EQ(got[i].returns, expected[i].returns) << "trial " << trial << ", task " << i;
      EXPECT_EQ(one_by_one[i].returns, expected[i].returns) << "trial " << trial << ", task " << i;
      EXPECT_EQ(whole_planner.imagined(i).size(), planner.imagined(i).size());
    }
  }
}

/// Without terminations and bad answers, three questions become one, and three rounds one.
TEST(WholeTransitions, TakeAThirdOfTheQuestionsAndRounds) {
  FixedWorld separate(5, {0, 0, 0, 0});
  WholeWorld whole(separate);
  const std::vector<DecisionTask> tasks{{0, 1, 3, 0.9, RandomKey(4)}};
  std::vector<DecisionResult> expected(1), got(1);
  Planner().run(separate, tasks, {.step_limit = 4}, expected);
  Planner().run(whole, tasks, {.step_limit = 4}, got);
  EXPECT_EQ(got[0].costs.rounds, 4U);
  EXPECT_EQ(expected[0].costs.rounds, 3U * 3 + 2);
  EXPECT_LE(3 * whole.asked, separate.asked + whole.asked);
  RolloutEngine().run(separate, tasks, {.step_limit = 4}, expected);
  RolloutEngine().run(whole, tasks, {.step_limit = 4}, got);
  EXPECT_EQ(got[0].costs.rounds, 2U * 3 + 1);
  EXPECT_EQ(expected[0].costs.rounds, 3U * 3 + 2);
}

/// Answers what it is told to, in order.
struct Scripted {
  void answer(std::span<const Question> questions, std::span<Answer> answers) {
    for (std::size_t i = 0; i < questions.size(); ++i) {
      attempts.push_back(questions[i].attempt);
      answers[i] = script[std::min(attempts.size(), script.size()) - 1];
    }
  }
  [[nodiscard]] static bool whole_transitions(std::uint32_t /*prompt_context*/) { return true; }

  std::vector<Answer> script;
  std::vector<std::uint32_t> attempts;
};

Answer parts(AnswerStatus status, std::uint8_t count, double reward = 0) {
  return {.status = status, .observation = 1, .reward = reward, .parts = count};
}

TEST(WholeTransitions, AreAskedAgainUntilTheyTellWhatTheStepNeeds) {
  const std::vector<DecisionTask> tasks{{0, 0, 1, 0.5, RandomKey(1)}};
  std::vector<DecisionResult> results(1);
  const auto run = [&](Scripted model, int steps) {
    RolloutEngine().run(model, tasks, {.step_limit = steps}, results);
    const double value = results[0].returns(0, 0);
    const auto attempts = model.attempts;
    model.attempts.clear();
    Planner().run(model, tasks, {.step_limit = steps}, results);
    EXPECT_EQ(results[0].returns(0, 0), value);
    EXPECT_EQ(model.attempts, attempts);
    return std::pair(value, attempts);
  };
  // The last step needs no observation.
  Scripted last{{parts(AnswerStatus::invalid, 2, 3)}, {}};
  EXPECT_EQ(run(last, 1), std::pair(3.0, std::vector<std::uint32_t>{0}));
  // Three attempts, then what was told last counts.
  Scripted stubborn{
      {parts(AnswerStatus::invalid, 1), parts(AnswerStatus::invalid, 0), parts(AnswerStatus::invalid, 2, 4)}, {}};
  EXPECT_EQ(run(stubborn, 2), std::pair(4.0, std::vector<std::uint32_t>{0, 1, 2}));
  Scripted mute{{parts(AnswerStatus::invalid, 1)}, {}};
  EXPECT_EQ(run(mute, 2), std::pair(0.0, std::vector<std::uint32_t>{0, 1, 2}));
  // Asking again cannot help.
  Scripted impossible{{parts(AnswerStatus::impossible, 2, 5)}, {}};
  EXPECT_EQ(run(impossible, 2), std::pair(5.0, std::vector<std::uint32_t>{0}));
}

}  // namespace
}  // namespace icpi
