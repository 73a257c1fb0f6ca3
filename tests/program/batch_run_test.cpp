// SPDX-License-Identifier: MIT
// Runs whose questions go through a batch service.
#include <gmock/gmock.h>
#include <signal.h>

#include <charconv>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "program/batch_server.hpp"
#include "program/command_line.hpp"

namespace icpi::program {
namespace {

using icpi_test::BatchServer;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;

constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

class BatchRun : public CommandLineTest {
 protected:
  Words words(const BatchServer& server, const std::string& out, const Words& more = {}) const {
    Words words{"train",
                "--domain",
                "chain",
                "--model",
                "http",
                "--service",
                "generic",
                "--base-url",
                server.url(),
                "--steps",
                "16",
                "--seeds",
                "0:2",
                "--model-name",
                "chain-oracle",
                "--set",
                "warm_up_successes=-1000",
                "--set",
                "transition_questions=whole",
                "--out",
                path(out)};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Words batched(const BatchServer& server, const std::string& out) const {
    return words(server, out, {"--batch", "--batch-pause", "0.005", "--yes"});
  }
  [[nodiscard]] std::string episodes(const std::string& out) const { return read(path(out + "/episodes.jsonl")); }
  /// Of "batches: about N of them".
  static std::size_t rounds_in(const std::string& text) {
    const std::string before = "batches: about ";
    const std::size_t found = text.find(before);
    std::size_t rounds = 0;
    if (found == std::string::npos) return rounds;
    std::from_chars(text.data() + found + before.size(), text.data() + text.size(), rounds);
    return rounds;
  }
};

TEST_F(BatchRun, TellsHowManyRoundsItTakesAndWaitsForAYes) {
  const BatchServer server(all);
  const CommandResult asked = icpi(words(server, "out", {"--batch"}));
  EXPECT_EQ(asked.code, 2);
  EXPECT_GT(rounds_in(asked.error), 10U) << asked.error;
  EXPECT_THAT(asked.error, HasSubstr("up to " + std::to_string(rounds_in(asked.error)) + " days; --yes begins"));
  EXPECT_FALSE(std::filesystem::exists(path("out")));
  const CommandResult dry = icpi(words(server, "out", {"--batch", "--dry-run"}));
  EXPECT_EQ(rounds_in(dry.out), rounds_in(asked.error)) << dry.error;
}

TEST_F(BatchRun, IsTheRunOfSingleQuestionsInAsManyBatchesAsWasTold) {
  BatchServer server(all);
  const CommandResult single = icpi(words(server, "single"));
  ASSERT_EQ(single.code, 0) << single.error;
  ASSERT_EQ(server.batches(), 0U);
  const CommandResult result = icpi(batched(server, "batched"));
  ASSERT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(server.complaints(), "");
  EXPECT_EQ(server.batches(), rounds_in(result.error));
  EXPECT_EQ(episodes("batched"), episodes("single"));
  EXPECT_EQ(result.out, single.out) << "the costs too";
}

TEST_F(BatchRun, ThatIsKilledGoesOnWithTheBatchThatWasUnderWay) {
  BatchServer undisturbed(all);
  ASSERT_EQ(icpi(batched(undisturbed, "undisturbed")).code, 0);
  for (const std::size_t ended : {std::size_t{0}, std::size_t{7}}) {
    SCOPED_TRACE(ended);
    const std::string out = "killed-" + std::to_string(ended);
    BatchServer server(ended);
    for (const int signal : {SIGKILL, SIGTERM}) {
      const bool first = signal == SIGKILL;
      const int looks = server.looks();
      const pid_t process = start(first ? batched(server, out) : Words{"train", "--resume", path(out)});
      while (server.looks() < looks + 2) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      kill(process, signal);
      EXPECT_EQ(finish(process).code, first ? -1 : 128 + SIGTERM);
      EXPECT_EQ(server.batches(), ended + 1);
    }
    server.finish();
    const CommandResult resumed = icpi({"train", "--resume", path(out)});
    ASSERT_EQ(resumed.code, 0) << resumed.error;
    EXPECT_EQ(server.complaints(), "");
    EXPECT_EQ(server.batches(), undisturbed.batches()) << "nothing was asked twice";
    std::string records = episodes(out);
    for (std::size_t at = 0; (at = records.find(server.url(), at)) != std::string::npos;)
      records.replace(at, server.url().size(), undisturbed.url());
    EXPECT_EQ(records, episodes("undisturbed"));
  }
}

TEST_F(BatchRun, MayGoOnWithSingleQuestionsAndBack) {
  BatchServer server(3);
  const pid_t process = start(batched(server, "out"));
  while (server.looks() < 2) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  kill(process, SIGKILL);
  EXPECT_EQ(finish(process).code, -1);
  const CommandResult resumed = icpi({"train", "--resume", path("out"), "--batch=false"});
  ASSERT_EQ(resumed.code, 0) << resumed.error;
  EXPECT_EQ(server.batches(), 4U) << "one was under way";
  ASSERT_EQ(icpi(words(server, "single")).code, 0);
  EXPECT_EQ(episodes("out"), episodes("single"));
  EXPECT_THAT(icpi({"train", "--resume", path("single"), "--batch"}).error, HasSubstr("--yes begins"));
  EXPECT_EQ(icpi({"train", "--resume", path("single"), "--batch", "--yes"}).code, 0) << "there is nothing left to ask";
}

TEST_F(BatchRun, WhatDoesNotGoWithItIsNamed) {
  const BatchServer server(all);
  const auto error = [&](const Words& more) {
    const CommandResult result = icpi(words(server, "out", more));
    EXPECT_EQ(result.code, 2);
    return result.error;
  };
  EXPECT_THAT(error({"--batch", "--jobs", "2"}), HasSubstr("--batch does not go with --jobs 2"));
  EXPECT_THAT(error({"--batch", "--agent", "random"}), HasSubstr("agent 'random"));
  EXPECT_THAT(error({"--batch", "--batch-pause", "x"}), HasSubstr("--batch-pause 'x'"));
  EXPECT_THAT(error({"--batch", "--set", "restrict_answers=on", "--yes"}), HasSubstr("restrict_answers"));
  EXPECT_THAT(icpi({"train", "--domain", "chain", "--model", "oracle", "--batch", "--yes", "--out", path("out")}).error,
              HasSubstr("--batch needs --model http"));
  EXPECT_FALSE(std::filesystem::exists(path("out")));
}

}  // namespace
}  // namespace icpi::program
