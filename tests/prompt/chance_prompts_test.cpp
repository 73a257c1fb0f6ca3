// SPDX-License-Identifier: MIT
// What prompts show, and what is asked, where chance decides.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "icpi/models/induction.hpp"
#include "icpi/prompt/prompt_book.hpp"
#include "icpi/prompt/prompted_rollout_model.hpp"
#include "icpi/prompt/typed_prompt_context.hpp"
#include "icpi/prompt/typed_prompt_source.hpp"
#include "icpi/replay/trajectory_buffer.hpp"
#include "untuned/two_armed_bandit.hpp"

namespace icpi {
namespace {

using Bandit = untuned::TwoArmedBandit;
using BanditSource = TypedPromptSource<Bandit, untuned::TwoArmedBanditFormatter, TrajectoryBuffer<Bandit>>;

/// Three pulls at the silver arm, which pay so.
TrajectoryOf<Bandit> pulls(std::array<double, 3> pay) {
  TrajectoryOf<Bandit> trajectory;
  for (int pull = 0; pull < 3; ++pull)
    trajectory.push_back(
        {{3 - pull}, Bandit::Action::silver, pay[static_cast<std::size_t>(pull)], pull == 2, false, {2 - pull}});
  return trajectory;
}

struct BanditBook {
  explicit BanditBook(AppendOnlyExamples examples)
      : book(source, {.examples = examples}, estimated_tokens, RandomKey(3)) {}
  void play(std::array<double, 3> pay) {
    source.buffer().append(pulls(pay));
    book.update();
  }
  [[nodiscard]] std::string text(QueryKind kind) const { return book.stable_prompt(kind, 1, false).text; }
  [[nodiscard]] static std::ptrdiff_t count(const std::string& text, std::string_view what) {
    std::ptrdiff_t times = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++times;
    return times;
  }

  Bandit env;
  BanditSource source{env, TrajectoryBuffer<Bandit>(env), {}};
  PromptBook book;
};

TEST(ChancePrompts, BalanceStandsBackWhereEqualStepsHadUnequalRewards) {
  BanditBook balanced({}), fair({.balance_chance = false});
  for (BanditBook* each : {&balanced, &fair}) {
    each->play({1, 0, 1});
    each->play({1, 0, 1});
    each->play({1, 0, 1});  // rewards differ by what is seen: no chance so far
    EXPECT_EQ(BanditBook::count(each->text(QueryKind::reward), "payout: 1"), 3);
    EXPECT_EQ(BanditBook::count(each->text(QueryKind::reward), "payout: 0"), 3);
    for (int episode = 0; episode < 4; ++episode) each->play({1, 1, 1});
  }
  EXPECT_EQ(BanditBook::count(balanced.text(QueryKind::reward), "payout: 1"), 11);
  EXPECT_EQ(BanditBook::count(balanced.text(QueryKind::reward), "payout: 0"), 11);
  EXPECT_EQ(BanditBook::count(fair.text(QueryKind::reward), "payout: 1"), 11);
  EXPECT_EQ(BanditBook::count(fair.text(QueryKind::reward), "payout: 0"), 3);
  // Terminations were never unequal.
  EXPECT_EQ(fair.text(QueryKind::termination), balanced.text(QueryKind::termination));
}

TEST(ChancePrompts, BootstrapsAreReproducibleAndDifferByEpisode) {
  BanditBook book({.bootstrap = true});
  for (int episode = 0; episode < 10; ++episode) book.play({1, 0, episode % 2 == 0 ? 1.0 : 0.0});
  std::map<std::uint64_t, std::string> drawn;
  for (const std::uint64_t episode : {1U, 2U, 1U}) {
    book.book.draw_world_prompts(RandomKey(episode));
    const std::string text = book.text(QueryKind::observation);
    EXPECT_FALSE(text.empty());
    EXPECT_EQ(drawn.try_emplace(episode, text).first->second, text);
  }
  EXPECT_NE(drawn[1], drawn[2]);
  EXPECT_NE(BanditBook::count(drawn[1], "\n\n"), BanditBook::count(drawn[2], "\n\n"));
  const std::uint64_t before = book.book.stable_prompt(QueryKind::observation, 1, false).identity;
  book.play({0, 0, 0});  // appended to what the episode has drawn
  EXPECT_TRUE(book.text(QueryKind::observation).starts_with(drawn[1]));
  EXPECT_EQ(book.book.stable_prompt(QueryKind::observation, 1, false).identity, before);
}

TEST(GrowingPrompts, TakeInWhatCameOnceItIsThePartThatIsWanted) {
  BanditBook book({.growth = 1});
  std::vector<std::size_t> plays;  // after which the prompt was another one
  std::string before;
  for (std::size_t play = 1; play <= 16; ++play) {
    book.play({1, 0, 1});
    if (std::exchange(before, book.text(QueryKind::observation)) == before) continue;
    plays.push_back(play);
    EXPECT_EQ(BanditBook::count(before, "\n\n"), 2 * static_cast<std::ptrdiff_t>(play));
  }
  EXPECT_EQ(plays, (std::vector<std::size_t>{1, 2, 4, 8, 16}));
}

TEST(GrowingPrompts, TakeInEverythingAtOnceUntilExperienceRecurs) {
  BanditBook book({.growth = 1});
  for (int step = 0; step < 14; ++step) {
    const int left = 2 * (step % 7);
    TrajectoryOf<Bandit> trajectory;
    trajectory.push_back({{left + 1}, Bandit::Action::silver, 1, false, true, {left}});
    book.source.buffer().append(trajectory);
    book.book.update();
    // The last one comes when all seven places were seen twice.
    EXPECT_EQ(BanditBook::count(book.text(QueryKind::observation), "\n\n"), std::min(step + 1, 13));
  }
}

TEST(GrowingPrompts, TakeInANewClassAtOnceAndWhatCameBeforeIt) {
  BanditBook book({.balance = false, .growth = 1});
  for (int play = 0; play < 3; ++play) book.play({1, 0, 1});
  EXPECT_EQ(BanditBook::count(book.text(QueryKind::reward), "payout: 1"), 2);  // of the steps that go on
  book.play({0.5, 0, 1});
  EXPECT_EQ(BanditBook::count(book.text(QueryKind::reward), "payout: 0.5"), 1);
  EXPECT_EQ(BanditBook::count(book.text(QueryKind::reward), "payout: 1"), 3);
}

/// Counts what it is asked, and at which temperatures.
struct CountedInduction {
  static std::string identity() { return "counted"; }
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    for (const auto& request : requests) ++asked[request.sampling.temperature.value_or(-1)];
    model.complete(requests, completions);
  }
  InductionModel model;
  std::map<double, int> asked;
};

/// Two games, and questions about the reward of the first pull of another one.
struct AskedBandit {
  using Memory = TypedPromptContext<Bandit, untuned::TwoArmedBanditFormatter, TrajectoryBuffer<Bandit>>;

  explicit AskedBandit(AppendOnlyExamples examples)
      : memory(env, TrajectoryBuffer<Bandit>(env), {}, {.examples = examples}, estimated_tokens, RandomKey(3)) {
    asked.serve_also(memory);
    memory.append(pulls({1, 0, 1}));
    memory.append(pulls({0, 1, 1}));
    memory.begin_episode(1);
  }
  std::vector<Answer> rewards(std::uint64_t decision) {
    std::vector<Question> questions;
    for (std::uint32_t sample = 0; sample < 12; ++sample) {
      Question question;
      question.kind = QueryKind::reward;
      question.action = 1;
      question.observation = memory.observe({3});
      question.sample = sample;
      question.key = RandomKey(decision).child(sample);
      question.drawn = true;
      questions.push_back(question);
    }
    std::vector<Answer> answers(questions.size());
    asked.answer(questions, answers);
    return answers;
  }

  Bandit env;
  Memory memory;
  CountedInduction model;
  PromptedRolloutModel asked{LanguageModelRef(model), {}};
};

TEST(ChancePrompts, WhatIsDrawnIsKeptUntilExperienceChanges) {
  AskedBandit bandit({.rebuild_fraction = 0.8});
  const auto first = bandit.rewards(1);
  EXPECT_EQ(bandit.model.asked, (std::map<double, int>{{1, 12}}));
  EXPECT_TRUE(std::ranges::any_of(first, [](const Answer& each) { return each.reward == 0; }));
  EXPECT_TRUE(std::ranges::any_of(first, [](const Answer& each) { return each.reward == 1; }));
  EXPECT_EQ(bandit.rewards(2), first);
  EXPECT_EQ(bandit.model.asked[1], 12);
  bandit.memory.begin_episode(2);  // what was answered is forgotten, and drawn again as it was
  EXPECT_EQ(bandit.rewards(3), first);
  EXPECT_EQ(bandit.model.asked[1], 24);
  bandit.memory.append(pulls({1, 1, 1}));
  (void)bandit.rewards(4);
  EXPECT_EQ(bandit.model.asked[1], 36);
  EXPECT_EQ(bandit.model.asked.size(), 1U);
}

TEST(GrowingPrompts, KeepAnswersOverEpisodesUntilTheyGrow) {
  AskedBandit bandit({.growth = 1});
  const auto first = bandit.rewards(1);
  bandit.memory.begin_episode(2);
  bandit.memory.append(pulls({1, 1, 1}));
  EXPECT_EQ(bandit.rewards(2), first);
  EXPECT_EQ(bandit.model.asked[1], 12);
  bandit.memory.append(pulls({1, 1, 1}));
  (void)bandit.rewards(3);
  EXPECT_EQ(bandit.model.asked[1], 24);
}

}  // namespace
}  // namespace icpi
