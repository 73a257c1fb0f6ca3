// SPDX-License-Identifier: MIT
// What `icpi cache` says of completion caches and does with them.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "program/command_line.hpp"

namespace icpi::program {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class CacheCommand : public CommandLineTest {
 protected:
  /// Trains with this cache and returns what the last line says of it.
  std::string train(const std::string& seeds, const std::string& cache, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"train",   "--domain", "chain",   "--options", "paper", "--steps",          "30",
                                   "--seeds", seeds,      "--cache", path(cache), "--out", path(cache + seeds)};
    words.insert(words.end(), more.begin(), more.end());
    const CommandResult result = icpi(words);
    std::filesystem::remove_all(path(cache + seeds));
    return result.code == 0 ? result.out.substr(result.out.find("Cache: ")) : result.error;
  }
};

TEST_F(CacheCommand, JoinsAndExportsAnswers) {
  (void)train("0", "a.db");
  (void)train("1", "b.db");
  ASSERT_EQ(icpi({"cache", "export", path("a.db"), "--out", path("a.jsonl")}).code, 0);
  const CommandResult merged = icpi({"cache", "merge", path("a.jsonl"), path("b.db"), "--into", path("all.db")});
  EXPECT_EQ(merged.code, 0) << merged.error;
  EXPECT_THAT(train("0:2", "all.db", {"--require-cache"}), HasSubstr(" 0 misses"));
  EXPECT_THAT(icpi({"cache", "merge", path("a.jsonl"), path("b.db"), "--into", path("all.db")}).out,
              HasSubstr(" answers, 0 of them new\n"));

  // The export of what was joined holds both, in order, each once.
  ASSERT_EQ(icpi({"cache", "export", path("all.db"), "--out", path("all.jsonl")}).code, 0);
  ASSERT_EQ(icpi({"cache", "merge", path("b.db"), "--into", path("a.db")}).code, 0);
  ASSERT_EQ(icpi({"cache", "export", path("a.db"), "--out", path("both.jsonl")}).code, 0);
  EXPECT_FALSE(read(path("all.jsonl")).empty());
  EXPECT_TRUE(read(path("all.jsonl")) == read(path("both.jsonl")));
}

TEST_F(CacheCommand, DamagedAnswersAreLeftOutAndTold) {
  (void)train("0", "a.db");
  ASSERT_EQ(icpi({"cache", "export", path("a.db"), "--out", path("whole.jsonl")}).code, 0);
  std::string bytes = read(path("a.db"));
  const auto at = bytes.find("\"text\":\"assert");
  ASSERT_NE(at, std::string::npos);
  bytes[at + 8] = 'A';
  std::ofstream(path("a.db"), std::ios::binary) << bytes;

  const CommandResult exported = icpi({"cache", "export", path("a.db"), "--out", path("rest.jsonl")});
  EXPECT_EQ(exported.code, 1);
  EXPECT_THAT(exported.error, HasSubstr("1 damaged answers were left out"));
  const CommandResult merged = icpi({"cache", "merge", path("a.db"), "--into", path("rest.db")});
  EXPECT_EQ(merged.code, 1);
  EXPECT_THAT(merged.error, HasSubstr("1 damaged answers were left out"));
  const std::string whole = read(path("whole.jsonl"));
  const std::string rest = read(path("rest.jsonl"));
  EXPECT_EQ(std::count(rest.begin(), rest.end(), '\n'), std::count(whole.begin(), whole.end(), '\n') - 1);
  EXPECT_THAT(exported.out, StartsWith(std::to_string(std::count(rest.begin(), rest.end(), '\n')) + " answers\n"));
}

TEST_F(CacheCommand, LeavesNoCutExportWhereTheDiskIsFull) {
  (void)train("0", "a.db");
  const CommandResult full =
      finish(start({"cache", "export", path("a.db"), "--out", path("cut.jsonl")}, "ulimit -f 2"));
  EXPECT_EQ(full.code, 1);
  EXPECT_THAT(full.error, HasSubstr("cut.jsonl failed: File too large"));
  EXPECT_FALSE(std::filesystem::exists(path("cut.jsonl")));
  EXPECT_FALSE(std::filesystem::exists(path("cut.jsonl.new")));
}

TEST_F(CacheCommand, SaysWhatACacheHoldsAndDropsWhatIsUnused) {
  (void)train("0", "a.db");
  const CommandResult info = icpi({"cache", "info", path("a.db")});
  EXPECT_EQ(info.code, 0) << info.error;
  EXPECT_THAT(info.out, StartsWith("cache    " + path("a.db") + "\nanswers  "));
  EXPECT_THAT(icpi({"cache", "prune", path("a.db"), "--unused-for", "1"}).out, StartsWith("0 answers dropped, "));
  EXPECT_EQ(icpi({"cache", "info", path("a.db")}).out, info.out);
}

TEST_F(CacheCommand, RefusesWhatIsNone) {
  (void)train("0", "a.db");
  EXPECT_EQ(icpi({"cache", "info", path("none.db")}).code, 2);
  EXPECT_FALSE(std::filesystem::exists(path("none.db")));
  EXPECT_EQ(icpi({"cache", "prune", path("none.db"), "--unused-for", "3"}).code, 2);
  EXPECT_EQ(icpi({"cache", "prune", path("a.db"), "--unused-for", "0"}).code, 2);
  EXPECT_EQ(icpi({"cache", "merge", path("a.db"), "--into", path("a.db")}).code, 2);
  EXPECT_EQ(icpi({"cache", "export", path("a.db"), "--out", path("a.db")}).code, 2);
  EXPECT_EQ(icpi({"cache"}).code, 2);
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  for (const std::string& other : {path("pipe"), folder_.string(), std::string("/dev/zero")}) {
    const std::string error = "icpi: completion cache " + other + ": it is no regular file\n";
    EXPECT_EQ(icpi({"cache", "info", other}).error, error);
    EXPECT_EQ(icpi({"cache", "merge", other, "--into", path("a.db")}).error, error);
    EXPECT_EQ(icpi({"cache", "merge", path("a.db"), "--into", other}).error, error);
  }
  std::ofstream(path("damaged.jsonl")) << "{\"request\":\"00\",\"text\":\"\"}\n";
  EXPECT_THAT(icpi({"cache", "merge", path("damaged.jsonl"), "--into", path("a.db")}).error,
              HasSubstr("damaged.jsonl, line 1: "));
}

}  // namespace
}  // namespace icpi::program
