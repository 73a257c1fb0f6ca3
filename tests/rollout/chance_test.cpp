// SPDX-License-Identifier: MIT
// Planning where steps have several outcomes, and what explorations hope for at what is imagined.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "icpi/rollout/planning.hpp"
#include "support/random_rollout_model.hpp"

namespace icpi {
namespace {

/// A river of five places: right swims, and may stand or fall back; left drifts for certain. Rewards at both ends. Every
/// question is answered by the part of chance that its sample stands for: `outcomes` samples make up the probabilities.
struct River {
  static constexpr int outcomes = 20;
  static constexpr std::uint32_t places = 5;
  static constexpr std::array<double, 3> chances{0.35, 0.6, 0.05};  // on, stay, back

  struct Result {
    bool terminated;
    double reward;
    std::uint32_t next;
  };
  static Result result(std::uint32_t place, std::uint32_t action, std::size_t number) {
    if (action == 0) return {false, place == 0 ? 0.05 : 0, place == 0 ? 0 : place - 1};
    if (place == places - 1) return {number == 0, 1, place - (number == 2 ? 1 : 0)};
    return {false, 0, number == 0 ? place + 1 : number == 1 || place == 0 ? place : place - 1};
  }

  void answer(std::span<const Question> questions, std::span<Answer> answers) {
    for (std::size_t i = 0; i < questions.size(); ++i) {
      const Question& question = questions[i];
      drawn += question.drawn ? 1 : 0;
      double left = (question.sample + 0.5) / outcomes;
      std::size_t number = 0;
      while (left >= chances[number]) left -= chances[number++];
      const Result now = result(question.observation, question.action, number);
      answers[i] = {AnswerStatus::valid, now.terminated, 0, now.next, now.reward};
    }
    asked += questions.size();
  }

  std::size_t asked = 0;
  std::size_t drawn = 0;
};

/// Action 1 has had different outcomes.
struct RightIsChance final : History {
  OutcomeCounts outcomes(std::uint32_t, ObservationId, std::uint32_t) const override { return {}; }
  bool tried(std::uint32_t, ObservationId, std::uint32_t) const override { return true; }
  void recall(std::uint32_t, ObservationId, std::uint32_t, std::vector<SeenOutcome>& seen) const override {
    seen.clear();
  }
  ActionExperience experience(std::uint32_t, std::uint32_t action) const override {
    ActionExperience experience;
    experience.chance_termination = experience.chance_observation = action == 1;
    return experience;
  }
};

/// Nothing has.
struct NoChance final : History {
  OutcomeCounts outcomes(std::uint32_t, ObservationId, std::uint32_t) const override { return {}; }
  bool tried(std::uint32_t, ObservationId, std::uint32_t) const override { return true; }
  void recall(std::uint32_t, ObservationId, std::uint32_t, std::vector<SeenOutcome>& seen) const override {
    seen.clear();
  }
  ActionExperience experience(std::uint32_t, std::uint32_t) const override { return {}; }
};

/// Values of both actions at every place by value iteration on the river itself.
std::vector<std::array<double, 2>> exact_values(int horizon, double discount) {
  std::vector<std::array<double, 2>> values(River::places);
  for (int left = 1; left <= horizon; ++left) {
    const auto before = values;
    for (std::uint32_t place = 0; place < River::places; ++place) {
      for (std::uint32_t action = 0; action < 2; ++action) {
        values[place][action] = 0;
        for (std::size_t number = 0; number < River::chances.size(); ++number) {
          const auto [terminated, reward, next] = River::result(place, action, number);
          const double later = terminated || left == 1 ? 0 : std::max(before[next][0], before[next][1]);
          values[place][action] += River::chances[number] * (reward + discount * later);
        }
      }
    }
  }
  return values;
}

TEST(Chance, PlanningOnTheTrueChancesIsExactValueIteration) {
  const RightIsChance history;
  for (const int horizon : {1, 2, 7, 30}) {
    const auto exact = exact_values(horizon, 0.9);
    for (std::uint32_t place = 0; place < River::places; ++place) {
      River river;
      const std::vector<DecisionTask> tasks{{0, place, 2, 0.9, RandomKey(1)}};
      std::vector<DecisionResult> results(1);
      Planning planning{{.step_limit = horizon, .outcomes = River::outcomes}};
      planning.estimate(Imagination(river, history), tasks, results);
      for (std::uint32_t action = 0; action < 2; ++action)
        EXPECT_NEAR(results[0].returns(action, 0), exact[place][action], 1e-12) << horizon << ' ' << place;
      const auto steps = planning.imagined(0);
      EXPECT_EQ(std::ranges::count_if(steps, [&](const auto& step) { return step.observation == place; }),
                1 + River::outcomes);
    }
  }
}

TEST(Chance, NothingIsDrawnOfWhatWasNeverUnequal) {
  const RightIsChance history;
  River river;
  const std::vector<DecisionTask> tasks{{0, 4, 2, 0.9, RandomKey(1)}};
  std::vector<DecisionResult> results(1);
  Planning{{.step_limit = 1, .outcomes = River::outcomes}}.estimate(Imagination(river, history), tasks, results);
  EXPECT_EQ(river.asked, 2U * (1 + River::outcomes));
  EXPECT_EQ(river.drawn, std::size_t{River::outcomes});  // terminations; rewards were always the same
}

/// The river was swum `times` times from the first `places` places; chance took its usual course if `chance`, else left is all
/// that was seen of it.
struct Swum final : History {
  explicit Swum(std::size_t often, std::uint32_t up_to = River::places) : times(often), places(up_to) {}
  OutcomeCounts outcomes(std::uint32_t, ObservationId, std::uint32_t) const override { return {}; }
  bool tried(std::uint32_t, ObservationId observation, std::uint32_t) const override { return observation < places; }
  void recall(std::uint32_t, ObservationId observation, std::uint32_t action,
              std::vector<SeenOutcome>& seen) const override {
    seen.clear();
    if (observation >= places || times == 0) return;
    for (std::size_t number = 0; number < River::chances.size(); ++number) {
      const auto [terminated, reward, next] = River::result(observation, action, number);
      const auto often = static_cast<double>(times) * River::chances[number];
      seen.push_back({terminated, reward, next, static_cast<std::size_t>(std::lround(often))});
    }
    if (action == 0) seen.assign(1, {false, seen[0].reward, seen[0].next, times});
  }
  ActionExperience experience(std::uint32_t, std::uint32_t action) const override {
    return RightIsChance().experience(0, action);
  }
  std::size_t times;
  std::uint32_t places;
};

TEST(Recall, WhatWasSeenOftenEnoughIsNotAskedForAndPlannedOnAsItCame) {
  const auto exact = exact_values(7, 0.9);
  for (const std::size_t times : {20U, 400U}) {
    River river;
    const Swum history(times);
    const std::vector<DecisionTask> tasks{{0, 2, 2, 0.9, RandomKey(1)}};
    std::vector<DecisionResult> results(1);
    Planning planning{{.step_limit = 7, .outcomes = River::outcomes, .recall = true}};
    planning.estimate(Imagination(river, history), tasks, results);
    EXPECT_EQ(river.asked, 0U);
    for (std::uint32_t action = 0; action < 2; ++action)
      EXPECT_NEAR(results[0].returns(action, 0), exact[2][action], 1e-12) << times;
  }
}

TEST(Recall, TheModelIsAskedForWhatIsMissing) {
  // Ten of twenty outcomes of swimming were not seen yet; drifting, which chance has no part in, was.
  const Swum history(20, 1);
  const std::vector<DecisionTask> tasks{{0, 0, 2, 0.9, RandomKey(1)}};
  std::vector<DecisionResult> results(1);
  River river;
  Planning{{.step_limit = 1, .outcomes = 30, .recall = true}}.estimate(Imagination(river, history), tasks, results);
  EXPECT_EQ(river.drawn, 10U);      // terminations
  EXPECT_EQ(river.asked, 2U * 10);  // and rewards
}

/// One state that pays 1 and goes on, as was seen; the model says that it ends with -1.
TEST(Recall, APredictionDoesNotContradictWhatWasSeen) {
  struct Seen final : History {
    OutcomeCounts outcomes(std::uint32_t, ObservationId, std::uint32_t) const override { return {1, 1, 1, 1}; }
    bool tried(std::uint32_t, ObservationId, std::uint32_t) const override { return true; }
    void recall(std::uint32_t, ObservationId observation, std::uint32_t,
                std::vector<SeenOutcome>& seen) const override {
      seen.assign(1, {false, 1, observation, 1});
    }
    ActionExperience experience(std::uint32_t, std::uint32_t) const override { return {}; }
  };
  struct Wrong {
    void answer(std::span<const Question> questions, std::span<Answer> answers) const {
      for (std::size_t i = 0; i < questions.size(); ++i) answers[i] = {AnswerStatus::valid, true, 0, 0, -1};
    }
  };
  const Seen history;
  Wrong model;
  const std::vector<DecisionTask> tasks{{0, 0, 1, 0.5, RandomKey(1)}};
  std::vector<DecisionResult> results(1);
  for (const auto& [recall, value] : {std::pair{false, -1.0}, std::pair{true, 1.75}}) {
    Planning{{.step_limit = 3, .recall = recall}}.estimate(Imagination(model, history), tasks, results);
    EXPECT_EQ(results[0].returns(0, 0), value);
  }
}

/// Keeps what was asked.
struct Listening : testing::RandomRolloutModel {
  void answer(std::span<const Question> questions, std::span<Answer> answers) {
    for (const Question& each : questions) keys.push_back(each.key.seed());
    RandomRolloutModel::answer(questions, answers);
  }
  std::vector<std::uint64_t> keys;
};

TEST(Chance, WhereNothingWasUnequalPlanningAsksAndFindsTheSame) {
  const NoChance history;
  const std::vector<DecisionTask> tasks{{0, 5, 3, 0.9, RandomKey(1)}, {1, 9, 3, 0.9, RandomKey(2)}};
  std::vector<DecisionResult> single(2), several(2);
  Listening first, second;
  Planning{{.step_limit = 5, .node_limit = 60}}.estimate(Imagination(first, history), tasks, single);
  Planning{{.step_limit = 5, .node_limit = 60, .outcomes = 8}}.estimate(Imagination(second, history), tasks, several);
  EXPECT_EQ(first.keys, second.keys);
  for (std::size_t task = 0; task < tasks.size(); ++task) {
    EXPECT_EQ(single[task].returns, several[task].returns);
    EXPECT_EQ(single[task].costs, several[task].costs);
  }
}

/// A given part of every step of one action is unknown.
struct HopesFor final : Hopes {
  HopesFor(Hope hope, std::uint32_t action, double part) : hope_(hope), action_(action), part_(part) {}
  bool hopes(std::uint32_t) const override { return true; }
  Hope judge(const DecisionTask&, std::span<const PlannedStep> steps, std::span<double> unknown) const override {
    for (std::size_t i = 0; i < steps.size(); ++i) unknown[i] = steps[i].action == action_ ? part_ : 0;
    return hope_;
  }

 private:
  Hope hope_;
  std::uint32_t action_;
  double part_;
};

/// Places 0, 1, ...: action 0 stays and brings `stay`, action 1 goes on to the next place.
struct Lane {
  double stay = 0;
  void answer(std::span<const Question> questions, std::span<Answer> answers) const {
    for (std::size_t i = 0; i < questions.size(); ++i)
      answers[i] = {AnswerStatus::valid, false, 0, questions[i].observation + questions[i].action,
                    questions[i].action == 0 ? stay : 0};
  }
};

double value_of(double stay, const Hopes& hopes, std::uint32_t action, int horizon) {
  const NoChance history;
  Lane lane{stay};
  const std::vector<DecisionTask> tasks{{0, 0, 2, 0.5, RandomKey(1)}};
  std::vector<DecisionResult> results(1);
  Planning{{.step_limit = horizon}}.estimate(Imagination(lane, history, {}, &hopes), tasks, results);
  return results[0].returns(action, 0);
}

TEST(Hope, IsWorthTheHighestRewardsOfTheStepsThatAreLeft) {
  // All of action 1 is unknown: at once for three steps, or after staying for less.
  EXPECT_EQ(value_of(0, HopesFor({1, 1}, 1, 1), 1, 3), 1 + 0.5 + 0.25);
  EXPECT_EQ(value_of(0, HopesFor({1, 1}, 1, 1), 0, 3), 0.5 * (1 + 0.5));
  // What ends the episode is had once.
  constexpr double never = -std::numeric_limits<double>::infinity();
  EXPECT_EQ(value_of(0, HopesFor({0, 1}, 1, 1), 1, 3), 1);
  EXPECT_EQ(value_of(0, HopesFor({never, 1}, 1, 1), 1, 3), 1);
  EXPECT_EQ(value_of(0, HopesFor({1, never}, 1, 1), 1, 3), 1 + 0.5 + 0.25);
}

TEST(Hope, CountsByThePartThatIsUnknown) {
  EXPECT_EQ(value_of(0, HopesFor({1, 1}, 1, 0), 1, 1), 0);
  EXPECT_EQ(value_of(0, HopesFor({1, 1}, 1, 0.25), 1, 1), 0.25);
  EXPECT_EQ(value_of(8, HopesFor({1, 1}, 0, 0.25), 0, 1), 0.75 * 8 + 0.25 * 1);
}

TEST(Hope, ChangesNothingWhereNothingIsUnknown) {
  const NoChance history;
  const std::vector<DecisionTask> tasks{{0, 5, 3, 0.9, RandomKey(1)}};
  std::vector<DecisionResult> plain(1), hoped(1);
  testing::RandomRolloutModel model;
  const HopesFor nothing({1, 1}, 1, 0);
  Planning{{.step_limit = 5, .node_limit = 60}}.estimate(Imagination(model, history), tasks, plain);
  Planning{{.step_limit = 5, .node_limit = 60}}.estimate(Imagination(model, history, {}, &nothing), tasks, hoped);
  EXPECT_EQ(hoped[0].returns, plain[0].returns);
}

TEST(Hope, WhatIsUnknownAltogetherIsNotAskedAbout) {
  struct Counted : Lane {
    void answer(std::span<const Question> questions, std::span<Answer> answers) {
      asked += questions.size();
      Lane::answer(questions, answers);
    }
    std::size_t asked = 0;
  };
  const NoChance history;
  const std::vector<DecisionTask> tasks{{0, 0, 2, 0.5, RandomKey(1)}};
  std::vector<DecisionResult> results(1);
  // Staying is asked about at the only place that it leads to; going on at places 0 and 1, and, but for what is seen then, 2.
  for (const auto& [part, asked] : {std::pair{1.0, 3U}, std::pair{0.5, 2U * (3 + 3 + 2)}}) {
    Counted lane;
    const HopesFor hopes({1, 1}, 1, part);
    Planning{{.step_limit = 3}}.estimate(Imagination(lane, history, {}, &hopes), tasks, results);
    EXPECT_EQ(lane.asked, asked) << part;
  }
}

TEST(Hope, WithoutBoundOutweighsEveryPrice) {
  for (const double stay : {0.0, 1.0, 1000.0, -3.0, 1e-6})
    for (const int horizon : {1, 3, 20}) {
      const HopesFor hopes({0, 0, true}, 1, 1);
      EXPECT_GT(value_of(stay, hopes, 1, horizon), value_of(stay, hopes, 0, horizon)) << stay << ' ' << horizon;
    }
}

}  // namespace
}  // namespace icpi
