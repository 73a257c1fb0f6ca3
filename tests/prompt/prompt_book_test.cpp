// SPDX-License-Identifier: MIT
#include "icpi/prompt/prompt_book.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <string>

#include "icpi/domains/all.hpp"
#include "icpi/prompt/typed_prompt_source.hpp"
#include "icpi/replay/trajectory_buffer.hpp"
#include "support/agent_options.hpp"
#include "support/golden.hpp"
#include "support/random_episodes.hpp"
#include "support/text_world.hpp"

namespace icpi {
namespace {

template <class Env>
struct Fixture {
  using Formatter = default_formatter_t<Env>;
  using Source = TypedPromptSource<Env, Formatter, TrajectoryBuffer<Env>>;

  explicit Fixture(PromptOptions options, int episodes, std::uint64_t seed = 1)
      : book(source, std::move(options), estimated_tokens, RandomKey(3)) {
    for (int episode = 0; episode < episodes; ++episode) play(seed + static_cast<std::uint64_t>(episode));
  }

  void play(std::uint64_t seed) {
    buffer.append(testing::random_episode(env, seed));
    book.update();
  }

  std::string write(QueryKind kind, std::size_t action, bool terminated, std::uint64_t seed = 1) const {
    PromptScratch scratch;
    RandomStream stream{RandomKey(seed)};
    std::string text;
    book.write(kind, action, terminated, stream, scratch, text);
    return text;
  }

  Env env;
  Source source{env, TrajectoryBuffer<Env>(env), Formatter(env)};
  TrajectoryBuffer<Env>& buffer = source.buffer();
  PromptBook book;
};

std::map<std::string, int> examples(const std::string& prompt) {
  std::map<std::string, int> counts;
  for (std::size_t at = 0; at < prompt.size();) {
    const auto end = prompt.find("\n\n", at);
    ++counts[prompt.substr(at, end - at)];
    at = end == std::string::npos ? prompt.size() : end + 2;
  }
  return counts;
}

/// Three random episodes, then every kind of prompt, short enough to read, with the query that follows it.
template <class Env>
std::string golden_prompts() {
  Fixture<Env> fixture({.examples = BalancedExamples{}, .context_tokens = 260}, 4);
  const auto& env = fixture.env;
  const std::string observation(fixture.source.formatter().observation(fixture.buffer[0].observation));
  std::string text = fmt::format("{}: prompts of 260 tokens after four random episodes\n", Env::name);
  const auto section = [&](QueryKind kind, std::size_t action, bool terminated, const std::string& title) {
    text += fmt::format("\n######## {} ########\n", title) + fixture.write(kind, action, terminated);
    fixture.book.write_query(kind, observation, action, text);
    text += fmt::format("<completion, ends before {:?}>\n", fixture.book.stop(kind));
  };
  for (std::size_t action = 0; action < env.actions().size(); ++action) {
    section(QueryKind::termination, action, false, fmt::format("termination, action {}", action));
    section(QueryKind::reward, action, false, fmt::format("reward, action {}, not terminated", action));
    section(QueryKind::reward, action, true, fmt::format("reward, action {}, terminated", action));
    section(QueryKind::observation, action, false, fmt::format("observation, action {}", action));
  }
  section(QueryKind::action, 0, false, "action");
  return text;
}

TEST(PromptBook, WritesTheGoldenPromptsOfEveryDomain) {
  for (const auto name : domain_names) {
    visit_domain(name, [&](const auto& env) {
      using Env = std::remove_cvref_t<decltype(env)>;
      testing::expect_golden(fmt::format("prompts_{}.txt", name), golden_prompts<Env>());
    });
  }
}

/// The same of whole transitions.
template <class Env>
std::string golden_transition_prompts() {
  Fixture<Env> fixture(
      {.examples = BalancedExamples{}, .context_tokens = 260, .transition_questions = TransitionQuestions::whole}, 4);
  const std::string observation(fixture.source.formatter().observation(fixture.buffer[0].observation));
  std::string text = fmt::format("{}: prompts of 260 tokens after four random episodes\n", Env::name);
  for (std::size_t action = 0; action < fixture.env.actions().size(); ++action) {
    text += fmt::format("\n######## transition, action {} ########\n", action);
    text += fixture.write(QueryKind::transition, action, false);
    fixture.book.write_query(QueryKind::transition, observation, action, text);
    text += fmt::format("<completion, ends before {:?}>\n", fixture.book.stop(QueryKind::transition));
  }
  return text;
}

TEST(PromptBook, WritesTheGoldenTransitionPromptsOfEveryDomain) {
  for (const auto name : domain_names) {
    visit_domain(name, [&](const auto& env) {
      using Env = std::remove_cvref_t<decltype(env)>;
      testing::expect_golden(fmt::format("transitions_{}.txt", name), golden_transition_prompts<Env>());
    });
  }
}

TEST(PromptBook, BalancesTransitionsByTerminationAndReward) {
  for (const ExampleSelection& selection :
       {ExampleSelection(BalancedExamples{}), ExampleSelection(AppendOnlyExamples{})}) {
    Fixture<Chain> fixture(
        {.examples = selection, .context_tokens = 1000000, .transition_questions = TransitionQuestions::whole}, 60);
    std::map<std::string, int> classes;  // by termination and reward
    const std::string prompt = fixture.book.append_only()
                                   ? fixture.book.stable_prompt(QueryKind::transition, 1, false).text
                                   : fixture.write(QueryKind::transition, 1, false);
    for (const auto& [example, count] : examples(prompt)) {
      const bool ended = example.find("assert done") != std::string::npos;
      const bool paid = example.find("assert reward == 1") != std::string::npos;
      EXPECT_EQ(std::count(example.begin(), example.end(), '\n'), ended ? 3 : 4) << example;
      classes[fmt::format("{}, {}", ended, paid)] += count;
    }
    ASSERT_EQ(classes.size(), 2U);
    EXPECT_EQ(classes.begin()->second, classes.rbegin()->second);
  }
}

TEST(PromptBook, GivesBothTerminationsOfTransitionsAsMuchRoom) {
  for (const ExampleSelection& selection :
       {ExampleSelection(BalancedExamples{}), ExampleSelection(AppendOnlyExamples{})}) {
    Fixture<MiniCatch> fixture(
        {.examples = selection, .context_tokens = 1000000, .transition_questions = TransitionQuestions::whole}, 100);
    const std::string prompt = fixture.book.append_only()
                                   ? fixture.book.stable_prompt(QueryKind::transition, 1, false).text
                                   : fixture.write(QueryKind::transition, 1, false);
    int going_on = 0;
    std::map<std::string, int> ended;  // by reward
    for (const auto& [example, count] : examples(prompt)) {
      const auto reward = example.find("reward ==");
      ASSERT_NE(reward, std::string::npos) << example;
      if (example.find("assert not done") == std::string::npos)
        ended[example.substr(reward)] += count;
      else
        going_on += count;
    }
    ASSERT_EQ(ended.size(), 2U);
    EXPECT_EQ(ended.begin()->second, ended.rbegin()->second);
    EXPECT_NEAR(going_on, 2 * ended.begin()->second, 1);
  }
}

TEST(PromptBook, KeepsNoExamplesOfTransitionsThatNobodyAsksFor) {
  Fixture<Chain> fixture({}, 10);
  EXPECT_TRUE(fixture.book.stable_prompt(QueryKind::transition, 0, false).text.empty());
  EXPECT_FALSE(fixture.book.stable_prompt(QueryKind::observation, 0, false).text.empty());
}

TEST(PromptBook, BalancesTerminations) {
  Fixture<Chain> fixture({.examples = BalancedExamples{}, .context_tokens = 1000000}, 60);
  int ended = 0;
  int going = 0;
  for (const auto& [example, count] : examples(fixture.write(QueryKind::termination, 1, false))) {
    (example.ends_with("assert done") ? ended : going) += count;
  }
  EXPECT_EQ(going, 0);  // try_goal always ends the episode
  EXPECT_GT(ended, 0);
  Fixture<Maze> maze({.examples = BalancedExamples{}, .context_tokens = 1000000}, 60);
  for (const auto& [example, count] : examples(maze.write(QueryKind::termination, 1, false))) {
    EXPECT_TRUE(example.find("state, reward = down()") != std::string::npos) << example;
    (example.ends_with("assert done") ? ended : going) += count;
  }
  Fixture<Maze> plain({.examples = BalancedExamples{.balance = false}, .context_tokens = 1000000}, 60);
  std::size_t unbalanced = 0;
  for (const auto& each : examples(plain.write(QueryKind::termination, 1, false))) {
    unbalanced += static_cast<std::size_t>(each.second);
  }
  EXPECT_EQ(unbalanced, plain.buffer.matching(1, true).size() + plain.buffer.matching(1, false).size());
}

TEST(PromptBook, RewardExamplesShareActionAndTerminationAndAreBalancedByValue) {
  Fixture<Chain> fixture({.examples = BalancedExamples{}, .context_tokens = 1000000}, 80);
  std::map<bool, int> counts;
  for (const auto& [example, count] : examples(fixture.write(QueryKind::reward, 1, true))) {
    EXPECT_NE(example.find("try_goal"), std::string::npos);
    counts[example.ends_with("reward == 1")] += count;
  }
  EXPECT_EQ(counts[true], counts[false]);
  EXPECT_TRUE(fixture.write(QueryKind::reward, 0, true).empty());  // "left" never ends an episode
}

TEST(PromptBook, WithoutConstraintsExamplesAreOfAnyAction) {
  Fixture<Chain> fixture({.examples = BalancedExamples{}, .context_tokens = 1000000, .constraints = false}, 30);
  const auto prompt = fixture.write(QueryKind::reward, 0, true);
  for (const auto* action : {"left()", "right()", "try_goal(state)"}) {
    EXPECT_NE(prompt.find(action), std::string::npos) << action;
  }
}

TEST(PromptBook, PolicyPromptsShowPartsOfTheMostRecentTrajectories) {
  Fixture<Chain> fixture(
      {.examples = BalancedExamples{}, .trajectories = LastTrajectories{2}, .context_tokens = 1000000}, 12);
  const auto prompt = fixture.write(QueryKind::action, 0, false);
  std::size_t parts = 0;
  for (std::size_t at = 0; (at = prompt.find("\nstate, reward = reset()\n", at)) != std::string::npos; ++at) ++parts;
  std::size_t expected = 0;
  for (std::size_t i = 10; i < 12; ++i) {
    const auto length = fixture.buffer.trajectory(i).size();
    expected += length * (length + 1) / 2;
  }
  EXPECT_EQ(parts, expected);
}

TEST(PromptBook, PolicyPromptsShowAnyPartOfAVeryLongTrajectory) {
  using testing::TextWorld;
  const TextWorld env;
  TypedPromptSource<TextWorld, testing::TextWorldFormatter, TrajectoryBuffer<TextWorld>> source(
      env, TrajectoryBuffer<TextWorld>(env), testing::TextWorldFormatter(env));
  TrajectoryOf<TextWorld> trajectory;
  constexpr int length = 100'000;  // with more parts than 32 bits can number
  for (int i = 0; i < length; ++i)
    trajectory.push_back({std::to_string(i), i % 2, 0, false, i + 1 == length, std::to_string(i + 1)});
  source.buffer().append(trajectory);
  PromptBook book(source, {.context_tokens = 400}, estimated_tokens, RandomKey(3));
  book.update();
  PromptScratch scratch;
  std::array<int, 4> quarters{};
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    RandomStream stream{RandomKey(seed)};
    std::string text;
    book.write(QueryKind::action, 0, false, stream, scratch, text);
    ASSERT_FALSE(text.empty());
    const auto first = std::stoul(text.substr(text.find_first_of("0123456789")));
    ++quarters.at(4 * first / length);
  }
  for (const int count : quarters) EXPECT_GT(count, 10);
}

TEST(PromptBook, ShowsOnlySuccessesWhenTold) {
  Fixture<Chain> fixture(
      {.examples = BalancedExamples{}, .trajectories = TrajectoriesAboveReturn{0}, .context_tokens = 1000000}, 40);
  const auto prompt = fixture.write(QueryKind::action, 0, false);
  std::size_t successes = 0;
  for (std::size_t i = 0; i < fixture.buffer.trajectory_count(); ++i) {
    successes += fixture.buffer[fixture.buffer.trajectory(i).back()].reward > 0 ? 1 : 0;
  }
  EXPECT_EQ(fixture.book.shown_trajectories(), std::min(successes, LastTrajectories{}.recency));
  EXPECT_EQ(prompt.find("reward = try_goal(state)\nassert reward == 0"), std::string::npos);
}

TEST(PromptBook, StaysWithinItsContext) {
  for (const std::size_t tokens : {130U, 200U, 333U, 1000U}) {
    for (const auto mode : {icpi_test::PromptMode::per_query, icpi_test::PromptMode::stable}) {
      Fixture<MiniCatch> fixture({.examples = icpi_test::examples_of(mode), .context_tokens = tokens}, 20);
      std::vector<StablePrompt> policy_prompts;
      fixture.book.draw_policy_prompts(RandomKey(1), policy_prompts);
      for (const auto kind : query_kinds) {
        std::string prompt = mode != icpi_test::PromptMode::stable ? fixture.write(kind, 0, true)
                             : kind == QueryKind::action           ? policy_prompts[0].text
                                                                   : fixture.book.stable_prompt(kind, 0, true).text;
        EXPECT_LE(estimated_tokens(prompt), tokens);
        fixture.book.write_query(kind, fixture.source.formatter().observation(fixture.buffer[0].observation), 0,
                                 prompt);
        EXPECT_LE(estimated_tokens(prompt), tokens) << name(kind);
      }
    }
  }
  for (const std::size_t tokens : {10U, 50U, 100U}) {  // an observation has 60
    EXPECT_THROW(Fixture<MiniCatch>({.examples = BalancedExamples{}, .context_tokens = tokens}, 1), InvalidArgument)
        << tokens;
  }
}

/// Equally many of both terminations, unless only one has occurred.
bool balanced(std::string_view prompt) {
  int ended = 0;
  int going = 0;
  for (const auto& [example, count] : examples(std::string(prompt))) {
    (example.ends_with("assert done") ? ended : going) += count;
  }
  return ended == 0 || going == 0 || ended == going;
}

TEST(PromptBook, StablePromptsOnlyGrowUnderOneIdentityAndStayBalanced) {
  Fixture<Maze> fixture({.examples = icpi::AppendOnlyExamples{}, .context_tokens = 1500}, 0);
  std::string before;
  std::uint64_t identity = 0;
  int grown = 0;
  int rebuilt = 0;
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    fixture.play(seed);
    const auto& prefix = fixture.book.stable_prompt(QueryKind::termination, 1, false);
    if (prefix.identity == identity) {
      ASSERT_TRUE(prefix.text.starts_with(before));
      if (prefix.text.size() > before.size()) {
        ++grown;
        EXPECT_TRUE(balanced(prefix.text)) << "after episode " << seed;
      }
    } else {
      rebuilt += identity == 0 ? 0 : 1;
    }
    before = prefix.text;
    identity = prefix.identity;
  }
  EXPECT_GT(grown, 40);
  EXPECT_GT(rebuilt, 0);
  EXPECT_LT(rebuilt, grown);
}

TEST(PromptBook, KnowsWhatWasTriedAndWhichAnswersThereAre) {
  Fixture<Chain> fixture({.examples = BalancedExamples{}}, 20);
  const auto& first = fixture.buffer[0];
  const std::string observation(fixture.source.formatter().observation(first.observation));
  EXPECT_TRUE(fixture.book.tried(observation, fixture.buffer.action_index(0)));
  EXPECT_FALSE(fixture.book.tried("assert state == 99\n", 0));
  EXPECT_EQ(fixture.book.known_answers(QueryKind::termination).size(), 2U);
  EXPECT_EQ(fixture.book.known_answers(QueryKind::action).size(), 3U);
  EXPECT_EQ(fixture.book.known_answers(QueryKind::reward).size(), 2U);
  EXPECT_TRUE(fixture.book.known_answers(QueryKind::observation).empty());
}

}  // namespace
}  // namespace icpi
