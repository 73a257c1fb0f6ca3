// SPDX-License-Identifier: MIT
// Runs of the program that end before their time, and go on.
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "icpi/core/random.hpp"
#include "program/command_line.hpp"
#ifdef ICPI_WITH_HTTP
#include "program/model_server.hpp"
#endif

namespace icpi::program {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Words = std::vector<std::string>;

/// ICPI_LONG_TESTS in the environment runs all 500.
int kills() { return std::getenv("ICPI_LONG_TESTS") != nullptr ? 500 : 25; }

class Durable : public CommandLineTest {
 protected:
  /// `icpi train` with these words, into the folder of this name.
  Words train(const Words& more, const std::string& name) const {
    Words words{"train", "--domain", "chain", "--out", path(name)};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Words resume(const std::string& name) const { return {"train", "--resume", path(name)}; }

  void expect_equal_folders(const std::string& one, const std::string& other) const {
    for (const std::string file : {"episodes.jsonl", "run.json", "curves.csv", "summary.csv"}) {
      const std::string bytes = read(path(one + "/" + file));
      EXPECT_FALSE(bytes.empty()) << file;
      EXPECT_TRUE(bytes == read(path(other + "/" + file))) << file << " of " << other;
    }
  }

  /// Waits until the log in this folder has so many bytes, or the child has ended.
  void wait_for_log(const std::string& name, std::uintmax_t bytes, pid_t child) const {
    const auto log = folder_ / name / "log.jsonl";
    std::error_code error;
    for (int i = 0; i < 60'000; ++i) {
      const auto size = std::filesystem::file_size(log, error);
      if (!error && size >= bytes) return;
      siginfo_t info{};
      if (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child)
        return;
      std::this_thread::sleep_for(1ms);
    }
  }

  /// Kills runs `count` times at random moments, goes on each time, and expects the records of `undisturbed` whenever one
  /// is complete. `killed()` is called after every death, `completed()` after every run.
  template <class Killed, class Completed>
  void kill_often(const Words& words, int count, std::chrono::microseconds longest, Killed&& killed,
                  Completed&& completed) {
    RandomStream stream(RandomKey(17));
    for (int deaths = 0;;) {
      const bool resumes = std::filesystem::exists(folder_ / "run" / "log.jsonl");
      if (!resumes) std::filesystem::remove_all(folder_ / "run");
      const pid_t child = start(resumes ? resume("run") : train(words, "run"));
      if (deaths < count) {
        std::this_thread::sleep_for(longest * stream.uniform());
        kill(child, SIGKILL);
      }
      const CommandResult result = finish(child);
      if (result.code == -1) {
        ++deaths;
        killed();
        continue;
      }
      if (result.code == 2 && result.error.find("offset 0:") != std::string::npos) {  // died before its first record
        std::filesystem::remove_all(folder_ / "run");
        continue;
      }
      ASSERT_EQ(result.code, 0) << result.error;
      expect_equal_folders("undisturbed", "run");
      completed();
      std::filesystem::remove_all(folder_ / "run");
      if (deaths == count) break;
    }
  }

  /// How long the program takes for this.
  std::chrono::microseconds time(const Words& words) {
    const auto begin = std::chrono::steady_clock::now();
    const CommandResult result = icpi(words);
    EXPECT_EQ(result.code, 0) << result.error;
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  }
};

TEST_F(Durable, ARunThatIsKilledAtAnyMomentGoesOnAsIfNothingHadHappened) {
  for (const Words& words :
       {Words{"--seeds", "0:2", "--steps", "40"}, Words{"--seeds", "0:3", "--options", "best", "--jobs", "2"}}) {
    const auto longest = time(train(words, "undisturbed"));
    kill_often(
        words, kills() / 2 + 1, longest, [] {}, [] {});
    EXPECT_EQ(icpi(resume("undisturbed")).code, 0);
    std::filesystem::remove_all(folder_ / "undisturbed");
  }
}

#ifdef ICPI_WITH_HTTP
TEST_F(Durable, ARunBehindAServerThatIsKilledNeverAsksWhatIsRecorded) {
  ModelServer server;
  for (const Words& options : {Words{"--options", "paper"}, Words{"--options", "best"}}) {
    Words words{"--seeds", "0:2",        "--steps",    "25",           "--model",
                "http",    "--base-url", server.url(), "--model-name", "scripted"};
    words.insert(words.end(), options.begin(), options.end());
    const auto longest = time(train(words, "undisturbed"));
    const std::size_t needed = server.different();
    EXPECT_EQ(server.asked(), needed);
    server.forget();
    std::size_t in_flight = 0;  // asked, but not in the log when the process died: only these may be asked again
    const auto killed = [&] {
      server.settle();
      const std::string log = read(path("run/log.jsonl"));
      std::size_t recorded = 0;
      for (std::size_t at = 0; (at = log.find("{\"request\":", at)) < log.rfind('\n') && at != log.npos; ++at)
        ++recorded;
      EXPECT_LE(recorded, server.different());
      in_flight += server.different() - recorded;
    };
    const auto completed = [&] {
      EXPECT_EQ(server.different(), needed);
      EXPECT_LE(server.asked() - server.different(), in_flight);
      server.forget();
      in_flight = 0;
    };
    kill_often(words, kills() / 2 + 1, longest, killed, completed);
    std::filesystem::remove_all(folder_ / "undisturbed");
    server.forget();
  }
}

TEST_F(Durable, ASignalEndsTheWaitForAServerThatNeverAnswers) {
  ModelServer server;
  const Words words{"--seeds", "0:2",        "--steps",    "25",           "--model",
                    "http",    "--base-url", server.url(), "--model-name", "scripted"};
  ASSERT_EQ(icpi(train(words, "undisturbed")).code, 0);
  server.forget();
  server.answer_only(30);
  const pid_t child = start(train(words, "run"));
  while (server.asked() <= 30) std::this_thread::sleep_for(1ms);
  const auto begin = std::chrono::steady_clock::now();
  kill(child, SIGINT);
  const CommandResult result = finish(child);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);  // one, on a machine that has nothing else to do
  EXPECT_EQ(result.code, 128 + SIGINT) << result.error;
  EXPECT_THAT(result.error, HasSubstr("--resume"));
  server.answer_only(~std::size_t{0});
  ASSERT_EQ(icpi(resume("run")).code, 0);
  expect_equal_folders("undisturbed", "run");
}
#endif

TEST_F(Durable, SignalsStopAfterTheStepWithTheirOwnExitCode) {
  const Words words{"--seeds", "0:2", "--steps", "4000"};
  for (const int number : {SIGINT, SIGTERM}) {
    const pid_t child = start(train(words, "run"));
    wait_for_log("run", 200'000, child);
    kill(child, number);
    const CommandResult result = finish(child);
    EXPECT_EQ(result.code, 128 + number) << result.error;
    EXPECT_THAT(result.error, HasSubstr("icpi train --resume '" + path("run")));
    EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1);
    const std::string records = read(path("run/episodes.jsonl"));
    EXPECT_THAT(records, AllOf(HasSubstr("\"seed\":0"), HasSubstr("\"seed\":1")));  // none is held back
    EXPECT_EQ(records.back(), '\n');

    const CommandResult plotted = icpi({"plot", path("run"), "--out", path("plot")});
    EXPECT_EQ(plotted.code, 0) << plotted.error;
    EXPECT_THAT(plotted.out, AllOf(HasSubstr("not complete: icpi-best (induction/2) in chain: seed 0 has"),
                                   HasSubstr("of 4000 steps"), HasSubstr("nothing to draw")));
    std::filesystem::remove_all(folder_ / "run");
    std::filesystem::remove_all(folder_ / "plot");
  }
}

TEST_F(Durable, ASecondProcessIsRefused) {
  const pid_t child = start(train({"--seeds", "0", "--steps", "100000"}, "run"));
  wait_for_log("run", 10'000, child);
  const CommandResult second = icpi(resume("run"));
  EXPECT_EQ(second.code, 2);
  EXPECT_THAT(second.error, AllOf(HasSubstr("log.jsonl"), HasSubstr("in use by another process")));
  kill(child, SIGKILL);
  finish(child);
}

TEST_F(Durable, AFullDiskStopsTheRunWhichGoesOnWhenThereIsRoom) {
  const Words words{"--seeds", "0:2", "--steps", "30"};
  ASSERT_EQ(icpi(train(words, "undisturbed")).code, 0);
  const CommandResult stopped = finish(start(train(words, "run"), "ulimit -f 100"));
  EXPECT_EQ(stopped.code, 1);
  EXPECT_THAT(stopped.error, AllOf(HasSubstr("writing"), HasSubstr("log.jsonl"), HasSubstr("File too large"),
                                   HasSubstr("icpi train --resume '" + path("run"))));
  EXPECT_EQ(icpi(resume("run")).code, 0);
  expect_equal_folders("undisturbed", "run");
}

TEST_F(Durable, TooFewDescriptorsAreOneErrorThatNamesTheFile) {
  const Words words{"--seeds", "0", "--steps", "10"};
  // Whoever runs the tests may have 3 open.
  const CommandResult stopped = finish(start(train(words, "run"), "exec 3>&-; ulimit -n 4"));
  EXPECT_NE(stopped.code, 0);
  EXPECT_THAT(stopped.error, AllOf(HasSubstr(path("run")), HasSubstr("Too many open files")));
}

TEST_F(Durable, ARunThatAsksForWholeTransitionsGoesOnToo) {
  const Words words{"--seeds", "0:2", "--steps", "60", "--set", "transition_questions=whole"};
  ASSERT_EQ(icpi(train(words, "undisturbed")).code, 0);
  EXPECT_EQ(finish(start(train(words, "run"), "ulimit -f 60")).code, 1);
  EXPECT_EQ(icpi(resume("run")).code, 0);
  expect_equal_folders("undisturbed", "run");
}

TEST_F(Durable, ARemovedFolderStopsTheRun) {
  const pid_t child = start(train({"--seeds", "0", "--steps", "100000"}, "run"));
  wait_for_log("run", 10'000, child);
  std::filesystem::remove_all(folder_ / "run");
  const CommandResult result = finish(child);
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, HasSubstr("was removed"));
}

TEST_F(Durable, APowerSafeRunHasTheSameRecords) {
  const Words words{"--seeds", "0", "--steps", "10"};
  ASSERT_EQ(icpi(train(words, "undisturbed")).code, 0);
  Words safe = words;
  safe.insert(safe.end(), {"--durability", "power"});
  ASSERT_EQ(icpi(train(safe, "run")).code, 0);
  expect_equal_folders("undisturbed", "run");
}

TEST_F(Durable, AFinishedRunIsWrittenAgainFromItsLog) {
  ASSERT_EQ(icpi(train({"--seeds", "0:2", "--steps", "30"}, "undisturbed")).code, 0);
  std::filesystem::copy(folder_ / "undisturbed", folder_ / "run");
  for (const std::string file : {"episodes.jsonl", "run.json", "curves.csv", "summary.csv"})
    std::ofstream(folder_ / "run" / file) << "damaged";
  const CommandResult result = icpi(resume("run"));
  EXPECT_EQ(result.code, 0) << result.error;
  expect_equal_folders("undisturbed", "run");
}

TEST_F(Durable, WhatCannotBeResumedIsNamed) {
  const auto expect_refusal = [&](const Words& words, const Words& named) {
    const CommandResult result = icpi(words);
    EXPECT_EQ(result.code, 2) << result.error;
    for (const auto& name : named) EXPECT_THAT(result.error, HasSubstr(name));
    EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1);
  };
  ASSERT_EQ(icpi(train({"--seeds", "0:2", "--steps", "20"}, "run")).code, 0);
  Words more = resume("run");
  more.insert(more.end(), {"--seeds", "0:3"});
  expect_refusal(more, {"--resume", "other options", "0:2", "0:3"});
  more = resume("run");
  more.insert(more.end(), {"--out", path("elsewhere")});
  expect_refusal(more, {"--out", "--resume"});
  expect_refusal({"reproduce", "--resume", path("run")}, {"icpi train", "icpi reproduce"});
  expect_refusal(resume("nowhere"), {"nowhere", "log.jsonl"});
  expect_refusal(train({"--durability", "paper"}, "new"), {"--durability", "'paper'", "process, power"});
  expect_refusal(train({"--on-environment-error", "shrug"}, "new"), {"'shrug'", "stop, continue"});
  const std::string log = read(path("run/log.jsonl"));
  std::ofstream(folder_ / "run" / "log.jsonl", std::ios::binary) << log.substr(0, 3000) << '?' << log.substr(3001);
  expect_refusal(resume("run"), {"log.jsonl, offset ", "truncate --size="});
}

TEST_F(Durable, ReproduceGoesOnToo) {
  const Words words{"reproduce", "--model", "oracle",  "--domains", "chain",  "--agents", "icpi,tabular-q,random",
                    "--steps",   "24",      "--seeds", "0:3",       "--jobs", "2",        "--out"};
  Words undisturbed = words;
  undisturbed.push_back(path("undisturbed"));
  ASSERT_EQ(icpi(undisturbed).code, 0);
  const std::string log = read(path("undisturbed/log.jsonl"));
  for (const std::size_t tenth : {1U, 4U, 7U, 9U}) {
    std::filesystem::create_directories(folder_ / "run");
    std::ofstream(folder_ / "run" / "log.jsonl", std::ios::binary) << log.substr(0, log.size() * tenth / 10);
    const CommandResult result = icpi({"reproduce", "--resume", path("run")});
    ASSERT_EQ(result.code, 0) << result.error;
    for (const std::string file : {"episodes.jsonl", "run.json", "curves.csv", "summary.csv", "table.md"})
      EXPECT_TRUE(read(path("run/" + file)) == read(path("undisturbed/" + file))) << file;
    std::filesystem::remove_all(folder_ / "run");
  }
}

TEST_F(Durable, PlotNamesWhatIsMissing) {
  ASSERT_EQ(icpi(train({"--agent", "random", "--seeds", "0:3", "--steps", "30"}, "run")).code, 0);
  const std::string records = read(path("run/episodes.jsonl"));
  const std::size_t seed_two = records.rfind('\n', records.find("\"seed\":2")) + 1;
  std::ofstream(folder_ / "run" / "episodes.jsonl") << records.substr(0, seed_two) << "{\"domain\":\"ch";
  const CommandResult partial = icpi({"plot", path("run"), "--out", path("plot")});
  EXPECT_EQ(partial.code, 0) << partial.error;
  EXPECT_THAT(partial.out, AllOf(HasSubstr("is not whole"), HasSubstr("random in chain: seed 2 has 0 of 30 steps"),
                                 Not(HasSubstr("seed 1"))));
  EXPECT_THAT(read(path("plot/summary.csv")), HasSubstr("chain,random,,2,"));
  std::ofstream(folder_ / "run" / "episodes.jsonl") << "";
  const CommandResult empty = icpi({"plot", path("run"), "--out", path("empty")});
  EXPECT_EQ(empty.code, 0) << empty.error;
  EXPECT_THAT(empty.out, AllOf(HasSubstr("random in chain: no episode is finished"), HasSubstr("nothing to draw")));
  EXPECT_THAT(empty.out, Not(HasSubstr("(paper)"))) << "there is no domain to compare with";
  std::ofstream(folder_ / "run" / "episodes.jsonl") << records << "\n";
  EXPECT_THAT(icpi({"plot", path("run"), "--out", path("none")}).error, HasSubstr(": it is empty"));
}

TEST_F(Durable, PlotLeavesNoCutFileWhereTheDiskIsFull) {
  ASSERT_EQ(icpi(train({"--agent", "random", "--seeds", "0:2", "--steps", "60"}, "run")).code, 0);
  const auto plot = [&](const std::string& blocks) {
    std::filesystem::remove_all(path("plot"));
    return finish(start({"plot", path("run"), "--out", path("plot")}, "ulimit -f " + blocks));
  };
  const CommandResult none = plot("1");  // 512 bytes a block
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.error, AllOf(HasSubstr("plot/curves.csv failed: "), HasSubstr("File too large")));
  EXPECT_TRUE(std::filesystem::is_empty(path("plot")));
  const CommandResult tables = plot("16");
  EXPECT_EQ(tables.code, 1);
  EXPECT_THAT(tables.error, HasSubstr("gnuplot did not write all of"));
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(path("plot"))) files.push_back(entry.path().filename());
  EXPECT_THAT(files, testing::UnorderedElementsAre("curves.csv", "summary.csv", "table.md", "figure-methods.gp"));
}

TEST_F(Durable, WhatIsOtherwiseThanInTheLogIsNamed) {
  ASSERT_EQ(icpi(train({"--agent", "random", "--seeds", "0:1", "--steps", "30"}, "run")).code, 0);
  EXPECT_THAT(icpi({"train", "--resume", path("run"), "--steps", "40"}).error,
              HasSubstr("steps was '30', and is '40'"));
  EXPECT_THAT(icpi({"train", "--resume", path("run"), "--domain", "maze"}).error,
              HasSubstr("domain was 'chain', and is 'maze'"));
}

}  // namespace
}  // namespace icpi::program
