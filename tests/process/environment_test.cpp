// SPDX-License-Identifier: MIT
#include "icpi/process/environment.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "icpi/testing/check_environment.hpp"
#include "icpi/testing/check_formatter.hpp"
#include "process/servers.hpp"

namespace icpi {
namespace {

using test::replies;
using test::shell;
using test::walk;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// What a call throws.
template <class Exception, class Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const Exception& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

/// The walk where only what is legal is done.
class LegalWalk : public ProcessEnvironment {
 public:
  using ProcessEnvironment::ProcessEnvironment;
  Step<FieldValues> step(const std::string& action) {
    const bool legal = std::find(legal_actions().begin(), legal_actions().end(), action) != legal_actions().end();
    return ProcessEnvironment::step(legal ? action : "right");
  }
};

TEST(ProcessEnvironment, SaysWhatTheServerSays) {
  const ProcessEnvironment env(walk());
  EXPECT_EQ(env.spec().name, "walk");
  EXPECT_EQ(env.spec().description, "Reach the goal.");
  EXPECT_THAT(env.actions(), ElementsAre("left", "right", "wait a moment"));
  EXPECT_EQ(env.discount(), 0.9);
  EXPECT_EQ(env.step_limit(), 12U);
  EXPECT_EQ(env.spec().reward_bounds, std::pair(-1.0, 1.0));
  ASSERT_EQ(env.fields().size(), 5U);
  EXPECT_EQ(env.fields()[3].categories, (std::vector<std::string>{"calm", "wild"}));
  EXPECT_TRUE(env.has_states());
}

TEST(ProcessEnvironment, KeepsTheLawsOfEnvironments) {
  const auto report = testing::check_environment(LegalWalk(walk()));
  EXPECT_TRUE(report.ok()) << report.to_string();
}

TEST(ProcessEnvironment, KeepsTheLawsOfStates) {
  testing::EnvironmentCheck check;
  check.episodes = 3;
  check.draws = 100;
  SettableProcessEnvironment env{ProcessEnvironment(walk())};
  const auto start = env.reset(3);
  env.set_state(start, 1);
  const auto once = env.step("right");
  env.set_state(start, 1);
  EXPECT_EQ(env.step("right"), once);
  EXPECT_EQ(std::get<std::int64_t>(once.observation[1]), std::get<std::int64_t>(start[1]));
}

TEST(ProcessEnvironment, HasTextsThatKeepTheLaws) {
  LegalWalk env(walk());
  const FieldFormatter<LegalWalk> formatter(env, {.hints = true});
  const auto report = testing::check_formatter(std::move(env), formatter, {.episodes = 5, .exact_observations = true});
  EXPECT_TRUE(report.ok()) << report.to_string();
}

TEST(ProcessEnvironment, SeedThatIsIgnoredIsFound) {
  const auto report = testing::check_environment(LegalWalk(walk({"ignores_seed"})), {.episodes = 2});
  EXPECT_TRUE(report.violates("Equal seeds and actions")) << report.to_string();
}

TEST(ProcessEnvironment, TellsLegalActions) {
  ProcessEnvironment env(walk());
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const auto seen = env.reset(seed);
    const bool at_edge = std::get<std::int64_t>(seen[0]) == 0;
    EXPECT_EQ(env.legal_actions().size(), at_edge ? 2U : 3U);
    EXPECT_EQ(env.legal_actions(seen), env.legal_actions());
  }
}

TEST(ProcessEnvironment, LegalActionsAreAllWhereNobodySays) {
  const ProcessEnvironment env(replies({}));
  EXPECT_EQ(env.legal_actions(), env.actions());
  EXPECT_EQ(env.legal_actions(FieldValues{std::int64_t{4}}), env.actions());
}

TEST(ProcessEnvironment, TogetherIsAsAlone) {
  constexpr std::size_t count = 5;
  auto alone = ProcessEnvironment::start(walk(), 1);
  auto together = ProcessEnvironment::start(walk(), count);
  std::vector<ProcessEnvironment*> envs;
  std::vector<std::uint64_t> seeds;
  for (std::size_t i = 0; i < count; ++i) {
    envs.push_back(&together[i]);
    seeds.push_back(100 + i);
  }
  ProcessEnvironment::begin_resets(envs, seeds);
  std::vector<std::vector<Step<FieldValues>>> steps(count);
  for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(envs[i]->reset(seeds[i]), alone[0].reset(seeds[i]));
  const std::string right = "right";
  std::vector<ProcessEnvironment*> live = envs;
  while (!live.empty()) {
    const std::vector<const std::string*> actions(live.size(), &right);
    ProcessEnvironment::begin_steps(live, actions);
    std::vector<ProcessEnvironment*> next;
    for (auto* env : live) {
      auto step = env->step(right);
      if (!step.terminated && !step.truncated) next.push_back(env);
      steps[static_cast<std::size_t>(env - together.data())].push_back(std::move(step));
    }
    live = next;
  }
  for (std::size_t i = 0; i < count; ++i) {
    alone[0].reset(seeds[i]);
    for (const auto& step : steps[i]) EXPECT_EQ(alone[0].step(right), step);
  }
}

TEST(ProcessEnvironment, WhatWasBegunMustFollow) {
  auto envs = ProcessEnvironment::start(walk(), 1);
  ProcessEnvironment* const env[] = {&envs[0]};
  const std::uint64_t seeds[] = {1};
  ProcessEnvironment::begin_resets(env, seeds);
  EXPECT_THROW(envs[0].reset(2), InvalidArgument);
}

TEST(ProcessEnvironment, WindowShowsTheLastObservations) {
  ProcessOptions options = walk();
  const auto plain = ProcessEnvironment(options).reset(5);
  options.window = 3;
  ProcessEnvironment env(options);
  ASSERT_EQ(env.fields().size(), 15U);
  EXPECT_EQ(env.fields()[0].name, "place_before_2");
  EXPECT_EQ(env.fields()[10].name, "place");
  const auto start = env.reset(5);
  EXPECT_EQ(FieldValues(start.begin(), start.begin() + 5), plain);
  EXPECT_EQ(FieldValues(start.begin() + 10, start.end()), plain);
  const auto next = env.step("right").observation;
  EXPECT_EQ(FieldValues(next.begin() + 5, next.begin() + 10), plain);
  EXPECT_NE(FieldValues(next.begin() + 10, next.end()), plain);
  EXPECT_EQ(env.legal_actions(next), env.legal_actions());
}

TEST(ProcessEnvironment, StepLimitTruncates) {
  ProcessOptions options = walk();
  options.step_limit = 2;
  ProcessEnvironment env(options);
  EXPECT_EQ(env.step_limit(), 2U);
  env.reset(1);
  EXPECT_FALSE(env.step("wait a moment").truncated);
  EXPECT_TRUE(env.step("wait a moment").truncated);
  EXPECT_THROW(env.step("right"), InvalidArgument);
}

TEST(ProcessEnvironment, DefaultStepLimitStandsBackBehindTheServers) {
  ProcessOptions options = walk();
  options.default_step_limit = 2;
  EXPECT_EQ(ProcessEnvironment(options).step_limit(), 12U);
  ProcessOptions without = replies({});
  without.default_step_limit = 7;
  EXPECT_EQ(ProcessEnvironment(without).step_limit(), 7U);
}

TEST(ProcessEnvironment, TerminatedIsNotTruncatedToo) {
  ProcessEnvironment env(
      replies({R"({"id":2,"observations":[[0]]})",
               R"({"id":3,"observations":[[1]],"rewards":[1],"terminated":[true],"truncated":[true]})"}));
  env.reset(0);
  const auto step = env.step("a");
  EXPECT_TRUE(step.terminated);
  EXPECT_FALSE(step.truncated);
}

TEST(ProcessEnvironment, WholeNumbersAndSeedsHave64Bits) {
  ProcessEnvironment env(
      shell("read l; echo "
            "'{\"id\":1,\"protocol\":1,\"name\":\"r\",\"fields\":[{\"name\":\"x\",\"kind\":\"integer\"},{\"name\":"
            "\"request\",\"kind\":\"text\"}],\"actions\":[\"a\"]}'; read l; q=$(echo \"$l\" | tr -d '\"'); echo "
            "\"{\\\"id\\\":2,\\\"observations\\\":[[9223372036854775807,\\\"$q\\\"]]}\"; read l"));
  const auto seen = env.reset(18446744073709551615U);
  EXPECT_EQ(std::get<std::int64_t>(seen[0]), 9223372036854775807);
  EXPECT_THAT(std::get<std::string>(seen[1]), HasSubstr("seeds:[18446744073709551615]"));
}

TEST(ProcessEnvironment, ErrorOfTheEnvironmentEndsItsEpisodeAlone) {
  ProcessEnvironment env(walk({"raises_at=2"}));
  for (int episode = 0; episode < 3; ++episode) {
    env.reset(7);
    env.step("right");
    EXPECT_EQ(message_of<Error>([&] { env.step("right"); }), "ValueError: the bridge is out");
  }
}

TEST(ProcessEnvironment, TellsWhatTheServerSaidLast) {
  ProcessEnvironment env(walk({"raises_at=1"}));
  env.reset(7);
  EXPECT_EQ(message_of<Error>([&] { env.step("right"); }), "ValueError: the bridge is out");
  EXPECT_THAT(env.last_words(), AllOf(HasSubstr("line"), HasSubstr(" / ValueError: the bridge is out")));
}

TEST(ProcessEnvironment, RefusesOptionsThatMakeNoSense) {
  EXPECT_THAT(message_of<InvalidArgument>([] { ProcessEnvironment env{ProcessOptions{}}; }), HasSubstr("neither"));
  const auto refused = [](auto change) {
    ProcessOptions options = walk();
    change(options);
    return message_of<InvalidArgument>([&] { ProcessEnvironment env(options); });
  };
  EXPECT_THAT(refused([](auto& o) { o.shell_command = "x"; }), HasSubstr("both"));
  EXPECT_THAT(refused([](auto& o) { o.start_timeout = std::chrono::milliseconds(0); }), HasSubstr("start_timeout"));
  EXPECT_THAT(refused([](auto& o) { o.timeout = std::chrono::milliseconds(0); }), HasSubstr("timeout"));
  EXPECT_THAT(refused([](auto& o) { o.longest_answer = 3; }), HasSubstr("longest_answer"));
  EXPECT_THAT(refused([](auto& o) { o.discount = 0; }), HasSubstr("discount"));
  EXPECT_THAT(refused([](auto& o) { o.window = 0; }), HasSubstr("window"));
  EXPECT_THROW((void)ProcessEnvironment::start(walk(), 0), InvalidArgument);
}

TEST(ProcessEnvironment, RefusesStepsThatMakeNoSense) {
  ProcessEnvironment env(walk());
  EXPECT_THAT(message_of<InvalidArgument>([&] { env.step("left"); }), HasSubstr("reset"));
  env.reset(0);
  EXPECT_THAT(message_of<InvalidArgument>([&] { env.step("up"); }), HasSubstr("'up' is none"));
  env.step("right");
}

TEST(ProcessEnvironment, RefusesStatesWhereThereAreNone) {
  EXPECT_THROW(SettableProcessEnvironment{ProcessEnvironment(replies({}))}, InvalidArgument);
  ProcessOptions options = walk();
  options.window = 2;
  EXPECT_THROW(SettableProcessEnvironment{ProcessEnvironment(options)}, InvalidArgument);
}

TEST(ProcessEnvironment, ProgramThatIsNotThereIsNamed) {
  ProcessOptions options;
  options.command = {"icpi-no-such-program"};
  EXPECT_THAT(message_of<EnvironmentUnreachable>([&] { ProcessEnvironment env(options); }),
              AllOf(HasSubstr("icpi-no-such-program"), HasSubstr("No such file")));
}

TEST(ProcessEnvironment, ServerThatRefusesIsBadUsage) {
  EXPECT_THAT(message_of<InvalidArgument>(
                  [] { ProcessEnvironment env(shell("read l; echo '{\"id\":1,\"error\":\"no such map\"}'; read l")); }),
              HasSubstr("no such map"));
}

}  // namespace
}  // namespace icpi
