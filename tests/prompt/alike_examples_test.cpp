// SPDX-License-Identifier: MIT
// Examples chosen by likeness: what counts as alike, what is shown, and that it depends on what is known alone.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/prompt/prompt_book.hpp"
#include "icpi/prompt/text_parts.hpp"
#include "icpi/prompt/typed_prompt_source.hpp"
#include "icpi/replay/trajectory_buffer.hpp"
#include "support/text_world.hpp"

namespace icpi {
namespace {

using testing::TextWorld;
using testing::TextWorldFormatter;
using Steps = TrajectoryOf<TextWorld>;
using Texts = std::vector<std::string>;

constexpr std::size_t everything = std::numeric_limits<std::size_t>::max();

/// One that goes on, by the first action.
TransitionOf<TextWorld> step(std::string from, std::string to, double reward = 0, bool ended = false) {
  return {std::move(from), 0, reward, ended, false, std::move(to)};
}

class Known {
 public:
  explicit Known(AlikeExamples how = {}, std::size_t most = everything, PromptOptions options = {})
      : source_(env_, TrajectoryBuffer<TextWorld>(env_, most), TextWorldFormatter(env_)),
        book_(source_, with(std::move(options), how), estimated_tokens, RandomKey(3)) {}

  void learn(const Steps& trajectory) {
    source_.buffer().append(trajectory);
    book_.update();
  }

  const AlikePrompt& choose(QueryKind kind, const std::string& observation, bool terminated = false) {
    std::string query;
    book_.write_query(kind, observation + "\n", 0, query);
    book_.choose_alike(kind, 0, terminated, query, prompt_);
    return prompt_;
  }

  /// The answers shown, without their last line's end; where examples are of observations these name the steps.
  Texts answers(QueryKind kind, const std::string& observation, bool terminated = false) {
    choose(kind, observation, terminated);
    PromptWriter out;
    static_cast<void>(book_.write_alike(kind, 0, terminated, prompt_, out));
    Texts result;
    for (const PromptExample& each : out.examples())
      result.emplace_back(out.text().substr(each.answer, each.end - each.answer - 1));
    return result;
  }

  TrajectoryBuffer<TextWorld>& buffer() { return source_.buffer(); }
  PromptBook& book() { return book_; }

 private:
  static PromptOptions with(PromptOptions options, AlikeExamples how) {
    options.examples = how;
    return options;
  }

  TextWorld env_;
  TypedPromptSource<TextWorld, TextWorldFormatter, TrajectoryBuffer<TextWorld>> source_;
  PromptBook book_;
  AlikePrompt prompt_;
};

std::vector<double> numbers_of(std::string_view text) {
  TextParts parts;
  parts.read(text);
  return parts.numbers;
}

std::size_t parts_of(std::string_view text) {
  TextParts parts;
  parts.read(text);
  return parts.parts.size();
}

TEST(TextParts, AreNumbersWordsAndRunsOfOtherCharacters) {
  EXPECT_EQ(numbers_of("pos == -5.11 and vel1 == 1e2, x-3 (-4) 7"), (std::vector<double>{-5.11, 100, 3, -4, 7}));
  EXPECT_EQ(parts_of("a.x >= b_2\n"), 5U);  // a . x >= b_2
  EXPECT_EQ(parts_of(" \n"), 0U);
  EXPECT_EQ(numbers_of("1e999 -1e999"), std::vector<double>{});
  EXPECT_EQ(numbers_of("1e305"), std::vector<double>{1e300});
}

TEST(TextParts, KnowWhatANumberIsANumberOf) {
  TextParts one;
  TextParts other;
  one.read("x == 1 and y == 2");
  other.read("y == 7");
  EXPECT_EQ(one.parts[6], other.parts[2]);
  EXPECT_NE(one.parts[2], other.parts[2]);
}

TEST(AlikeExamples, AreTheNearestByTheValueOfTheirNumbersTheNearestLast) {
  Known known({.count = 3});
  known.learn({step("x 1.99", "a"), step("x 2.9", "b"), step("x 20.1", "c"), step("x 2.3", "d"), step("x 201", "e")});
  EXPECT_EQ(known.answers(QueryKind::observation, "x 2.01"), (Texts{"b", "d", "a"}));
  EXPECT_EQ(known.answers(QueryKind::observation, "x 40"), (Texts{"d", "b", "c"}));
}

TEST(AlikeExamples, ComparePartByPartFromBothEnds) {
  Known known({.count = 2});
  known.learn({step("red door left of 3", "a"), step("red door 4", "b"), step("blue cup on 3", "c")});
  EXPECT_EQ(known.answers(QueryKind::observation, "red door right of 3"), (Texts{"b", "a"}));
  EXPECT_EQ(known.answers(QueryKind::observation, "blue cup 3"), (Texts{"b", "c"}));
}

TEST(AlikeExamples, MeasureNumbersByTheRangeOfWhatTheyAre) {
  Known known({.count = 1});
  known.learn({step("angle 0.1 place 0", "a"), step("angle 0.2 place 1", "b"), step("angle -0.2 place 900", "c"),
               step("angle 0.11 place 60", "d")});
  EXPECT_EQ(known.answers(QueryKind::observation, "angle 0.11 place 2"), Texts{"a"});
  EXPECT_EQ(known.answers(QueryKind::observation, "angle 0.2 place 60"), Texts{"b"});
}

TEST(AlikeExamples, ShowEqualRecordsOnce) {
  Known known;
  for (int i = 0; i < 5; ++i) known.learn({step("x 1", "a"), step("x 2", "b"), step("x 3", "c")});
  EXPECT_EQ(known.answers(QueryKind::observation, "x 3.1"), (Texts{"a", "b", "c"}));
}

TEST(AlikeExamples, ShowTheOnlyAnswerToTheQuestionAgainAndOfOthersClassesAlone) {
  Known known;
  known.learn({step("x 1", "a"), step("x 2", "b"), step("x 3", "c", 1), step("x 4", "d", 2)});
  EXPECT_EQ(known.answers(QueryKind::observation, "x 3"), Texts(4, "c"));
  EXPECT_EQ(known.choose(QueryKind::reward, "x 2").shown, (std::vector<TransitionId>{3, 2, 1, 1, 1, 1}));
  EXPECT_EQ(known.choose(QueryKind::termination, "x 2").shown, (std::vector<TransitionId>(4, 1)));
  Known one({.count = 1});
  one.learn({step("x 1", "a"), step("x 2", "b")});
  EXPECT_EQ(one.answers(QueryKind::observation, "x 1"), Texts{"a"});
}

TEST(AlikeExamples, KeepTheMostAlikeOfEveryClass) {
  Known known({.count = 4});
  Steps steps;
  for (int i = 0; i < 50; ++i) steps.push_back(step(fmt::format("x {}", i), "y", i > 40 ? 2 : i > 30 ? 1 : 0));
  steps.push_back(step("x 90", "y", 5, true));
  known.learn(steps);
  known.learn({step("x 99", "y", 5, true)});
  const auto asked = [&](QueryKind kind) { return known.choose(kind, "x 3.1").shown; };
  EXPECT_EQ(asked(QueryKind::termination), (std::vector<TransitionId>{50, 2, 4, 3}));
  EXPECT_EQ(asked(QueryKind::reward), (std::vector<TransitionId>{41, 31, 4, 3}));
  EXPECT_EQ(known.choose(QueryKind::reward, "x 3", true).shown, (std::vector<TransitionId>{51, 50}));
}

TEST(AlikeExamples, OfWholeTransitionsKeepTheMostAlikeOfEveryTerminationAndReward) {
  Known known({.count = 4}, everything, {.transition_questions = TransitionQuestions::whole});
  known.learn({step("x 1", "a"), step("x 2", "b"), step("x 3", "c"), step("x 4", "d"), step("x 8", "e", 1),
               step("x 9", "f", 1), step("x 90", "g", 1, true)});
  EXPECT_EQ(known.choose(QueryKind::transition, "x 1").shown, (std::vector<TransitionId>{6, 4, 0, 0}));
}

TEST(AlikeExamples, TakeManyRewardsForNoClasses) {
  Known known({.count = 3}, everything, {.transition_questions = TransitionQuestions::whole});
  Steps steps;
  for (int i = 0; i < 20; ++i) steps.push_back(step(fmt::format("x {}", i), "y", 0.5 * i));
  known.learn(steps);
  known.learn({step("x 70", "y", 70, true)});
  EXPECT_EQ(known.choose(QueryKind::reward, "x 18.1").shown, (std::vector<TransitionId>{17, 19, 18}));
  EXPECT_EQ(known.choose(QueryKind::transition, "x 18.1").shown.front(), 20U);
}

TEST(AlikeExamples, RepeatUnequalAnswersToEqualQuestionsInProportion) {
  Known known;
  const auto learn = [&](int times, const Steps& steps) {
    for (int i = 0; i < times; ++i) known.learn(steps);
  };
  learn(20, {step("coin 1", "heads")});
  learn(10, {step("coin 1", "tails")});
  learn(1, {step("coin 2", "edge"), step("coin 3", "lost")});
  EXPECT_EQ(known.answers(QueryKind::observation, "coin 1"),
            (Texts{"tails", "tails", "heads", "heads", "heads", "heads"}));
  learn(2, {step("coin 3", "found")});
  EXPECT_EQ(known.answers(QueryKind::observation, "coin 3"), (Texts{"lost", "found", "found"}));
  learn(1, {step("coin 2", "b"), step("coin 2", "c"), step("coin 2", "d"), step("coin 2", "e"), step("coin 2", "f"),
            step("coin 2", "f"), step("coin 2", "g")});
  const Texts seven = known.answers(QueryKind::observation, "coin 2");
  EXPECT_EQ(seven.size(), 6U);
  EXPECT_EQ(seven.back(), "f");
  EXPECT_EQ(std::count(seven.begin(), seven.end(), "f"), 1);
}

TEST(AlikeExamples, TakeNoMoreRoomThanThereIs) {
  Known known({}, everything, {.context_tokens = 60});
  const std::string text(40, 'z');
  known.learn({step(text + " 1", text), step(text + " 2", text), step("z 3", "z"), step("z 4", "z")});
  std::size_t tokens = 0;
  for (const TransitionId id : known.choose(QueryKind::observation, text + " 1").shown)
    tokens += estimated_tokens(id < 2 ? text + " 1\nwait()\n" + text + "\n\n" : "z 3\nwait()\nz\n\n");
  EXPECT_GT(tokens, 0U);
  EXPECT_LE(tokens, 60U);
}

TEST(AlikeExamples, StandBehindAStemWhereOneIsWanted) {
  Known known({.count = 1, .stem_tokens = 200});
  known.learn({step("x 1", "a"), step("x 2", "b"), step("x 3", "c")});
  const Texts shown = known.answers(QueryKind::observation, "x 2");
  ASSERT_EQ(shown.size(), 4U);
  EXPECT_EQ(shown.back(), "b");
  const AlikePrompt prompt = known.choose(QueryKind::observation, "x 2");
  PromptWriter out;
  const PromptPrefix stem = known.book().write_alike(QueryKind::observation, 0, false, prompt, out);
  EXPECT_EQ(stem.text, known.book().stable_prompt(QueryKind::observation, 0, false).text);
  EXPECT_NE(stem.identity, 0U);
  EXPECT_LE(estimated_tokens(stem.text), 200U);
}

/// A step in a world of words and numbers, some of them often.
TransitionOf<TextWorld> any_step(RandomStream& stream) {
  const auto place = [&] {
    const std::array<std::string_view, 3> words{"at", "near", "far from"};
    return fmt::format("{} {}.{}, {}", words[stream.index(3)], stream.index(8), stream.index(3), stream.index(3));
  };
  const std::string from = place();
  return step(from, place(), static_cast<double>(stream.index(3)), stream.index(10) == 0);
}

/// Trajectories of one step each: they may come in any order.
std::vector<Steps> any_steps(std::size_t count) {
  RandomStream stream(RandomKey(7));
  std::vector<Steps> result;
  for (std::size_t i = 0; i < count; ++i) result.push_back({any_step(stream)});
  return result;
}

/// What is chosen for many questions of every kind.
std::vector<std::uint64_t> choices(Known& known) {
  RandomStream stream(RandomKey(11));
  std::vector<std::uint64_t> result;
  for (int i = 0; i < 40; ++i) {
    const std::string asked = any_step(stream).observation;
    for (const QueryKind kind :
         {QueryKind::termination, QueryKind::reward, QueryKind::observation, QueryKind::transition})
      for (const bool terminated : {false, true}) result.push_back(known.choose(kind, asked, terminated).identity);
  }
  return result;
}

PromptOptions every_kind(bool constraints = true) {
  return {.constraints = constraints, .transition_questions = TransitionQuestions::whole};
}

TEST(AlikeExamples, AreTheSameInWhicheverOrderTheyCameAndWereAskedAbout) {
  for (const bool constraints : {true, false}) {
    std::vector<Steps> steps = any_steps(600);
    Known one({}, everything, every_kind(constraints));
    for (const Steps& each : steps) one.learn(each);
    RandomStream stream(RandomKey(5));
    stream.shuffle(std::span(steps));
    Known other({}, everything, every_kind(constraints));
    for (std::size_t i = 0; i < steps.size(); ++i) {
      other.learn(steps[i]);
      if (i % 50 == 0) static_cast<void>(choices(other));
    }
    EXPECT_EQ(choices(one), choices(other));
  }
}

TEST(AlikeExamples, KnowNothingOfWhatHasLeft) {
  const std::vector<Steps> steps = any_steps(700);
  Known bounded({}, 120, every_kind());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    bounded.learn(steps[i]);
    if (i % 20 == 0) static_cast<void>(choices(bounded));
    if (i % 100 != 99) continue;
    Known fresh({}, everything, every_kind());
    for (TransitionId id = 0; id <= i; ++id)
      if (bounded.buffer().holds(id)) fresh.learn({bounded.buffer()[id]});
    EXPECT_EQ(choices(bounded), choices(fresh)) << i;
  }
}

/// Of the six points nearest to each of a hundred among `count`, the part that is shown.
double found_among(std::size_t count) {
  Known known({.count = 6});
  RandomStream stream(RandomKey(2));
  std::vector<std::pair<double, double>> points;
  Steps steps;
  for (std::size_t i = 0; i < count; ++i) {
    points.emplace_back(std::round(stream.uniform() * 1000) / 100, std::round(stream.uniform() * 1000) / 100);
    steps.push_back(step(fmt::format("{:.2f}, {:.2f}", points.back().first, points.back().second), std::to_string(i)));
  }
  known.learn(steps);
  std::size_t found = 0;
  for (std::size_t question = 0; question < 100; ++question) {
    const double beside = points[question * 37 % count].first + 0.001;  // nothing is known of the very place
    const double y = points[question * 37 % count].second;
    const auto distance = [&](TransitionId id) {
      return std::abs(points[id].first - beside) + std::abs(points[id].second - y);
    };
    std::vector<double> all;
    for (TransitionId id = 0; id < count; ++id) all.push_back(distance(id));
    std::nth_element(all.begin(), all.begin() + 5, all.end());
    for (const TransitionId id : known.choose(QueryKind::observation, fmt::format("{:.3f}, {:.2f}", beside, y)).shown)
      if (distance(id) <= all[5] + 1e-9) ++found;
  }
  return static_cast<double>(found) / 600;
}

TEST(AlikeExamples, AreAllFoundAmongFewAndNearlyAllAmongMany) {
  EXPECT_EQ(found_among(LikenessIndex::few), 1);
  EXPECT_GE(found_among(5000), 0.95);
}

}  // namespace
}  // namespace icpi
