// SPDX-License-Identifier: MIT
// Servers that do not what they should: each gives one clear error, and leaves nothing behind.
#include <dirent.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "icpi/process/environment.hpp"
#include "process/gone.hpp"
#include "process/servers.hpp"

namespace icpi {
namespace {

using namespace std::chrono_literals;
using test::goes_away;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* broken_server = ICPI_SOURCE_DIR "/tests/process/broken_server.py";

/// All pairs of stage and fault, as the script lists them.
std::vector<std::pair<std::string, std::string>> faults() {
  const std::string command = std::string(ICPI_PYTHON_PROGRAM) + " " + broken_server + " list";
  FILE* const list = popen(command.c_str(), "r");
  std::string text;
  for (int each = fgetc(list); each != EOF; each = fgetc(list)) text += static_cast<char>(each);
  pclose(list);
  std::istringstream words(text);
  std::vector<std::pair<std::string, std::string>> all;
  for (std::string stage, fault; words >> stage >> fault;) all.emplace_back(stage, fault);
  return all;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) count += each.exists() ? 1 : 0;
  return count;
}

bool has_children() { return waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD; }

/// Plays until it throws; what it threw, in every later call too.
std::string played_on(ProcessEnvironment& env) {
  std::string first;
  for (int i = 0; i < 3; ++i) {
    try {
      env.reset(1);
      env.step("go");
      return "nothing was thrown";
    } catch (const EnvironmentUnreachable& error) {
      EXPECT_TRUE(i == 0 || first == error.what()) << error.what();
      first = error.what();
    }
  }
  return first;
}

std::string played(const ProcessOptions& options) {
  try {
    ProcessEnvironment env(options);
    return played_on(env);
  } catch (const EnvironmentUnreachable& error) {
    return error.what();
  }
}

TEST(BrokenServers, AreGivenUpWithinTenSecondsOfTheirStart) {
  EXPECT_EQ(ProcessOptions{}.timeout, 10s);
  EXPECT_EQ(ProcessOptions{}.start_timeout, 60s);
}

TEST(BrokenServers, AreMany) { EXPECT_GE(faults().size(), 50U); }

class BrokenServersOfAStage : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Stages, BrokenServersOfAStage, ::testing::Values("spec", "reset", "step"));

TEST_P(BrokenServersOfAStage, EachGivesOneClearError) {
  const auto all = faults();
  const std::size_t descriptors = open_descriptors();
  for (const auto& [stage, fault] : all) {
    if (stage != GetParam()) continue;
    SCOPED_TRACE(stage + " " + fault);
    ProcessOptions options;
    options.command = {ICPI_PYTHON_PROGRAM, broken_server, stage, fault};
    const bool waits = fault == "silence" || fault == "half";
    options.start_timeout = waits && stage == "spec" ? 100ms : 60s;
    options.timeout = waits && stage != "spec" ? 100ms : 60s;
    options.longest_answer = std::size_t{1} << 20;
    const std::string message = played(options);
    EXPECT_THAT(message, AllOf(HasSubstr("environment '"), HasSubstr("'" + stage + "'"), Not(HasSubstr("\n"))));
    if (fault == "exit") {
      EXPECT_THAT(message, AllOf(HasSubstr("exit code 3"), HasSubstr("the frobnicator is gone")));
    }
    if (fault == "killed") {
      EXPECT_THAT(message, HasSubstr("signal 9"));
    }
    if (fault == "garbage") {
      EXPECT_THAT(message, HasSubstr("Welcome to my environment!"));
    }
    if (waits) {
      EXPECT_THAT(message, HasSubstr("has not answered for 0.1 s"));
      EXPECT_THAT(message,
                  HasSubstr(stage == "spec" ? "start_timeout (--env-start-timeout)" : "timeout (--env-timeout)"));
    }
    if (fault == "nan" || fault == "nan_reward") {
      EXPECT_THAT(message, HasSubstr("NaN"));
    }
    if (fault == "flood") {
      EXPECT_THAT(message, HasSubstr("more than 1048576 bytes"));
    }
    if (fault == "no_category") {
      EXPECT_THAT(message, HasSubstr("field 'colour'"));
    }
    if (fault == "closed") {
      EXPECT_THAT(message, HasSubstr("closed its output"));
    }
    EXPECT_FALSE(has_children());
  }
  EXPECT_EQ(open_descriptors(), descriptors);
}

TEST(BrokenServers, InheritNoFileOfTheHost) {
  const int file = open("/dev/null", O_RDONLY);  // as a host opens files that does not think of its children
  ASSERT_GE(file, 3);
  ProcessOptions options;
  options.command = {"/bin/sh", "-c",
                     "for each in /proc/$$/fd/*; do [ -e $each ] && printf '%s ' ${each##*/} >&2; done; exit 3"};
  EXPECT_THAT(played(options), ContainsRegex("it said last: 0 1 2 ?$"));
  close(file);
}

TEST(BrokenServers, OneThatFallsSilentIsWaitedForOnce) {
  ProcessOptions options = test::replies({});
  options.shell_command += "; sleep 600";
  options.timeout = 100ms;
  ProcessEnvironment env(options);
  EXPECT_THAT(played_on(env), HasSubstr("its process has not answered for 0.1 s (request 'reset')"));
  EXPECT_FALSE(has_children());
}

TEST(BrokenServers, WritingToOneThatIsGoneRaisesNoSignal) {
  ASSERT_NE(signal(SIGPIPE, SIG_DFL), SIG_ERR);
  // Ends after the spec; the next request meets a pipe that nobody reads.
  auto envs = ProcessEnvironment::start(test::replies({}), 2000);
  ProcessOptions options = test::shell(
      "read l; echo '{\"id\":1,\"protocol\":1,\"name\":\"r\",\"fields\":[{\"name\":\"x\",\"kind\":\"integer\"}],"
      "\"actions\":[\"a\"]}'; exec sh -c 'exit 5'");
  ProcessEnvironment env(options);
  try {
    env.reset(0);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const EnvironmentUnreachable& error) {
    EXPECT_THAT(error.what(), HasSubstr("exit code 5"));
  }
}

TEST(BrokenServers, RequestLargerThanAPipeIsNoDeadlock) {
  // Says more on its standard error than a pipe takes before it reads at all.
  const ProcessOptions options = test::shell(
      "head -c 300000 /dev/zero | tr '\\0' e >&2; read l; echo '{\"id\":1,\"protocol\":1,\"name\":\"r\",\"fields\":[{"
      "\"name\":\"x\",\"kind\":\"integer\"}],\"actions\":[\"a\"]}'; head -c 300000 /dev/zero | tr '\\0' e >&2; read l; "
      "echo '{\"id\":2,\"error\":\"too many\"}'; read l");
  constexpr std::size_t count = 20'000;
  auto envs = ProcessEnvironment::start(options, count);
  std::vector<ProcessEnvironment*> all;
  for (auto& each : envs) all.push_back(&each);
  ProcessEnvironment::begin_resets(all, std::vector<std::uint64_t>(count, 18446744073709551615U));
  try {
    envs[0].reset(18446744073709551615U);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "too many");
  }
}

class Orphans : public ::testing::Test {
 protected:
  void SetUp() override {
    file_ = ::testing::TempDir() + "/orphan-" + std::to_string(getpid()) + "-" +
            ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove(file_);
  }
  void TearDown() override { std::filesystem::remove(file_); }

  /// The numbers of the process that the server started, and of the server.
  std::pair<pid_t, pid_t> processes() const {
    std::ifstream in(file_);
    std::pair<pid_t, pid_t> numbers{0, 0};
    in >> numbers.first >> numbers.second;
    EXPECT_GT(numbers.first, 0);
    EXPECT_GT(numbers.second, 0);
    return numbers;
  }

  std::string file_;
};

TEST_F(Orphans, NoneIsLeftByAnEnvironmentThatGoes) {
  { ProcessEnvironment env(test::walk({"orphan=" + file_})); }
  const auto [held, server] = processes();
  EXPECT_TRUE(goes_away(held));
  EXPECT_TRUE(goes_away(server));
  EXPECT_FALSE(has_children());
}

TEST_F(Orphans, NoneIsLeftByAServerThatIsKilled) {
  ProcessEnvironment env(test::walk({"orphan=" + file_}));
  const auto [held, server] = processes();
  kill(server, SIGKILL);
  EXPECT_THROW(env.reset(0), EnvironmentUnreachable);
  EXPECT_TRUE(goes_away(held));
}

TEST_F(Orphans, NoneIsLeftByAWaitThatIsInterrupted) {
  for (const std::string stage : {"spec", "reset"}) {
    int polls = 0;
    ProcessOptions options;
    options.shell_command =
        "echo 1 $$ > '" + file_ + "'; exec " + ICPI_PYTHON_PROGRAM + " " + broken_server + " spec silence";
    if (stage == "reset") {
      options = test::replies({});
      options.shell_command = "echo 1 $$ > '" + file_ + "'; trap '' TERM; " + options.shell_command + "; sleep 3600";
    }
    options.start_timeout = options.timeout = std::chrono::hours(1);
    options.interrupted = [&] { return ++polls > 20; };
    try {
      ProcessEnvironment env(options);
      EXPECT_EQ(stage, "reset");
      polls = 0;
      env.reset(0);
      ADD_FAILURE() << "nobody answered";
    } catch (const EnvironmentUnreachable& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr("interrupted"), HasSubstr("'" + stage + "'")));
    }
    EXPECT_TRUE(goes_away(processes().second));
    EXPECT_FALSE(has_children());
  }
}

TEST_F(Orphans, NoneIsLeftByAProcessThatIsKilled) {
  const pid_t owner = fork();
  if (owner == 0) {
    ProcessEnvironment env(test::walk({"orphan=" + file_}));
    raise(SIGKILL);
    _exit(0);
  }
  waitpid(owner, nullptr, 0);
  const auto [held, server] = processes();
  EXPECT_TRUE(goes_away(server));
  EXPECT_TRUE(goes_away(held));
}

TEST_F(Orphans, NoneIsLeftByAThreadThatEnds) {
  std::vector<ProcessEnvironment> envs;
  std::thread([&] { envs.emplace_back(test::walk()); }).join();
  envs[0].reset(0);  // it outlives the thread that started it
  EXPECT_EQ(envs[0].step("right").observation.size(), 5U);
  envs.clear();
  EXPECT_FALSE(has_children());
}

TEST_F(Orphans, ServersDoNotKeepEachOtherAlive) {
  ProcessEnvironment first(test::walk());
  { ProcessEnvironment second(test::walk({"orphan=" + file_})); }
  EXPECT_TRUE(goes_away(processes().second));
  first.reset(0);
}

}  // namespace
}  // namespace icpi
