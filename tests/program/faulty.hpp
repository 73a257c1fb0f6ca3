// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "icpi/core/random.hpp"
#include "program/command_line.hpp"

namespace icpi::program {

/// Runs the program on a machine that fails, or that ends it: see tests/support/faults.cpp.
class FaultyTest : public CommandLineTest {
 protected:
  using Words = std::vector<std::string>;
  using FaultList = std::vector<std::pair<std::string, long>>;  ///< names without ICPI_FAULT_, and values

  /// Starts the program with these faults. `more`: a shell obeys it first.
  pid_t start_with(const FaultList& faults, const Words& words, const std::string& more = "") {
    std::string before = more.empty() ? "" : more + "; ";
    for (const auto& [name, value] : faults) before += fmt::format("export ICPI_FAULT_{}={}; ", name, value);
    return start(words, before + "export LD_PRELOAD=" ICPI_FAULTS);
  }
  CommandResult icpi_with(const FaultList& faults, const Words& words) { return finish(start_with(faults, words)); }

  /// What a command takes that nothing disturbs.
  struct Measure {
    std::chrono::microseconds time{};
    long changes = 0;  ///< to files
  };

  /// Runs a command and measures it.
  Measure measure(const Words& words) {
    const std::string file = path("changes");
    const auto begin = std::chrono::steady_clock::now();
    const CommandResult result = finish(start(words, "export ICPI_FAULT_COUNT='" + file + "' LD_PRELOAD=" ICPI_FAULTS));
    const auto end = std::chrono::steady_clock::now();
    EXPECT_EQ(result.code, 0) << result.error;
    Measure measured{std::chrono::duration_cast<std::chrono::microseconds>(end - begin), 0};
    std::ifstream(file) >> measured.changes;
    std::filesystem::remove(file);
    return measured;
  }

  /// Runs a command that is killed at a random moment: at one of its changes to files, or after some time, in turn. Code
  /// -1: it died; it may have ended before.
  CommandResult run_killed(const Words& words, const Measure& whole, RandomStream& stream) {
    by_time_ = !by_time_;
    if (!by_time_ && whole.changes > 0) {
      const auto number = 1 + static_cast<long>(stream.index(static_cast<std::size_t>(whole.changes)));
      return icpi_with({{"KILL_AT", number}}, words);
    }
    const auto moment = std::chrono::duration_cast<std::chrono::microseconds>(whole.time * stream.uniform());
    const pid_t child = start(words);
    std::this_thread::sleep_for(moment);
    kill(child, SIGKILL);
    return finish(child);
  }

  void expect_equal_files(const std::string& one, const std::string& other, const Words& files) const {
    for (const std::string& file : files) {
      const std::string bytes = read(path(one + "/" + file));
      EXPECT_FALSE(bytes.empty()) << file << " of " << one;
      EXPECT_TRUE(bytes == read(path(other + "/" + file))) << file << " of " << one << " and " << other;
    }
  }

  /// Whether a run has something to go on with: the first line of its log is whole.
  [[nodiscard]] bool has_begun(const std::string& run) const {
    return read(path(run + "/log.jsonl")).find('\n') != std::string::npos;
  }

  /// The command that goes on with a run, or begins it: died before the first record, there is nothing to go on with.
  Words go_on(const Words& train, const std::string& run) const {
    if (has_begun(run)) return {"train", "--resume", path(run)};
    std::filesystem::remove_all(path(run));
    return train;
  }

  /// Words of `icpi train`, into the folder of this name.
  [[nodiscard]] Words train(const Words& more, const std::string& name) const {
    Words words{"train", "--domain", "chain", "--out", path(name)};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

 private:
  bool by_time_ = false;
};

}  // namespace icpi::program
