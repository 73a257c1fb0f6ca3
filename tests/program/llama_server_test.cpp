// SPDX-License-Identifier: MIT
// The program against a real llama-server with random weights, which answers from lists of choices: nonsense, but of
// the right form. Skipped unless the environment names how to start one: see http/llama_server.hpp.
#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "http/llama_server.hpp"
#include "icpi/experiment/episode_record.hpp"
#include "program/command_line.hpp"

namespace icpi::program {
namespace {

using namespace std::chrono_literals;
using icpi_test::LlamaServer;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;

class RealServer : public CommandLineTest {
 protected:
  void SetUp() override {
    if (!icpi_test::llama_server_is_there()) GTEST_SKIP() << "ICPI_LLAMA_RUN and ICPI_LLAMA_GGUF are not set";
    CommandLineTest::SetUp();
  }

  /// A run that asks from its first step on.
  Words train(const LlamaServer& server, const std::string& out, const Words& more = {}) const {
    Words words{"train",      "--domain", "chain", "--model", "http",    "--base-url",
                server.url(), "--seeds",  "0:1",   "--out",   path(out), "--keep-going"};
    for (const auto* setting : {"mode=stable", "context_tokens=1500", "max_tokens=40", "temperature=0",
                                "restrict_answers=on", "warm_up_successes=-1000", "step_limit=3", "attempts=1"})
      words.insert(words.end(), {"--set", setting});
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  std::vector<EpisodeRecord> records(const std::string& out) const {
    std::istringstream lines(read(path(out + "/episodes.jsonl")));
    std::vector<EpisodeRecord> found;
    for (std::string line; std::getline(lines, line);) found.push_back(parse_episode_record(line));
    return found;
  }
};

TEST_F(RealServer, ServesAGrowingPartOfStablePromptsFromItsCache) {
  const LlamaServer server({"-np", "8", "-c", "16384"});
  const CommandResult models = icpi({"models", "--model", "http", "--base-url", server.url()});
  EXPECT_THAT(models.out, HasSubstr("llama-server"));
  EXPECT_THAT(models.out, HasSubstr("8 slots"));
  EXPECT_THAT(models.out, HasSubstr("choices        yes"));
  const CommandResult result = icpi(train(server, "out", {"--steps", "60"}));
  ASSERT_EQ(result.code, 0) << result.error;
  std::cout << result.out;
  const auto all = records("out");
  ASSERT_GE(all.back().step, 60U);
  struct Part {
    std::uint64_t calls = 0;
    std::uint64_t asked = 0;
    std::uint64_t cached = 0;
  };
  Part early;
  Part late;
  for (const EpisodeRecord& record : all) {
    Part& part = record.step <= 30 ? early : late;
    part.calls += record.lm_calls;
    part.asked += record.prompt_tokens;
    part.cached += record.prompt_tokens - record.computed_tokens;
  }
  std::cout << early.cached << " of " << early.asked << " prompt tokens cached in " << early.calls << " calls, then "
            << late.cached << " of " << late.asked << " in " << late.calls << " calls\n";
  ASSERT_GT(early.calls, 20U);
  ASSERT_GT(late.calls, 20U);
  EXPECT_GT(late.cached * early.calls, early.cached * late.calls);
  EXPECT_GT(late.cached * 2, late.asked);
}

TEST_F(RealServer, KilledAndRestartedInTheMiddleTheRunGoesOn) {
  LlamaServer server({"-np", "1", "-c", "4096"});
  const Words more{"--steps", "30", "--concurrency", "1"};
  const CommandResult calm = icpi(train(server, "undisturbed", more));
  ASSERT_EQ(calm.code, 0) << calm.error;
  Words recorded = more;
  recorded.insert(recorded.end(), {"--record", path("record.jsonl")});
  const pid_t process = start(train(server, "killed", recorded));
  const auto answers = [&] { return std::ranges::count(read(path("record.jsonl")), '\n'); };
  for (int i = 0; i < 3000 && answers() < 100; ++i) std::this_thread::sleep_for(10ms);
  server.stop(SIGKILL);
  std::this_thread::sleep_for(std::getenv("ICPI_LONG_TESTS") != nullptr ? 10s : 2s);
  EXPECT_EQ(waitpid(process, nullptr, WNOHANG), 0) << "it did not wait for the server";
  server.start();
  const CommandResult result = finish(process);
  ASSERT_EQ(result.code, 0) << result.error;
  EXPECT_THAT(result.error, HasSubstr("pausing"));
  EXPECT_THAT(result.error, HasSubstr("is back after"));
  const auto expected = records("undisturbed");
  const auto found = records("killed");
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EpisodeRecord record = found[i];
    record.computed_tokens = expected[i].computed_tokens;  // the new server had to compute its prompts again
    EXPECT_EQ(to_json(record), to_json(expected[i]));
  }
}

}  // namespace
}  // namespace icpi::program
