// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

extern char** environ;

namespace icpi::program {

/// Options of runs that ask their model much, where the recommended ones recall what was seen.
inline const std::vector<std::string> asking_much{"--set", "recall=off",          "--set", "optimism=off",
                                                  "--set", "prompt_growth=0",     "--set", "warm_up=on",
                                                  "--set", "warm_up_successes=1", "--set", "untried_bonus=0.001",
                                                  "--set", "outcomes=1",          "--set", "balance_chance=on"};

/// What a command came to.
struct CommandResult {
  int code = -1;  ///< exit code; -1: ended by a signal
  std::string out;
  std::string error;
};

/// A folder of its own for every test, and the program to run in it.
class CommandLineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ =
        std::filesystem::temp_directory_path() / ("icpi-" + std::string(test->name()) + "-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }

  [[nodiscard]] static std::string read(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }

  /// Runs the program with these arguments.
  CommandResult icpi(const std::vector<std::string>& arguments) { return finish(start(arguments)); }

  /// Starts the program and returns its process id: see finish(). `before`: a shell obeys it first.
  pid_t start(const std::vector<std::string>& arguments, const std::string& before = "") {
    std::vector<std::string> words{ICPI_PROGRAM};
    if (!before.empty()) words = {"/bin/sh", "-c", before + "; exec \"$0\" \"$@\"", ICPI_PROGRAM};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (auto& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    const std::string name = path("std" + std::to_string(++started_));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, (name + "out").c_str(), flags, 0600);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, (name + "err").c_str(), flags, 0600);
    pid_t child = 0;
    const int failed = posix_spawn(&child, words[0].c_str(), &actions, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    EXPECT_EQ(failed, 0);
    running_[child] = name;
    return child;
  }

  /// Whether a started program has not ended.
  static bool is_running(pid_t child) {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
  }

  /// Waits until a started program has ended.
  CommandResult finish(pid_t child) {
    int status = 0;
    CommandResult result;
    if (waitpid(child, &status, 0) == child) result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    const std::string name = running_[child];
    running_.erase(child);
    result.out = read(name + "out");
    result.error = read(name + "err");
    std::filesystem::remove(name + "out");
    std::filesystem::remove(name + "err");
    return result;
  }

  /// What a started program has said on standard error so far.
  [[nodiscard]] std::string error_of(pid_t child) { return read(running_[child] + "err"); }

  std::filesystem::path folder_;

 private:
  int started_ = 0;
  std::map<pid_t, std::string> running_;  ///< and where their output goes
};

}  // namespace icpi::program
