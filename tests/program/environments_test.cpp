// SPDX-License-Identifier: MIT
// Runs in which several environments share the agent of each seed.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "command_line.hpp"
#include "icpi/experiment/episode_record.hpp"

namespace icpi::program {
namespace {

using ::testing::HasSubstr;

class Environments : public CommandLineTest {
 protected:
  using Words = std::vector<std::string>;

  Words train(const Words& more, const std::string& out) {
    Words words{"train", "--domain", "maze", "--steps", "40", "--seeds", "0:2", "--out", path(out)};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  std::vector<EpisodeRecord> records(const std::string& run) {
    std::vector<EpisodeRecord> all;
    std::istringstream lines(read(path(run + "/episodes.jsonl")));
    for (std::string line; std::getline(lines, line);) all.push_back(parse_episode_record(line));
    return all;
  }
};

TEST_F(Environments, ShareTheAgentOfEachSeedAndAreTold) {
  ASSERT_EQ(icpi(train({"--environments", "3"}, "several")).code, 0);
  ASSERT_EQ(icpi(train({}, "one")).code, 0);
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<EpisodeRecord>> runs;
  std::uint64_t seed = 0;
  for (const EpisodeRecord& each : records("several")) {
    EXPECT_GE(each.seed, seed);  // in the order of seeds
    seed = each.seed;
    ASSERT_TRUE(each.environment.has_value());
    runs[{each.seed, *each.environment}].push_back(each);
  }
  ASSERT_EQ(runs.size(), 6U);
  std::uint64_t untaught = 0;
  for (const auto& [name, run] : runs) {
    EXPECT_LT(name.second, 3U);
    EXPECT_GE(run.back().step, 40U);
    for (std::size_t i = 0; i < run.size(); ++i) EXPECT_EQ(run[i].episode, i);
    untaught += run.front().lm_calls == 0 ? 1 : 0;
  }
  EXPECT_LT(untaught, 5U);  // what others did is known in first episodes
  for (const EpisodeRecord& each : records("one")) EXPECT_FALSE(each.environment.has_value());
  ASSERT_EQ(icpi(train({"--environments", "1"}, "one_named")).code, 0);
  EXPECT_EQ(read(path("one_named/episodes.jsonl")), read(path("one/episodes.jsonl")));
  EXPECT_THAT(read(path("several/summary.csv")), HasSubstr("maze,icpi-best,induction/2,2,"));  // two seeds
  EXPECT_EQ(icpi({"plot", path("several"), "--out", path("figures")}).code, 0);
  EXPECT_EQ(read(path("figures/summary.csv")), read(path("several/summary.csv")));
}

TEST_F(Environments, OfOneRunDoNotDependOnThreads) {
  ASSERT_EQ(icpi(train({"--environments", "2"}, "one")).code, 0);
  ASSERT_EQ(icpi(train({"--environments", "2", "--jobs", "2"}, "two")).code, 0);
  auto one = records("one");
  auto two = records("two");
  for (auto* run : {&one, &two})
    for (EpisodeRecord& each : *run) each.computed_tokens = 0;
  EXPECT_EQ(one, two);
}

TEST_F(Environments, GoOnFromAnyMomentOfTheirLog) {
  ASSERT_EQ(icpi(train({"--environments", "3"}, "whole")).code, 0);
  const std::string log = read(path("whole/log.jsonl"));
  for (const std::size_t part : {1U, 3U, 6U, 7U}) {
    const std::string name = "cut" + std::to_string(part);
    std::filesystem::create_directory(path(name));
    const std::size_t first_line = log.find('\n') + 1;
    std::ofstream(path(name + "/log.jsonl"), std::ios::binary)
        << log.substr(0, first_line + (log.size() - first_line) * part / 8);
    const CommandResult result = icpi({"train", "--resume", path(name)});
    ASSERT_EQ(result.code, 0) << result.error;
    EXPECT_EQ(read(path(name + "/episodes.jsonl")), read(path("whole/episodes.jsonl"))) << part;
    EXPECT_EQ(read(path(name + "/log.jsonl")), log) << part;
  }
  const CommandResult other = icpi({"train", "--resume", path("whole"), "--environments", "2"});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.error, HasSubstr("environments was '3', and is '2'"));
}

TEST_F(Environments, ThatAreMissingInARunAreNamed) {
  ASSERT_EQ(icpi(train({"--environments", "2"}, "run")).code, 0);
  std::istringstream lines(read(path("run/episodes.jsonl")));
  std::string kept;
  for (std::string line; std::getline(lines, line);)
    if (line.find("\"seed\":1") == std::string::npos || line.find("\"environment\":1") == std::string::npos)
      kept += line + '\n';
  std::ofstream(path("run/episodes.jsonl"), std::ios::binary) << kept;
  const CommandResult result = icpi({"plot", path("run"), "--out", path("figures")});
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_THAT(result.out, HasSubstr("seed 1, environment 1, has 0 of 40 steps"));
}

TEST_F(Environments, WhatDoesNotGoWithThemIsNamed) {
  const auto refusal = [&](const Words& words) {
    const CommandResult result = icpi(words);
    EXPECT_EQ(result.code, 2);
    return result.error;
  };
  EXPECT_THAT(refusal(train({"--environments", "0"}, "run")), HasSubstr("--environments"));
  EXPECT_THAT(refusal(train({"--environments", "2", "--agent", "tabular-q"}, "run")), HasSubstr("not with 'tabular-q"));
  EXPECT_FALSE(std::filesystem::exists(path("run")));
  ASSERT_EQ(icpi(train({"--environments", "2"}, "run")).code, 0);
  EXPECT_THAT(refusal({"evaluate", path("run"), "--episodes", "1"}), HasSubstr("cannot be frozen"));
}

}  // namespace
}  // namespace icpi::program
