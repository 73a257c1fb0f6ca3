// SPDX-License-Identifier: MIT
// kill -9 at random moments over run, cache, merge and sweep: the same command goes on, and comes to what it comes to when
// nobody disturbs it. ICPI_KILLS says how many deaths there are in all (scripts/check-kills: 500), ICPI_KILL_SEED which.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "program/faulty.hpp"
#ifdef ICPI_WITH_HTTP
#include "program/model_server.hpp"
#endif

namespace icpi::program {
namespace {

using ::testing::HasSubstr;

int from_environment(const char* name, int otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::atoi(value);
}

/// What is killed.
struct Victim {
  std::function<void()> begin;                      ///< from here on, with nothing done yet
  std::function<std::vector<std::string>()> next;   ///< the command that begins, or goes on; empty: all is done
  std::function<void()> look = [] {};               ///< what must hold after a death
  std::function<void(const CommandResult&)> check;  ///< what must hold in the end
};

class Kills : public FaultyTest {
 protected:
  const Words records{"episodes.jsonl", "run.json", "curves.csv", "summary.csv"};

  /// Deaths of a part that has `of_500` of 500.
  static int share(int of_500) { return std::max(2, from_environment("ICPI_KILLS", 25) * of_500 / 500); }

  /// Kills a command at `deaths` moments, up to three before it is let go on to its end.
  void kill_often(int deaths, const Measure& whole, const Victim& victim) {
    RandomStream stream(RandomKey(static_cast<std::uint64_t>(from_environment("ICPI_KILL_SEED", 1))));
    int died = 0;
    for (int round = 0; died < deaths; ++round) {
      ASSERT_LT(round, 20 * deaths) << "it ends before it can be killed";
      SCOPED_TRACE(fmt::format("round {}, after {} deaths", round, died));
      victim.begin();
      for (std::size_t left = 1 + stream.index(3); left > 0 && died < deaths; --left) {
        const Words command = victim.next();
        if (command.empty()) break;
        const CommandResult result = run_killed(command, whole, stream);
        if (result.code != -1) {
          ASSERT_EQ(result.code, 0) << result.error;
          break;
        }
        ++died;
        victim.look();
      }
      CommandResult result{0, "", ""};
      if (const Words command = victim.next(); !command.empty()) result = icpi(command);
      ASSERT_EQ(result.code, 0) << result.error;
      victim.check(result);
      if (HasFailure()) return;
    }
    fmt::print("{} deaths\n", died);
  }

  void remove(const std::string& name) const { std::filesystem::remove_all(path(name)); }
  void remove_cache(const std::string& name) const {
    for (const char* suffix : {"", "-wal", "-shm", ".lock"}) remove(name + suffix);
  }

  /// The lines of a file, each once: what was under way at a death is recorded twice.
  std::set<std::string> lines_of(const std::string& file) const {
    std::istringstream in(read(path(file)));
    std::set<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.insert(line);
    return lines;
  }

  /// How many answers a cache holds, as `icpi cache info` says it; 0 where there is none yet.
  int answers(const std::string& cache) {
    if (!std::filesystem::exists(path(cache))) return 0;
    const CommandResult info = icpi({"cache", "info", path(cache)});
    EXPECT_EQ(info.code, 0) << info.error;
    const auto at = info.out.find("answers ");
    return at == std::string::npos ? -1 : std::atoi(info.out.c_str() + at + 8);
  }

  /// All answers of a cache, as `icpi cache export` writes them.
  std::string exported(const std::string& cache) {
    remove("exported");
    const CommandResult result = icpi({"cache", "export", path(cache), "--out", path("exported")});
    EXPECT_EQ(result.code, 0) << result.error;
    return read(path("exported"));
  }
};

TEST_F(Kills, ARunGoesOn) {
  const auto alone = [&](const std::string& name) {
    return train({"--options", "paper", "--seeds", "0:2", "--steps", "25", "--record", path(name + ".recording")},
                 name);
  };
  const auto by_two = [&](const std::string& name) {
    return train({"--options", "best", "--seeds", "0:3", "--jobs", "2"}, name);
  };
  const Measure whole = measure(alone("undisturbed"));
  kill_often(share(50), whole,
             {.begin =
                  [&] {
                    remove("run");
                    remove("run.recording");
                  },
              .next = [&] { return go_on(alone("run"), "run"); },
              .check =
                  [&](const CommandResult&) {
                    expect_equal_files("undisturbed", "run", records);
                    EXPECT_EQ(lines_of("run.recording"), lines_of("undisturbed.recording"));
                  }});
  remove("undisturbed");
  const Measure whole_by_two = measure(by_two("undisturbed"));
  kill_often(share(50), whole_by_two,
             {.begin = [&] { remove("run"); },
              .next = [&] { return go_on(by_two("run"), "run"); },
              .check = [&](const CommandResult&) { expect_equal_files("undisturbed", "run", records); }});
}

#ifdef ICPI_WITH_HTTP
TEST_F(Kills, ARunWithACacheAsksNothingAgainButWhatWasUnderWay) {
  ModelServer server;
  const auto command = [&](const std::string& name) {
    return train({"--options", "paper", "--seeds", "0:2", "--steps", "20", "--model", "http", "--base-url",
                  server.url(), "--model-name", "scripted", "--cache", path(name + ".db")},
                 name);
  };
  const Measure whole = measure(command("undisturbed"));
  const std::size_t needed = server.different();
  ASSERT_EQ(server.asked(), needed);
  const std::string all = exported("undisturbed.db");
  ASSERT_EQ(static_cast<std::size_t>(answers("undisturbed.db")), needed);
  std::size_t under_way = 0;  // asked, but not in the cache when the process died: these alone may be asked again
  std::size_t twice = 0;
  kill_often(share(100), whole,
             {.begin =
                  [&] {
                    remove("run");
                    remove_cache("run.db");
                    server.forget();
                    under_way = 0;
                  },
              .next = [&] { return go_on(command("run"), "run"); },
              .look =
                  [&] {
                    server.settle();
                    const auto kept = static_cast<std::size_t>(answers("run.db"));
                    EXPECT_LE(kept, server.different());
                    under_way += server.different() - kept;
                  },
              .check =
                  [&](const CommandResult&) {
                    EXPECT_EQ(server.different(), needed);
                    EXPECT_LE(server.asked() - server.different(), under_way);
                    twice += server.asked() - server.different();
                    expect_equal_files("undisturbed", "run", records);
                    EXPECT_TRUE(exported("run.db") == all);
                  }});
  fmt::print("{} of {} questions asked twice in a round, each time under way at a death\n", twice, needed);
}
#endif

#ifdef ICPI_WITH_STORE
/// Two caches, one file of answers, and what they come to together.
class CacheKills : public Kills {
 protected:
  static constexpr long ten_years = 315'360'000;

  void SetUp() override {
    Kills::SetUp();
    fill("one.db", "0", {});
    fill("two.db", "1", {});
    one_ = exported("one.db");
    two_ = exported("two.db");
    ASSERT_FALSE(one_.empty());
    ASSERT_FALSE(two_.empty());
  }

  void fill(const std::string& cache, const std::string& seeds, const FaultList& faults) {
    const CommandResult result = icpi_with(
        faults, train({"--options", "paper", "--seeds", seeds, "--steps", "30", "--cache", path(cache)}, "filling"));
    ASSERT_EQ(result.code, 0) << result.error;
    remove("filling");
  }

  std::string one_;
  std::string two_;
};

TEST_F(CacheKills, AMergeIsDoneByTheNextOne) {
  std::ofstream(path("two.jsonl"), std::ios::binary) << two_;
  const auto merge = [&](const std::string& into) {
    return Words{"cache", "merge", path("one.db"), path("two.jsonl"), path("two.db"), "--into", path(into)};
  };
  const Measure whole = measure(merge("whole.db"));
  const std::string both = exported("whole.db");
  ASSERT_GT(both.size(), std::max(one_.size(), two_.size()));
  const int most = answers("whole.db");
  kill_often(share(60), whole,
             {.begin = [&] { remove_cache("all.db"); },
              .next = [&] { return merge("all.db"); },
              .look = [&] { EXPECT_LE(answers("all.db"), most); },
              .check = [&](const CommandResult&) { EXPECT_TRUE(exported("all.db") == both); }});
  EXPECT_TRUE(exported("one.db") == one_);
  EXPECT_TRUE(exported("two.db") == two_);
}

TEST_F(CacheKills, AnExportIsThereWholeOrNotAtAll) {
  const Words command{"cache", "export", path("one.db"), "--out", path("out.jsonl")};
  const Measure whole = measure(command);
  const auto is_done = [&] { return std::filesystem::exists(path("out.jsonl")); };
  kill_often(share(40), whole,
             {.begin = [&] { remove("out.jsonl"); },
              .next = [&] { return is_done() ? Words{} : command; },
              .look = [&] { EXPECT_TRUE(!is_done() || read(path("out.jsonl")) == one_); },
              .check =
                  [&](const CommandResult&) {
                    EXPECT_TRUE(read(path("out.jsonl")) == one_);
                    EXPECT_FALSE(std::filesystem::exists(path("out.jsonl.new")));
                  }});
}

TEST_F(CacheKills, APruneDropsAllThatIsUnusedOrNothing) {
  fill("old.db", "0", {{"CLOCK_SECONDS", -ten_years}});
  fill("old.db", "1", {});
  const int before = answers("old.db");
  const Words command{"cache", "prune", path("pruned.db"), "--unused-for", "30"};
  const auto begin = [&] {
    remove_cache("pruned.db");
    std::filesystem::copy(path("old.db"), path("pruned.db"));
  };
  begin();
  const Measure whole = measure(command);
  const int after = answers("pruned.db");
  ASSERT_LT(after, before);
  kill_often(share(40), whole,
             {.begin = begin,
              .next = [&] { return command; },
              .look = [&] { EXPECT_THAT(answers("pruned.db"), ::testing::AnyOf(before, after)); },
              .check = [&](const CommandResult&) { EXPECT_TRUE(exported("pruned.db") == two_); }});
}

TEST_F(CacheKills, AskingWhatACacheHoldsChangesNothing) {
  const Words command{"cache", "info", path("one.db")};
  const std::string bytes = read(path("one.db"));
  const std::string said = icpi(command).out;
  kill_often(share(20), measure(command),
             {.begin = [] {},
              .next = [&] { return command; },
              .check = [&](const CommandResult& result) { EXPECT_EQ(result.out, said); }});
  EXPECT_TRUE(read(path("one.db")) == bytes);
}
#endif

TEST_F(Kills, AMergeOfRunsHasOldFilesOrNewOnesAndIsDoneByTheNextOne) {
  for (const std::string seed : {"0", "1"}) {
    ASSERT_EQ(icpi(train({"--seeds", seed, "--steps", "20", "--record", path(seed + ".recording")}, seed)).code, 0);
    std::filesystem::copy(path(seed + ".recording"), path(seed + "/recording.jsonl"));
  }
  const Words files{"episodes.jsonl", "run.json", "costs.csv", "recording.jsonl"};
  ASSERT_EQ(icpi({"merge", path("0"), "--out", path("before")}).code, 0);
  const auto merge = [&](const std::string& out) { return Words{"merge", path("0"), path("1"), "--out", path(out)}; };
  const Measure whole = measure(merge("whole"));
  int rounds = 0;
  kill_often(share(60), whole,
             {.begin =
                  [&] {
                    remove("merged");
                    if (++rounds % 2 == 0)
                      std::filesystem::copy(path("before"), path("merged"), std::filesystem::copy_options::recursive);
                  },
              .next = [&] { return merge("merged"); },
              .look =
                  [&] {
                    for (const std::string& file : files) {
                      const std::string bytes = read(path("merged/" + file));
                      EXPECT_TRUE(bytes.empty() || bytes == read(path("before/" + file)) ||
                                  bytes == read(path("whole/" + file)))
                          << file;
                    }
                  },
              .check =
                  [&](const CommandResult&) {
                    expect_equal_files("whole", "merged", files);
                    for (const auto& entry : std::filesystem::directory_iterator(path("merged")))
                      EXPECT_NE(entry.path().extension(), ".new") << entry.path();
                  }});
}

/// A sweep that plays its tasks in processes of their own.
class SweepKills : public Kills {
 protected:
  void SetUp() override {
    Kills::SetUp();
    std::ofstream(path("plan.toml")) << R"(
seeds = "0:2"
record = true
[train]
options = "paper"
steps = 12
[[method]]
agent = "icpi"
[[method]]
agent = "random"
[[environment]]
domain = "chain"
)";
  }

  [[nodiscard]] Words sweep(const std::string& out) const {
    return {"sweep", path("plan.toml"), "--out", path(out), "--jobs", "2"};
  }

  void merge(const std::string& sweep_folder, const std::string& out) {
    remove(out);
    const CommandResult result = icpi({"merge", path(sweep_folder), "--out", path(out)});
    ASSERT_EQ(result.code, 0) << result.error;
  }

  /// Kills a sweep, and its tasks with it: a machine that is lost.
  void kill_family(pid_t parent) const {
    const std::string children = read(fmt::format("/proc/{0}/task/{0}/children", parent));
    kill(parent, SIGKILL);
    std::istringstream in(children);
    for (pid_t child = 0; in >> child;) kill(child, SIGKILL);
  }
};

TEST_F(SweepKills, TheSameCommandGoesOn) {
  const Measure whole = measure(sweep("whole"));
  merge("whole", "whole-merged");
  const int deaths = share(80);
  RandomStream stream(RandomKey(static_cast<std::uint64_t>(from_environment("ICPI_KILL_SEED", 1))));
  int died = 0;
  for (int round = 0; died < deaths; ++round) {
    ASSERT_LT(round, 20 * deaths);
    remove("sweep");
    for (std::size_t left = 1 + stream.index(3); left > 0 && died < deaths; --left) {
      const auto moment = std::chrono::duration_cast<std::chrono::microseconds>(whole.time * stream.uniform());
      const pid_t child = start(sweep("sweep"));
      std::this_thread::sleep_for(moment);
      if (stream.index(2) == 0)
        kill_family(child);
      else
        kill(child, SIGKILL);  // its tasks end by themselves, after their step
      const CommandResult result = finish(child);
      ASSERT_THAT(result.code, ::testing::AnyOf(-1, 0)) << result.error;
      died += result.code == -1 ? 1 : 0;
    }
    CommandResult played;
    do {
      played = icpi(sweep("sweep"));
      ASSERT_EQ(played.code, 0) << played.error << played.out;
    } while (played.out.find(" 0 running") == std::string::npos);
    EXPECT_THAT(played.out, HasSubstr("4 tasks: 4 done"));
    merge("sweep", "merged");
    expect_equal_files("whole-merged", "merged", {"episodes.jsonl", "run.json", "costs.csv"});
    EXPECT_EQ(lines_of("merged/recording.jsonl"), lines_of("whole-merged/recording.jsonl"));
    if (HasFailure()) return;
  }
  fmt::print("{} deaths\n", died);
}

}  // namespace
}  // namespace icpi::program
