// SPDX-License-Identifier: MIT
// Machines that fail under a run: full, slow and broken disks, clocks that jump, too little memory, too many open files.
// Whatever happens is one line of words, nothing is left half written, and the run goes on to the same records.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "program/faulty.hpp"
#ifdef ICPI_WITH_HTTP
#include "program/model_server.hpp"
#endif

namespace icpi::program {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr long ten_years = 315'360'000;

class Faults : public FaultyTest {
 protected:
  const Words records{"episodes.jsonl", "run.json", "curves.csv", "summary.csv"};

  /// A run with everything that writes. `cache`: shared with others; empty: its own.
  [[nodiscard]] Words run(const std::string& name, const Words& more = {}, const std::string& cache = "") const {
    Words words = train({"--options", "paper", "--seeds", "0:2", "--steps", "15"}, name);
#ifdef ICPI_WITH_STORE
    words.insert(words.end(), {"--cache", path((cache.empty() ? name : cache) + ".db")});
#endif
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  void remove(const std::string& name) const {
    for (const char* suffix : {"", ".db", ".db-wal", ".db-shm", ".db.lock"})
      std::filesystem::remove_all(path(name + suffix));
  }

  /// That a command ended with one line of words, and left nothing that was on its way to its place.
  void expect_orderly(const CommandResult& result, const std::string& folder) const {
    EXPECT_EQ(result.code, 1) << result.error;
    EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << result.error;
    if (!std::filesystem::exists(path(folder))) return;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path(folder)))
      EXPECT_NE(entry.path().extension(), ".new") << entry.path();
  }

  /// That it goes on, with nothing in its way, to what an undisturbed one comes to.
  void expect_to_go_on(const std::string& name) {
    const CommandResult result = icpi(go_on(run(name), name));
    EXPECT_EQ(result.code, 0) << result.error;
    expect_equal_files("undisturbed", name, records);
  }
};

TEST_F(Faults, ADiskThatIsFullOrBrokenOrHasAQuotaStopsARunThatGoesOn) {
  ASSERT_EQ(icpi(run("undisturbed")).code, 0);
  const auto size = static_cast<long>(std::filesystem::file_size(path("undisturbed/log.jsonl")));
  for (const int error : {ENOSPC, EDQUOT, EROFS, EIO}) {
    for (const long bytes : {0L, 10L, size / 10, size / 2, size}) {
      SCOPED_TRACE(fmt::format("{} after {} bytes", std::strerror(error), bytes));
      remove("run");
      const CommandResult result = icpi_with({{"DISK_BYTES", bytes}, {"DISK_ERROR", error}}, run("run"));
      expect_orderly(result, "run");
      // SQLite has its own words for some.
      EXPECT_THAT(result.error, AnyOf(HasSubstr(std::strerror(error)), HasSubstr("disk is full"),
                                      HasSubstr("disk I/O error"), HasSubstr("unable to open database file")));
      if (has_begun("run")) {
        EXPECT_THAT(result.error, HasSubstr("--resume"));
      }
      expect_to_go_on("run");
    }
  }
}

TEST_F(Faults, ADiskThatIsFullStopsTheTasksOfASweepWhichGoOn) {
  std::ofstream(path("plan.toml")) << "seeds = \"0:2\"\n[train]\noptions = \"paper\"\nsteps = 30\n"
                                      "[[method]]\nagent = \"icpi\"\n[[environment]]\ndomain = \"chain\"\n";
  const auto sweep = [&](const std::string& out) { return Words{"sweep", path("plan.toml"), "--out", path(out)}; };
  ASSERT_EQ(icpi(sweep("undisturbed")).code, 0);
  const CommandResult stopped = icpi_with({{"DISK_BYTES", 20'000}, {"DISK_ERROR", EDQUOT}}, sweep("sweep"));
  EXPECT_EQ(stopped.code, 1);
  EXPECT_THAT(stopped.error, HasSubstr("2 tasks failed"));
  const CommandResult status = icpi({"sweep", "status", path("sweep")});
  EXPECT_THAT(status.out, HasSubstr("0 done, 0 running, 0 waiting, 2 failed"));
  const CommandResult played = icpi(sweep("sweep"));
  EXPECT_EQ(played.code, 0) << played.error;
  for (const std::string name : {"undisturbed", "sweep"})
    ASSERT_EQ(icpi({"merge", path(name), "--out", path(name + "-merged")}).code, 0);
  expect_equal_files("undisturbed-merged", "sweep-merged", {"episodes.jsonl", "run.json"});
}

TEST_F(Faults, ASlowDiskChangesNothing) {
  ASSERT_EQ(icpi(run("undisturbed")).code, 0);
  const pid_t one = start_with({{"DISK_MICROSECONDS", 200}}, run("one", {}, "shared"));
  const pid_t other = start_with({{"DISK_MICROSECONDS", 200}}, run("other", {}, "shared"));
  for (const pid_t child : {one, other}) {
    const CommandResult result = finish(child);
    EXPECT_EQ(result.code, 0) << result.error;
  }
  expect_equal_files("undisturbed", "one", records);
  expect_equal_files("undisturbed", "other", records);
}

#if defined(ICPI_WITH_HTTP) && defined(ICPI_WITH_STORE)
TEST_F(Faults, AClockThatJumpsChangesNothing) {
  ModelServer server;
  const auto behind_a_server = [&](const std::string& name) {
    return run(
        name, {"--model", "http", "--base-url", server.url(), "--model-name", "scripted", "--set", "timeout_ms=60000"});
  };
  ASSERT_EQ(icpi(behind_a_server("undisturbed")).code, 0);
  const std::size_t needed = server.asked();
  for (const long seconds : {ten_years, -ten_years}) {
    server.forget();
    remove("run");
    const CommandResult result = icpi_with({{"CLOCK_AFTER", 100}, {"CLOCK_SECONDS", seconds}}, behind_a_server("run"));
    EXPECT_EQ(result.code, 0) << result.error;
    EXPECT_EQ(result.error, "");
    EXPECT_EQ(server.asked(), needed) << "nothing is tried again";
    expect_equal_files("undisturbed", "run", records);
    // The answers are there, whatever day it is by now.
    std::filesystem::remove_all(path("run"));
    const CommandResult replayed = icpi(behind_a_server("run"));
    EXPECT_THAT(replayed.out, HasSubstr(" 0 misses"));
    EXPECT_EQ(server.asked(), needed);
  }
}

TEST_F(Faults, AClockThatIsBehindDropsNoAnswers) {
  ASSERT_EQ(icpi(run("run")).code, 0);
  const CommandResult pruned =
      icpi_with({{"CLOCK_SECONDS", -ten_years}}, {"cache", "prune", path("run.db"), "--unused-for", "1"});
  EXPECT_EQ(pruned.code, 0) << pruned.error;
  EXPECT_THAT(pruned.out, HasSubstr("0 answers dropped"));
}
#endif

#ifndef ICPI_SANITIZED  // whose runtimes reserve more than there is
TEST_F(Faults, TooLittleMemoryIsOneErrorAndTheRunGoesOn) {
  ASSERT_EQ(icpi(run("undisturbed")).code, 0);
  const auto limited = [&](long kib, const Words& words) {
    return finish(start(words, fmt::format("ulimit -v {}", kib)));
  };
  // What the program takes before it does anything.
  long few = 1024;
  long enough = 4'194'304;
  ASSERT_EQ(limited(enough, {"domains"}).code, 0);
  while (enough - few > 256) {
    const long middle = std::midpoint(few, enough);
    (limited(middle, {"domains"}).code == 0 ? enough : few) = middle;
  }
  int stopped = 0;
  int whole = 0;
  for (long kib = enough; whole < 2; kib += 128) {
    ASSERT_LT(kib, enough + 524'288);
    SCOPED_TRACE(fmt::format("{} KiB", kib));
    remove("run");
    const CommandResult result = limited(kib, run("run"));
    if (result.code == 0) {
      ++whole;
      expect_equal_files("undisturbed", "run", records);
      continue;
    }
    ++stopped;
    expect_orderly(result, "run");
    // SQLite calls a map that it is denied a disk I/O error.
    EXPECT_THAT(result.error,
                AnyOf(HasSubstr("not enough memory"), HasSubstr("out of memory"), HasSubstr("Cannot allocate memory"),
                      HasSubstr("Resource temporarily"), HasSubstr("disk I/O error")));
    if (stopped % 4 == 1) expect_to_go_on("run");
  }
  EXPECT_GT(stopped, 0);
  fmt::print("{} runs stopped for want of memory\n", stopped);
}
#endif

/// Allows so many open files, and opens some that children inherit.
class OpenFiles {
 public:
  OpenFiles(rlim_t allowed, std::size_t opened) {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit limit{std::min(allowed, before_.rlim_max), before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &limit);
    for (std::size_t i = 0; i < opened; ++i) files_.push_back(open("/dev/null", O_RDONLY));
  }
  OpenFiles(const OpenFiles&) = delete;
  OpenFiles& operator=(const OpenFiles&) = delete;
  ~OpenFiles() {
    for (const int file : files_) close(file);
    setrlimit(RLIMIT_NOFILE, &before_);
  }
  [[nodiscard]] int last() const { return files_.back(); }

 private:
  rlimit before_{};
  std::vector<int> files_;
};

#if defined(ICPI_WITH_HTTP) && defined(ICPI_WITH_STORE)
TEST_F(Faults, AThousandOpenFilesAreInNobodysWay) {
  ModelServer server;
  const auto behind_a_server = [&](const std::string& name) {
    return run(name, {"--model", "http", "--base-url", server.url(), "--model-name", "scripted"});
  };
  ASSERT_EQ(icpi(behind_a_server("undisturbed")).code, 0);
  CommandResult result;
  {
    const OpenFiles files(4096, 1100);
    if (files.last() < 1024) GTEST_SKIP() << "this machine does not allow as many";
    result = icpi(behind_a_server("run"));
  }
  EXPECT_EQ(result.code, 0) << result.error;
  expect_equal_files("undisturbed", "run", records);
}

TEST_F(Faults, MoreJobsThanItsOpenFilesAllowAreOneErrorAndTheRunGoesOn) {
  const auto jobs = [&](const std::string& name) {
    return train({"--seeds", "0:8", "--steps", "30", "--jobs", "8", "--cache", path(name + ".db")}, name);
  };
  const CommandResult stopped = finish(start(jobs("run"), "ulimit -n 12"));
  expect_orderly(stopped, "run");
  EXPECT_THAT(stopped.error, AnyOf(HasSubstr("Too many open files"), HasSubstr("unable to open database file")));
  const CommandResult result = icpi(go_on(jobs("run"), "run"));
  EXPECT_EQ(result.code, 0) << result.error;
  ASSERT_EQ(icpi(jobs("undisturbed")).code, 0);
  expect_equal_files("undisturbed", "run", records);
}
#endif

}  // namespace
}  // namespace icpi::program
