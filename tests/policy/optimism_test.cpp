// SPDX-License-Identifier: MIT
#include "icpi/policy/optimism.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/domains/chain.hpp"
#include "icpi/domains/chain_formatter.hpp"
#include "icpi/domains/mini_catch_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "icpi/rollout/planning.hpp"

namespace icpi {
namespace {

/// Two actions: number 0 was done at one observation, number 1 at eight, repeated at four of them, with different rewards at two.
struct Lived final : History {
  OutcomeCounts outcomes(std::uint32_t, ObservationId observation, std::uint32_t) const override {
    if (observation != 0) return {};
    return {std::size_t{3}, 1, 1, 1};
  }
  bool tried(std::uint32_t, ObservationId observation, std::uint32_t) const override { return observation == 0; }
  void recall(std::uint32_t, ObservationId, std::uint32_t, std::vector<SeenOutcome>& seen) const override {
    seen.clear();
  }
  ActionExperience experience(std::uint32_t, std::uint32_t action) const override {
    if (action == never) return {};
    return action == 0
               ? ActionExperience{1, 0, 0, false, false, false, going_on, ActionExperience::none, 13, places}
               : ActionExperience{8, 4, 2, ends_by_chance, gains_by_chance, sees_by_chance, 0, ending, 13, places};
  }
  double going_on = 0;
  double ending = 0;
  std::size_t places = 8;
  std::uint32_t never = 2;
  bool ends_by_chance = false;
  bool gains_by_chance = true;
  bool sees_by_chance = true;
};

/// Both actions at the observation where they were done, and at another; the model is sure by half.
const std::vector<PlannedStep> hoped_steps{{0, 0, true, false, 0, true, 1},
                                           {0, 1, true, false, 0, true, 1},
                                           {1, 0, true, false, 0, true, 1, 0.5},
                                           {1, 1, true, false, 0, true, 1, 0.5}};

std::pair<Hope, std::vector<double>> judge(const Optimism& optimism, const History& history) {
  DecisionContext context;
  context.actions = 2;
  context.history = &history;
  std::vector<double> unknown(hoped_steps.size(), -1);
  const Hope hope = optimism.hope(context, hoped_steps, unknown);
  return {hope, unknown};
}

TEST(OptimismExploration, IsBoundlessUntilSomethingWasGained) {
  Lived history;
  for (const double lost : {0.0, -5.0}) {
    history.going_on = lost;
    const auto [hope, unknown] = judge({}, history);
    EXPECT_TRUE(hope.boundless);
    EXPECT_EQ(unknown, (std::vector<double>{0.25, (2 + 0.5) / 5 * 0.5, 1, 1}));  // never tried: whatever the model says
  }
}

TEST(OptimismExploration, HopesForTheBoundUntilItWasGained) {
  Lived history;
  history.ending = 0.5;
  const auto [hope, unknown] = judge({.reward_bound = 1}, history);
  EXPECT_FALSE(hope.boundless);
  EXPECT_EQ(hope.step, 1);
  EXPECT_EQ(hope.last, 1);
  EXPECT_EQ(unknown, (std::vector<double>{0.25, (2 + 0.5) / 5 * 0.5, 1, 1}));
}

TEST(OptimismExploration, HopesThenForWhatWasGainedByDoubt) {
  Lived history;
  history.ending = 2;
  for (const Optimism& optimism : {Optimism{}, Optimism{.reward_bound = 2}}) {
    const auto [hope, unknown] = judge(optimism, history);
    EXPECT_FALSE(hope.boundless);
    EXPECT_EQ(hope.step, 0);
    EXPECT_EQ(hope.last, 2);
    EXPECT_EQ(unknown, (std::vector<double>{0.25, (2 + 0.5) / 5 * 0.5, 1 - (1 - 1.0 / 3) * 0.5, 1 - (1 - 0.1) * 0.5}));
  }
  const auto sure = judge({.trials = 0, .doubt = false}, history).second;
  EXPECT_EQ(sure, (std::vector<double>{0, 0, 1 - (1 - 1.0 / 3), 1 - (1 - 0.1)}));
}

TEST(OptimismExploration, TriesWhateverTheModelSaysWhereExperienceRecursAndWhatWasDoneNowhere) {
  Lived history;
  history.ending = 2;
  const std::vector<double> tried{0.25, (2 + 0.5) / 5 * 0.5};
  history.places = 7;  // of 13 steps: seven began where nothing had been done before
  EXPECT_EQ(judge({}, history).second,
            (std::vector<double>{tried[0], tried[1], 1 - (1 - 1.0 / 3) * 0.5, 1 - (1 - 0.1) * 0.5}));
  history.places = 6;
  EXPECT_EQ(judge({}, history).second, (std::vector<double>{tried[0], tried[1], 1, 1}));
  history.places = 8;
  history.never = 1;
  const auto unknown = judge({.reward_bound = -1}, history).second;  // action 0 gained more
  EXPECT_EQ(unknown[2], 1 - (1 - 1.0 / 3) * 0.5);
  EXPECT_EQ(unknown[3], 1);
}

/// Leaves nothing to hope for: the highest reward is known, and rewards and terminations are no matter of chance.
void settle(Lived& history) {
  history.ending = 2;
  history.gains_by_chance = false;
}

/// What a sparing exploration says in a training episode that went in a circle, or not.
std::vector<double> judge_sparingly(const Optimism& optimism, const History& history, bool repeats) {
  DecisionContext context;
  context.actions = 2;
  context.history = &history;
  context.repeats = repeats;
  std::vector<double> unknown(hoped_steps.size(), -1);
  (void)optimism.hope(context, hoped_steps, unknown);
  return unknown;
}

TEST(OptimismExploration, SparingHopesForNothingWithoutAReason) {
  Lived history;
  settle(history);
  const std::vector<double> nothing(hoped_steps.size(), 0.0);
  for (const std::optional<double>& bound : {std::optional<double>(), std::optional<double>(2)})
    EXPECT_EQ(judge_sparingly({.reward_bound = bound, .sparing = true}, history, false), nothing);
  EXPECT_NE(judge_sparingly({}, history, false), nothing);
}

TEST(OptimismExploration, SparingHopesAsAnyOtherForEveryReason) {
  std::array<Lived, 5> reasons;
  for (Lived& each : reasons) settle(each);
  reasons[0].ending = 0;  // nothing was gained
  reasons[1].ends_by_chance = true;
  reasons[2].gains_by_chance = true;
  reasons[3].never = 0;
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    const bool repeats = i == 4;
    EXPECT_EQ(judge_sparingly({.sparing = true}, reasons[i], repeats), judge({}, reasons[i]).second) << i;
  }
  EXPECT_EQ(judge_sparingly({.reward_bound = 3, .sparing = true}, reasons[4], false),
            judge({.reward_bound = 3}, reasons[4]).second);
}

TEST(OptimismExploration, SparingDoubtsWhatWasNeverTriedByHalfWhereAPlanGoesInACircle) {
  Lived history;
  settle(history);
  history.sees_by_chance = false;
  const std::vector<double> tried = judge({}, history).second;
  EXPECT_EQ(judge_sparingly({.sparing = true}, history, true), (std::vector<double>{tried[0], tried[1], 0.5, 0.5}));
  EXPECT_EQ(judge_sparingly({}, history, true), tried);
}

TEST(OptimismExploration, SparingPrefersWhatWasNeverTriedAmongEquals) {
  const auto adjusted = [](const Optimism& optimism, const Lived& history, ObservationId place, EpisodeKind kind) {
    DecisionContext context;
    context.kind = kind;
    context.actions = 2;
    context.history = &history;
    context.observation = place;
    std::vector<double> values{5, std::nan("")};
    optimism.adjust(context, values);
    EXPECT_TRUE(std::isnan(values[1]));
    return values[0];
  };
  Lived history;
  settle(history);
  EXPECT_EQ(adjusted({.sparing = true}, history, 1, EpisodeKind::training), 5 + 0.001 * 2);
  EXPECT_EQ(adjusted({.sparing = true}, history, 0, EpisodeKind::training), 5);
  EXPECT_EQ(adjusted({.sparing = true}, history, 1, EpisodeKind::evaluation), 5);
  EXPECT_EQ(adjusted({}, history, 1, EpisodeKind::training), 5);
  history.gains_by_chance = true;
  EXPECT_EQ(adjusted({.sparing = true}, history, 1, EpisodeKind::training), 5);
}

TEST(OptimismExploration, SaysWhatItIsAndRefusesWhatMakesNoSense) {
  EXPECT_EQ(Exploration(Optimism{}).description(), "optimism(reward_bound=none, trials=3, doubt=true)");
  EXPECT_EQ(Optimism{.reward_bound = 2.5}.description(), "optimism(reward_bound=2.5, trials=3, doubt=true)");
  EXPECT_EQ(Optimism{.sparing = true}.description(), "optimism(reward_bound=none, trials=3, doubt=true, sparing=true)");
  EXPECT_NO_THROW(Exploration(Optimism{})->check());
  EXPECT_THROW(Exploration(Optimism{.trials = -1})->check(), InvalidArgument);
  EXPECT_THROW(Exploration(Optimism{.reward_bound = std::nan("")})->check(), InvalidArgument);
}

/// Hopes for nothing, and counts how often it is asked.
struct Asked {
  int* times;
  std::size_t* steps;
  [[nodiscard]] static std::string description() { return "asked"; }
  Hope hope(const DecisionContext& context, std::span<const PlannedStep> imagined, std::span<double> unknown) const {
    ++*times;
    *steps = imagined.size();
    EXPECT_NE(context.history, nullptr);
    std::ranges::fill(unknown, 0.0);
    return {};
  }
};

TEST(HopesOfAgents, AreAskedForInTraining) {
  int times = 0;
  std::size_t imagined = 0;
  Chain env;
  InductionModel model;
  PolicyIterationOptions options;
  options.decisions.explorations = {Asked{&times, &imagined}};
  PolicyIteration agent(env, model, options);
  agent.callbacks().on_decision = [&](const Decision& decision) {
    if (decision.by_model) {
      EXPECT_EQ(imagined, agent.planned_steps().size());
    }
  };
  agent.train(env, {.episodes = 8});
  EXPECT_GT(times, 0);
  times = 0;
  agent.callbacks() = {};
  agent.evaluate(env);
  EXPECT_EQ(times, 0);
}

/// Gives no log-probabilities, and says when it is asked for some.
struct SilentModel {
  InductionModel model{};
  bool asked = false;
  [[nodiscard]] std::string identity() const { return model.identity(); }
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    for (const CompletionRequest& request : requests) asked = asked || request.want_logprobs;
    model.complete(requests, completions);
  }
};

TEST(HopesOfAgents, AskNoLogprobsOfModelsThatGiveNone) {
  static_assert(GivesLogprobs<InductionModel> && !GivesLogprobs<SilentModel>);
  MiniCatch env;
  SilentModel silent;
  PolicyIteration<MiniCatch, SilentModel> agent(env, silent);
  agent.train(env, {.steps = 60});
  EXPECT_GT(agent.costs().lm_calls, 50U);
  EXPECT_EQ(agent.costs().failures, 0U);
  EXPECT_FALSE(silent.asked);
}

/// Always goes left, and notes what it is told of circles.
struct Leftward {
  std::vector<bool>* told;
  [[nodiscard]] static std::string description() { return "leftward"; }
  static Hope hope(const DecisionContext&, std::span<const PlannedStep>, std::span<double> unknown) {
    std::ranges::fill(unknown, 0.0);
    return {};
  }
  void adjust(const DecisionContext& context, std::span<double> values) const {
    told->push_back(context.repeats);
    values[0] = 1e6;
  }
};

TEST(HopesOfAgents, AreToldWhenAnEpisodeGoesInACircle) {
  Chain env;
  InductionModel model;
  PolicyIterationOptions options;
  std::vector<bool> told, expected;
  options.decisions.explorations = {Leftward{&told}};
  PolicyIteration agent(env, model, options);
  for (int episode = 0; episode < 4; ++episode) {
    int place = env.reset(static_cast<std::uint64_t>(episode));
    agent.begin_episode(place, EpisodeKind::training);
    std::set<int> left;  // from these places
    bool repeats = false;
    for (bool over = false; !over;) {
      (void)agent.act(place);
      const auto action = agent.act(place);  // asked again before it was done: once
      expected.insert(expected.end(), 2, repeats);
      EXPECT_EQ(action, ChainAction::left);
      repeats = !left.insert(place).second || repeats;
      const auto step = env.step(action);
      agent.observe(step);
      place = step.observation;
      over = step.terminated || step.truncated;
    }
  }
  EXPECT_EQ(told, expected);
  EXPECT_TRUE(std::ranges::count(told, true) > 0);
}

TEST(HopesOfAgents, PlanFromTheBeginningAndDoNotWaitForChanceToTryEveryAction) {
  Chain env;
  InductionModel model;
  PolicyIteration agent(env, model);
  std::vector<bool> by_model;
  agent.callbacks().on_decision = [&](const Decision& decision) { by_model.push_back(decision.by_model); };
  agent.train(env, {.episodes = 8});
  EXPECT_GT(by_model.size(), 8U);
  EXPECT_TRUE(std::ranges::all_of(by_model, [](bool each) { return each; }));
}

/// A deep sea whose rewards are multiplied by `scale`: a place is row x size + column.
struct Sea {
  static constexpr std::uint32_t size = 6;
  double scale = 1;

  [[nodiscard]] double reward(std::uint32_t place, std::uint32_t action) const {
    if (action == 0) return 0;
    return scale * (place % size == size - 1 ? 0.99 : -0.01);
  }
  static bool ends(std::uint32_t place) { return place / size == size - 1; }
  static std::uint32_t next(std::uint32_t place, std::uint32_t action) {
    const std::uint32_t column = place % size;
    const std::uint32_t moved = action == 1 ? std::min(column + 1, size - 1) : column == 0 ? 0 : column - 1;
    return (place / size + 1) * size + moved;
  }

  void answer(std::span<const Question> questions, std::span<Answer> answers) const {
    for (std::size_t i = 0; i < questions.size(); ++i) {
      const auto& [observation, action] = std::pair{questions[i].observation, questions[i].action};
      answers[i] = {AnswerStatus::valid, ends(observation), 0, ends(observation) ? 0 : next(observation, action),
                    reward(observation, action)};
    }
  }
};

/// What was lived through in it, and one exploration's hopes.
struct Diver final : History, Hopes {
  Diver(Sea dived, Optimism held) : sea(dived), optimism(held) {}
  OutcomeCounts outcomes(std::uint32_t, ObservationId observation, std::uint32_t action) const override {
    const std::size_t times = done.contains({observation, action}) ? 1 : 0;
    return {times, times, times, times};
  }
  bool tried(std::uint32_t, ObservationId observation, std::uint32_t action) const override {
    return done.contains({observation, action});
  }
  void recall(std::uint32_t, ObservationId observation, std::uint32_t action,
              std::vector<SeenOutcome>& seen) const override {
    seen.clear();
    if (done.contains({observation, action}))
      seen.push_back({Sea::ends(observation), sea.reward(observation, action), Sea::next(observation, action), 1});
  }
  ActionExperience experience(std::uint32_t, std::uint32_t action) const override {
    return known.contains(action) ? known.at(action) : ActionExperience();
  }
  bool hopes(std::uint32_t) const override { return true; }
  Hope judge(const DecisionTask& task, std::span<const PlannedStep> imagined,
             std::span<double> unknown) const override {
    DecisionContext context;
    context.actions = task.actions;
    context.history = this;
    return optimism.hope(context, imagined, unknown);
  }

  Sea sea;
  Optimism optimism;
  std::set<std::pair<ObservationId, std::uint32_t>> done, again;
  std::map<std::uint32_t, ActionExperience> known;
};

/// The actions of 40 episodes, and how many of these ended with the treasure.
std::pair<std::vector<std::uint32_t>, int> dive(double scale, bool told, bool recall, bool sparing) {
  Sea sea{scale};
  Optimism optimism{.sparing = sparing};
  if (told) optimism.reward_bound = 0.99 * scale;
  Diver diver(sea, optimism);
  Planning planning{{.step_limit = 8, .recall = recall}};
  std::vector<std::uint32_t> actions;
  int treasures = 0;
  for (int episode = 0; episode < 40; ++episode) {
    for (std::uint32_t place = 0;;) {
      const std::vector<DecisionTask> tasks{{0, place, 2, 0.9, RandomKey(1)}};
      std::vector<DecisionResult> results(1);
      planning.estimate(Imagination(sea, diver, {}, &diver), tasks, results);
      const std::uint32_t action = results[0].returns(1, 0) > results[0].returns(0, 0) ? 1 : 0;
      actions.push_back(action);
      ActionExperience& experience = diver.known[action];
      if (diver.done.emplace(place, action).second)
        ++experience.observations;
      else if (diver.again.emplace(place, action).second)
        ++experience.repeated;
      const double reward = sea.reward(place, action);
      double& highest = Sea::ends(place) ? experience.highest_ending : experience.highest_going_on;
      highest = std::max(highest, reward);
      treasures += reward > 0 ? 1 : 0;
      if (Sea::ends(place)) break;
      place = Sea::next(place, action);
    }
  }
  return {actions, treasures};
}

TEST(OptimismExploration, FindsATreasureThatCostsToReachAndStays) {
  for (const bool told : {false, true})
    for (const bool recall : {false, true})
      for (const bool sparing : {false, true})
        EXPECT_GE(dive(1, told, recall, sparing).second, 20) << told << recall << sparing;
}

TEST(OptimismExploration, NoDecisionDependsOnTheScaleOfRewards) {
  for (const bool told : {false, true})
    for (const bool recall : {false, true})
      for (const bool sparing : {false, true}) {
        const auto actions = dive(1, told, recall, sparing).first;
        for (const double scale : {0.01, 100.0, 1.0 / 1024, 4096.0})
          EXPECT_EQ(dive(scale, told, recall, sparing).first, actions) << told << recall << sparing << ' ' << scale;
      }
}

}  // namespace
}  // namespace icpi
