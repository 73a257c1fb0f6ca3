// SPDX-License-Identifier: MIT
// Runs of the program that are interrupted while an environment in another process never answers.
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "process/gone.hpp"
#include "program/command_line.hpp"

namespace icpi::program {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// An interrupt ends a run within a second; a busy machine gets ten. Without an end of its own the run would wait for the
/// minutes of --env-start-timeout and --env-timeout.
constexpr auto soon = 10s;

class HangingEnvironments : public CommandLineTest {
 protected:
  void SetUp() override {
    CommandLineTest::SetUp();
    setenv("PYTHONPATH", ICPI_SOURCE_DIR "/python/servers", 1);
  }

  std::vector<std::string> train(const std::string& request, const std::string& name) const {
    const std::string env = std::string("process: ") + ICPI_PYTHON_PROGRAM + " " + ICPI_SOURCE_DIR +
                            "/tests/process/hanging_server.py " + request + " " + folder_.string();
    return {"train",  "--env",         env,       "--env-start-timeout",
            "3600",   "--env-timeout", "3600",    "--agent",
            "random", "--steps",       "60",      "--seeds",
            "0:2",    "--out",         path(name)};
  }

  /// Starts a run whose server never answers this request, but for the first so many, and interrupts it then.
  CommandResult interrupted(const std::string& request, int answers) {
    std::ofstream(path("hang")) << answers;
    const pid_t run = start(train(request, "run"));
    std::string hanging;
    for (int i = 0; i < 60'000 && !hanging.ends_with('\n'); ++i) {
      std::this_thread::sleep_for(1ms);
      hanging = read(path("hanging"));
    }
    const auto begin = std::chrono::steady_clock::now();
    kill(run, SIGINT);
    const CommandResult result = finish(run);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, soon);
    EXPECT_TRUE(test::goes_away(std::stoi("0" + hanging))) << "process " << hanging;
    for (const char* const each : {"hang", "hanging", "asked"}) std::filesystem::remove(path(each));
    return result;
  }
};

TEST_F(HangingEnvironments, EndSoonAfterASignalAndGoOnLater) {
  ASSERT_EQ(icpi(train("step", "undisturbed")).code, 0);
  const std::string records = read(path("undisturbed/episodes.jsonl"));
  // The first spec is that of the program itself, before there is a run.
  for (const auto& [request, answers] : {std::pair{"spec", 1}, {"reset", 0}, {"reset", 2}, {"step", 0}, {"step", 17}}) {
    SCOPED_TRACE(std::string(request) + " after " + std::to_string(answers));
    const CommandResult result = interrupted(request, answers);
    EXPECT_EQ(result.code, 128 + SIGINT) << result.error;
    EXPECT_THAT(result.error, HasSubstr("icpi train --resume '" + path("run")));
    const CommandResult resumed = icpi({"train", "--resume", path("run")});
    EXPECT_EQ(resumed.code, 0) << resumed.error;
    EXPECT_EQ(read(path("run/episodes.jsonl")), records);
    std::filesystem::remove_all(path("run"));
  }
}

TEST_F(HangingEnvironments, AreGivenUpAfterWhatTheirOptionSays) {
  for (const std::string request : {"spec", "reset"}) {
    std::ofstream(path("hang")) << 0;
    auto words = train(request, "run");
    const std::string option = request == "spec" ? "--env-start-timeout" : "--env-timeout";
    *std::next(std::find(words.begin(), words.end(), option)) = "1";
    const auto result = icpi(words);
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.error, HasSubstr("has not answered for 1 s (request '" + request + "')"));
    EXPECT_THAT(result.error, HasSubstr("(" + option + ")"));
    std::filesystem::remove_all(path("run"));
  }
}

TEST_F(HangingEnvironments, LeaveNothingBehindBeforeThereIsARun) {
  EXPECT_EQ(interrupted("spec", 0).code, -1);  // by the signal itself
  EXPECT_FALSE(std::filesystem::exists(path("run")));
}

}  // namespace
}  // namespace icpi::program
