// SPDX-License-Identifier: MIT
// Sweeps, and runs that are joined.
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "icpi/core/random.hpp"
#include "program/command_line.hpp"

namespace icpi::program {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Words = std::vector<std::string>;

constexpr auto two_by_two = R"(
seeds = "0:4"
seeds-per-task = 2

[train]
options = "paper"
steps = 20

[[method]]
agent = "icpi"
[[method]]
agent = "random"

[[environment]]
domain = "chain"
[[environment]]
domain = "mini-catch"
)";

class Sweep : public CommandLineTest {
 protected:
  void SetUp() override {
    CommandLineTest::SetUp();
    write("plan.toml", two_by_two);
  }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
  }

  CommandResult sweep(const Words& more = {}, const std::string& plan = "plan.toml") {
    Words words{"sweep", path(plan), "--out", path("sweep")};
    words.insert(words.end(), more.begin(), more.end());
    return icpi(words);
  }

  /// What is said of this plan.
  std::string refused(const std::string& plan) {
    write("bad.toml", plan);
    const CommandResult result = sweep({}, "bad.toml");
    EXPECT_EQ(result.code, 2) << plan;
    EXPECT_FALSE(std::filesystem::exists(path("sweep")));
    return result.error.substr(std::min(result.error.size(), std::string("icpi: " + path("")).size()));
  }

  /// The plan's runs as one, in a folder of this name.
  void reproduce(const std::string& name) {
    const CommandResult result =
        icpi({"reproduce", "--options", "paper", "--steps", "20", "--domains", "chain,mini-catch", "--agents",
              "icpi,random", "--seeds", "0:4", "--out", path(name)});
    ASSERT_EQ(result.code, 0) << result.error;
  }

  void expect_equal_files(const std::string& one, const std::string& other, const Words& files) const {
    for (const std::string& file : files) {
      const std::string bytes = read(path(one + "/" + file));
      EXPECT_FALSE(bytes.empty()) << file;
      EXPECT_TRUE(bytes == read(path(other + "/" + file))) << file << " of " << one << " and " << other;
    }
  }
};

TEST_F(Sweep, JoinsToTheRunThatOneCommandMakes) {
  const CommandResult played = sweep({"--jobs", "2"});
  ASSERT_EQ(played.code, 0) << played.error;
  EXPECT_THAT(played.out, HasSubstr("8 tasks: 8 done, 0 running, 0 waiting, 0 failed, 0 missing\n"));
  EXPECT_TRUE(std::filesystem::exists(path("sweep/tasks/mini-catch/icpi/induction/seeds-2-to-3/run/episodes.jsonl")));
  EXPECT_TRUE(std::filesystem::exists(path("sweep/tasks/chain/random/seeds-0-to-1/run/episodes.jsonl")));

  ASSERT_EQ(icpi({"merge", path("sweep"), "--out", path("merged")}).code, 0);
  reproduce("whole");
  expect_equal_files("merged", "whole", {"episodes.jsonl", "run.json"});
  ASSERT_EQ(icpi({"plot", path("merged"), "--out", path("plotted")}).code, 0);
  expect_equal_files("plotted", "whole", {"curves.csv", "summary.csv", "table.md"});
}

TEST_F(Sweep, GoesOnAfterItWasKilledAtAnyMoment) {
  RandomStream stream(RandomKey(5));
  const Words words{"sweep", path("plan.toml"), "--out", path("sweep"), "--jobs", "2"};
  for (int deaths = 0; deaths < 6; ++deaths) {
    const pid_t child = start(words);
    std::this_thread::sleep_for(300ms * stream.uniform());
    kill(child, deaths % 2 == 0 ? SIGKILL : SIGTERM);
    finish(child);
  }
  // Those that it left behind end by themselves, after their step.
  CommandResult played;
  for (bool running = true; running;) {
    played = sweep({"--jobs", "2"});
    ASSERT_EQ(played.code, 0) << played.error;
    running = played.out.find(" 0 running") == std::string::npos;
  }
  EXPECT_THAT(played.out, HasSubstr("8 tasks: 8 done"));
  ASSERT_EQ(icpi({"merge", path("sweep"), "--out", path("merged")}).code, 0);
  reproduce("whole");
  expect_equal_files("merged", "whole", {"episodes.jsonl", "run.json"});
}

TEST_F(Sweep, SaysWhyTasksFailedAndRunsThemAgain) {
  write("plan.toml", R"(
seeds = "0:2"
[train]
options = "paper"
steps = 30
[[method]]
agent = "icpi"
[[environment]]
domain = "chain"
[[model]]
max-calls = 5
)");
  const CommandResult failed = sweep();
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.error, HasSubstr("2 tasks failed"));
  const CommandResult status = icpi({"sweep", "status", path("sweep")});
  EXPECT_EQ(status.code, 0);
  EXPECT_THAT(status.out, StartsWith("2 tasks: 0 done, 0 running, 0 waiting, 2 failed, 0 missing\n"));
  EXPECT_THAT(status.out, AllOf(HasSubstr("failed       1  chain/icpi/induction/seed-1: "), HasSubstr("budget")));
  EXPECT_THAT(status.out, HasSubstr("icpi sweep " + path("plan.toml") + " --out " + path("sweep") + " --tasks 0-1\n"));
  EXPECT_THAT(read(path("sweep/tasks/chain/icpi/induction/seed-1/output.txt")), HasSubstr("budget"));

  // A task is a run like any other: it goes on with another budget, by hand.
  const std::string run = path("sweep/tasks/chain/icpi/induction/seed-1/run");
  EXPECT_EQ(icpi({"train", "--resume", run, "--max-calls", "1000000"}).code, 0);
  const CommandResult chosen = sweep({"--tasks", "1"});
  EXPECT_EQ(chosen.code, 1);
  EXPECT_THAT(chosen.out, HasSubstr("1 done, 0 running, 0 waiting, 1 failed"));
}

TEST_F(Sweep, LooksAtThePlanBeforeAnythingIsPlayed) {
  const std::string rest = "[[method]]\nagent = \"icpi\"\n[[environment]]\ndomain = \"chain\"\n";
  EXPECT_EQ(refused("seeds = \"0:2\"\nseeds = 3"),
            "bad.toml, line 2: Error while parsing key-value pair: cannot redefine existing string 'seeds'\n");
  for (const std::string header : {"[!]", "[[,]]", "[\x01]", "[ = ]"})
    EXPECT_THAT(refused("seeds = \"0:2\"\n" + header), StartsWith("bad.toml, line 2: ")) << header;
  for (const std::string line : {"\xEF\xBB\xBB = 1", "x = 'a' \u00e9", "x = \"\\\"\u00e9\" \u00e9", "x = 'a\n\u00e9",
                                 "x = 1\":t\u078ce", "x = \"\\\u00e9\"", "x = \"\"\"\\\xEF\xBB\xBC\"\"\""})
    EXPECT_THAT(refused("# \u00e9 \"\n" + line), StartsWith("bad.toml, line ")) << line;
  for (const std::string text : {"'\\\u00e9'", "'\u00e9\"'", "\"\\\"\u00e9\"", "\"\"\"\n\u00e9\"\"\u00e9\"\"\"",
                                 "'''\u00e9\\'''", "\"\"\"\\ \n \u00e9\xEF\xBB\xBB\"\"\""})
    EXPECT_THAT(refused("seeds = \"0:2\"\nx = " + text), HasSubstr("'x' is unknown")) << text;
  EXPECT_EQ(refused(rest), "bad.toml: seeds are missing: seeds = \"A:B\"\n");
  EXPECT_EQ(refused("seeds = \"0:2\"\n[[method]]\nagent = \"icpi\"\n"),
            "bad.toml: a [[environment]] is missing: name one at least\n");
  EXPECT_THAT(refused("seeds = \"2:2\"\n" + rest), StartsWith("bad.toml, line 1: --seeds '2:2' is not allowed"));
  EXPECT_THAT(refused("seeds = \"0:2\"\njobs = 3\n" + rest),
              StartsWith("bad.toml, line 2: 'jobs' is unknown; allowed: seeds, "));
  EXPECT_EQ(refused("seeds = \"0:2\"\n" + rest + "out = \"x\"\n"), "bad.toml, line 6: 'out' is the sweep's to say\n");
  EXPECT_THAT(refused("seeds = \"0:2\"\n" + rest + "[[environment]]\ndomain = \"cavern\"\n"),
              StartsWith("bad.toml, lines 2, 6: unknown domain 'cavern'"));
  EXPECT_THAT(refused("seeds = \"0:2\"\n" + rest + "[[method]]\nagent = \"icpi\"\nset = [\"temperature=hot\"]\n"),
              HasSubstr("bad.toml, lines 4, 6: "));
  EXPECT_THAT(refused("seeds = \"0:2\"\n[train]\nagent = \"icpi\"\n" + rest),
              HasSubstr("'agent' stands in two of the tables"));
  EXPECT_THAT(refused("seeds = \"0:2\"\n" + rest + "[[method]]\nagent = \"icpi\"\n"),
              HasSubstr("there is a 'chain/icpi-best/induction' already"));
  EXPECT_THAT(refused("seeds = \"0:2\"\n" + rest + "[[method]]\nname = \"again\"\nagent = \"icpi\"\n"),
              HasSubstr("records could not tell them apart"));
  EXPECT_THAT(refused("seeds = \"0:2\"\n" + rest + "[[method]]\nname = \"../up\"\n"), HasSubstr("name '../up'"));
  EXPECT_THAT(refused("seeds = \"0:2\"\n" + rest + "[slurm]\narray = \"0-3\"\n"), HasSubstr("is the sweep's to say"));
}

TEST_F(Sweep, WhatAPlanHoldsIsOfItsKindAndNothingElseReachesATask) {
  const std::string rest = "[[method]]\nagent = \"icpi\"\n[[environment]]\ndomain = \"chain\"\n";
  const auto in_line_2 = [&](const std::string& line) { return refused("seeds = \"0:2\"\n" + line + "\n" + rest); };
  EXPECT_EQ(in_line_2("record = \"yes\""), "bad.toml, line 2: record: expected true or false\n");
  EXPECT_EQ(in_line_2("train = 3"), "bad.toml, line 2: expected one table [train]\n");
  EXPECT_EQ(in_line_2("model = \"induction\""), "bad.toml, line 2: expected tables [[model]]\n");
  EXPECT_EQ(in_line_2("model = [{max-calls = 3}, 4]"), "bad.toml, line 2: expected tables [[model]]\n");
  EXPECT_EQ(in_line_2("model = [{max-calls = [[3]]}]"), "bad.toml, line 2: expected a text or a number\n");
  EXPECT_EQ(in_line_2("model = [{max-calls = 1979-05-27}]"), "bad.toml, line 2: expected a text or a number\n");
  EXPECT_THAT(in_line_2("seeds-per-task = 0"), StartsWith("bad.toml, line 2: seeds-per-task '0' is not allowed"));
  EXPECT_THAT(refused("seeds = \"0:1000000\"\n" + rest + "[[environment]]\ndomain = \"maze\"\n"),
              HasSubstr("2000000 tasks; allowed: 1000000"));
  for (const std::string key : {"out=/tmp/elsewhere", "seeds=5:6", "resume=x", "", "steps ", "Steps"})
    EXPECT_EQ(in_line_2("train = {\"" + key + "\" = true}"),
              "bad.toml, line 2: '" + key + "' is no option of icpi train\n");
  EXPECT_EQ(in_line_2("train = {task = \"Go\\u0000.\"}"), "bad.toml, line 2: U+0000 ends a word of a command\n");
}

TEST_F(Sweep, TasksAreNumbersAndRangesThatExist) {
  for (const std::string tasks : {"8", "3-2", "0-", "-1", "0,,1", "0,", "x", "0-18446744073709551615"})
    EXPECT_EQ(sweep({"--dry-run", "--tasks", tasks}).error,
              "icpi: --tasks '" + tasks + "' is not allowed; expected numbers and ranges in 0 .. 7, as 3,7-9\n");
  EXPECT_THAT(sweep({"--dry-run", "--tasks", ""}).error, StartsWith("icpi: --tasks names none"));
  EXPECT_THAT(icpi({"sweep", path("plan.toml"), "--out", path("a%b"), "--slurm", "--dry-run"}).error,
              HasSubstr("a script for Slurm cannot name it"));
}

TEST_F(Sweep, ShowsItsTasksAndWritesNothing) {
  const CommandResult shown = sweep({"--dry-run"});
  EXPECT_EQ(shown.code, 0) << shown.error;
  EXPECT_THAT(shown.out, HasSubstr("    7  mini-catch/random/seeds-2-to-3: icpi train --options=paper --steps=20 "
                                   "--domain=mini-catch --agent=random --seeds=2:4\n"));
  EXPECT_FALSE(std::filesystem::exists(path("sweep")));
  EXPECT_EQ(icpi({"sweep", path("plan.toml"), "--dry-run"}).out, shown.out) << "no folder is needed for that";
  EXPECT_THAT(icpi({"sweep", path("plan.toml"), "--dry-run", "--tasks", "7"}).out, StartsWith("    7  "));
  EXPECT_THAT(icpi({"sweep", path("plan.toml")}).error, HasSubstr("--out is missing"));
  EXPECT_THAT(icpi({"sweep", folder_.string(), "--dry-run"}).error,
              HasSubstr("cannot read " + folder_.string() + ": it is a folder"));
}

TEST_F(Sweep, ShowsTheScriptForSlurm) {
  const CommandResult shown = sweep({"--dry-run", "--slurm", "--slurm-option", "time=1:00:00", "--tasks", "0,2-7"});
  EXPECT_EQ(shown.code, 0) << shown.error;
  EXPECT_THAT(shown.out, AllOf(StartsWith("#!/bin/bash\n"), HasSubstr("\n#SBATCH --array=0,2-7\n"),
                               HasSubstr("\n#SBATCH --requeue\n"), HasSubstr("\n#SBATCH --time=\"1:00:00\"\n"),
                               HasSubstr(" sweep task " + path("sweep") + " $((0 + SLURM_ARRAY_TASK_ID))\n")));
  EXPECT_FALSE(std::filesystem::exists(path("sweep")));
  EXPECT_EQ(sweep({"--slurm", "--slurm-option", "time=1\n#SBATCH --uid=0"}).code, 2);
  EXPECT_EQ(sweep({"--slurm", "--jobs", "2"}).code, 2);
  EXPECT_EQ(sweep({"--no-submit"}).code, 2);

  ASSERT_EQ(sweep({"--slurm", "--no-submit", "--tasks", "5"}).code, 0);
  const std::string script = path("sweep/slurm/array-0.sh");
  EXPECT_THAT(read(script), HasSubstr("\n#SBATCH --array=5\n"));
  // What Slurm does with it.
  ASSERT_EQ(std::system(("SLURM_ARRAY_TASK_ID=5 bash " + script + " > " + path("output")).c_str()), 0);
  EXPECT_THAT(icpi({"sweep", "status", path("sweep")}).out, HasSubstr("8 tasks: 1 done, "));
}

TEST_F(Sweep, KeepsToTheFolderOfItsOwnPlan) {
  ASSERT_EQ(sweep({"--tasks", "2"}).code, 0);
  write("other.toml", std::string(two_by_two) + "[[method]]\nagent = \"optimal\"\n");
  const CommandResult other = sweep({}, "other.toml");
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.error, AllOf(HasSubstr("holds another sweep"), HasSubstr("task 4 is 'mini-catch/icpi")));
  EXPECT_EQ(sweep({"--tasks", "8"}).code, 2);
  EXPECT_EQ(icpi({"sweep", "status", path("")}).code, 2);
  std::string manifest = read(path("sweep/sweep.json"));
  const std::string version = "\"icpi\":\"";
  manifest.insert(manifest.find(version) + version.size(), "9");
  write("sweep/sweep.json", manifest);
  EXPECT_THAT(sweep().error, HasSubstr("their records do not mix"));
}

TEST_F(Sweep, FoldersNameNothingOutsideOfThemselves) {
  ASSERT_EQ(sweep({"--tasks", "2"}).code, 0);
  const std::string manifest = read(path("sweep/sweep.json"));
  const std::string name = "\"name\":\"chain/random/seeds-0-to-1\"";
  ASSERT_NE(manifest.find(name), std::string::npos);
  for (const std::string other :
       {"../../../elsewhere", "/tmp/elsewhere", "chain/../..", "chain/./x", "chain/", ".x", ""}) {
    std::string changed = manifest;
    write("sweep/sweep.json", changed.replace(manifest.find(name), name.size(), "\"name\":\"" + other + "\""));
    const std::string error = path("sweep/sweep.json: task '") + other + "' does not name folders of the sweep\n";
    EXPECT_EQ(icpi({"sweep", "status", path("sweep")}).error, "icpi: " + error);
    EXPECT_EQ(icpi({"sweep", "task", path("sweep"), "2"}).error, "icpi: " + error);
    EXPECT_EQ(icpi({"merge", path("sweep"), "--out", path("merged")}).error, "icpi: " + error);
  }
  write("sweep/sweep.json", manifest.substr(0, manifest.find('\n')) + "]}");
  EXPECT_THAT(icpi({"sweep", "status", path("sweep")}).error, EndsWith("sweep.json: it lists no task\n"));
}

TEST_F(Sweep, PlaysATaskAgainOfWhichItCannotReadWhatBecame) {
  ASSERT_EQ(sweep({"--tasks", "2-3"}).code, 0);
  const std::string file = "sweep/tasks/chain/random/seeds-0-to-1/task.json";
  const std::string sound = read(path(file));
  write(file, "");
  const CommandResult status = icpi({"sweep", "status", path("sweep")});
  EXPECT_EQ(status.code, 0);
  EXPECT_THAT(status.out, AllOf(HasSubstr("1 done"), HasSubstr("1 failed"), HasSubstr(path(file) + ": JSON: ")));
  EXPECT_EQ(sweep({"--tasks", "2-3"}).code, 0);
  EXPECT_EQ(read(path(file)), sound);
}

/// Runs of one seed each, to be joined.
class Merge : public Sweep {
 protected:
  void SetUp() override {
    Sweep::SetUp();
    for (const std::string seed : {"0", "1"}) ASSERT_EQ(train(seed, "20"), 0);
  }

  int train(const std::string& seeds, const std::string& steps, const Words& more = {}, std::string name = "") {
    if (name.empty()) name = seeds;
    Words words{"train",
                "--domain",
                "chain",
                "--agent",
                "icpi",
                "--seeds",
                seeds,
                "--steps",
                steps,
                "--record",
                path(name + ".recording"),
                "--out",
                path(name)};
    words.insert(words.end(), more.begin(), more.end());
    return icpi(words).code;
  }

  CommandResult merge(const Words& names, const std::string& out, const Words& more = {}) {
    Words words{"merge"};
    for (const std::string& name : names) words.push_back(path(name));
    words.insert(words.end(), {"--out", path(out)});
    words.insert(words.end(), more.begin(), more.end());
    return icpi(words);
  }
};

TEST_F(Merge, JoinsEachRunOnceInWhateverOrderAndAgain) {
  ASSERT_EQ(train("0:2", "20", {}, "both"), 0);
  ASSERT_EQ(merge({"1", "0", "1"}, "merged").code, 0);
  expect_equal_files("merged", "both", {"episodes.jsonl", "run.json"});
  const std::string costs = read(path("merged/costs.csv"));
  EXPECT_THAT(costs, StartsWith("domain,agent,model,seeds,episodes,lm_calls,"));
  ASSERT_EQ(merge({"1", "0"}, "merged").code, 0);
  ASSERT_EQ(merge({"merged", "both"}, "again").code, 0);
  expect_equal_files("again", "both", {"episodes.jsonl", "run.json"});
  EXPECT_EQ(read(path("again/costs.csv")), costs);
  EXPECT_EQ(merge({"again", "0"}, "again").code, 2);
}

TEST_F(Merge, JoinsRecordings) {
  std::filesystem::copy(path("0.recording"), path("0/recording.jsonl"));
  std::filesystem::copy(path("1.recording"), path("1/recording.jsonl"));
  ASSERT_EQ(merge({"0", "1"}, "merged").code, 0);
  EXPECT_TRUE(read(path("merged/recording.jsonl")) == read(path("0.recording")) + read(path("1.recording")));
  const CommandResult asked =
      icpi({"ask", "--recording", path("merged/recording.jsonl"), "--domain", "chain", "--most", "5"});
  EXPECT_EQ(asked.code, 0) << asked.error;
  std::filesystem::remove(path("0/recording.jsonl"));
  std::filesystem::remove(path("1/recording.jsonl"));
  ASSERT_EQ(merge({"0", "1"}, "merged").code, 0);
  EXPECT_FALSE(std::filesystem::exists(path("merged/recording.jsonl")));
}

TEST_F(Merge, ThatIsKilledAtAnyMomentIsDoneByTheNextOne) {
  const int kills = std::getenv("ICPI_LONG_TESTS") != nullptr ? 500 : 15;
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(merge({"0", "1"}, "whole").code, 0);
  const auto longest = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  RandomStream stream(RandomKey(29));
  for (int deaths = 0; deaths < kills; ++deaths) {
    if (deaths % 3 == 0) std::filesystem::remove_all(path("merged"));
    const pid_t child = start({"merge", path("0"), path("1"), "--out", path("merged")});
    std::this_thread::sleep_for(longest * stream.uniform());
    kill(child, SIGKILL);
    finish(child);
    const CommandResult next = merge({"0", "1"}, "merged");
    ASSERT_EQ(next.code, 0) << next.error;
    expect_equal_files("merged", "whole", {"episodes.jsonl", "run.json", "costs.csv"});
  }
}

TEST_F(Merge, GoesOnWhereItDiedBeforeItsListWasThere) {
  std::filesystem::create_directory(path("merged"));
  write("merged/merge.json.new", "{");
  EXPECT_EQ(merge({"0"}, "merged").code, 0);
  EXPECT_FALSE(std::filesystem::exists(path("merged/merge.json.new")));
}

TEST_F(Merge, LeavesNoCutFileWhereTheDiskIsFull) {
  ASSERT_EQ(merge({"0"}, "merged").code, 0);
  const std::string before = read(path("merged/episodes.jsonl"));
  const CommandResult full = finish(start({"merge", path("0"), path("1"), "--out", path("merged")}, "ulimit -f 1"));
  EXPECT_EQ(full.code, 1);
  EXPECT_THAT(full.error, AllOf(HasSubstr("merged/episodes.jsonl failed: "), HasSubstr("File too large")));
  EXPECT_EQ(read(path("merged/episodes.jsonl")), before);
  for (const auto& entry : std::filesystem::directory_iterator(path("merged")))
    EXPECT_NE(entry.path().extension(), ".new") << entry.path();
}

TEST_F(Merge, RefusesByNameWhatDoesNotFit) {
  ASSERT_EQ(train("2", "20", {"--set", "temperature=0.5"}, "hot"), 0);
  ASSERT_EQ(merge({"0", "hot"}, "merged").code, 0) << "its label tells it apart";
  ASSERT_EQ(train("2", "30", {}, "long"), 0);
  EXPECT_THAT(merge({"0", "long"}, "no").error, HasSubstr("chain has 30 steps, and 20 in a run before"));

  std::filesystem::copy(path("1"), path("other"));
  const auto edit = [&](const std::string& file, const std::string& from, const std::string& to) {
    std::string text = read(path(file));
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    write(file, text.replace(at, from.size(), to));
  };
  edit("other/run.json", "\"recency\":\"8\"", "\"recency\":\"9\"");
  EXPECT_THAT(merge({"0", "other"}, "no").error, AllOf(HasSubstr("/other' has other options than '"),
                                                       HasSubstr("recency of icpi-best in chain is '9', and '8'")));
  edit("other/run.json", "\"recency\":\"9\"", "\"recency\":\"8\"");
  edit("other/run.json", "{\"icpi\":\"", "{\"icpi\":\"7");
  EXPECT_THAT(merge({"0", "other"}, "no").error,
              AllOf(HasSubstr("/other' is of icpi 7"), HasSubstr("runs of one version")));
  edit("other/run.json", "{\"icpi\":\"7", "{\"icpi\":\"");
  edit("other/run.json", ",\"seeds\":\"", ", \"seeds\":\"");
  EXPECT_THAT(merge({"0", "other"}, "no").error, HasSubstr("other/run.json: it is not as icpi writes it: "));
  edit("other/run.json", ", \"seeds\":\"", ",\"seeds\":\"");
  edit("other/episodes.jsonl", "\"length\":", "\"length\":0");
  EXPECT_THAT(merge({"other"}, "no").error, HasSubstr("other/episodes.jsonl, line 1: "));
  edit("other/episodes.jsonl", "\"length\":0", "\"length\":");
  edit("other/episodes.jsonl", "\"lm_calls\":", "\"lm_calls\":1");
  EXPECT_THAT(merge({"1", "other"}, "no").error, HasSubstr("have different records of seed 1 of icpi-best in chain"));
  EXPECT_FALSE(std::filesystem::exists(path("no")));
}

TEST_F(Merge, JoinsWhatIsCompleteWhenAsked) {
  std::string records = read(path("1/episodes.jsonl"));
  write("1/episodes.jsonl", records.substr(0, records.find('\n') + 3));
  const CommandResult refused_run = merge({"0", "1"}, "merged");
  EXPECT_EQ(refused_run.code, 2);
  EXPECT_THAT(refused_run.error,
              AllOf(HasSubstr("seed 1 of icpi-best in chain has "), HasSubstr(" of 20 steps; --partial")));
  const CommandResult partial = merge({"0", "1"}, "merged", {"--partial"});
  EXPECT_EQ(partial.code, 0);
  EXPECT_THAT(partial.out, AllOf(HasSubstr("left out: "), HasSubstr("joined 1 runs\n")));
  expect_equal_files("merged", "0", {"episodes.jsonl", "run.json"});
  write("1/episodes.jsonl", "");
  EXPECT_THAT(merge({"1"}, "none", {"--partial"}).error, HasSubstr("nothing to join"));
}

}  // namespace
}  // namespace icpi::program
