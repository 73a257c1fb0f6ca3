// SPDX-License-Identifier: MIT
#include "icpi/experiment/record_log.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include "icpi/core/random.hpp"
#include "support/file_locks.hpp"
#include "support/temporary_folder.hpp"

namespace icpi {
namespace {

using icpi_test::read_bytes;
using icpi_test::write_bytes;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class RecordLogTest : public ::testing::Test {
 protected:
  static std::vector<std::string> records(const RecordLog& log) {
    std::vector<std::string> all;
    log.for_each_recorded([&](std::string_view record) { all.emplace_back(record); });
    return all;
  }

  /// What opening the file says; empty: nothing.
  std::string complaint() const {
    try {
      const RecordLog log(file, Durability::process);
      return {};
    } catch (const InvalidArgument& error) {
      return error.what();
    }
  }

  icpi_test::TemporaryFolder folder;
  std::filesystem::path file = folder / "log.jsonl";
};

TEST_F(RecordLogTest, GivesBackWhatWasAdded) {
  for (const auto durability : {Durability::process, Durability::power}) {
    std::filesystem::remove(file);
    {
      RecordLog log(file, R"({"seed":3})", durability);
      log.append(R"({"a":"one\ntwo"})");
      log.append(R"({"b":2})");
      EXPECT_THAT(records(log), SizeIs(0));
    }
    {
      RecordLog log(file, durability);
      EXPECT_EQ(log.header(), R"({"seed":3})");
      EXPECT_EQ(log.dropped(), 0U);
      EXPECT_THAT(records(log), ElementsAre(R"({"a":"one\ntwo")", R"({"b":2)"));
      log.append(R"({"c":3})");
    }
    EXPECT_THAT(records(RecordLog(file, durability)), SizeIs(3));
  }
}

TEST_F(RecordLogTest, LinesLongerThanEveryBufferAreRead) {
  const std::string text(300'000, 'x');
  {
    RecordLog log(file, "{}", Durability::process);
    log.append(R"({"a":")" + text + R"("})");
    log.append(R"({"b":1})");
  }
  EXPECT_THAT(records(RecordLog(file, Durability::process)), ElementsAre(R"({"a":")" + text + '"', R"({"b":1)"));
}

TEST_F(RecordLogTest, ABegunFileIsNotBegunAgain) {
  { const RecordLog log(file, "{}", Durability::process); }
  EXPECT_THROW(RecordLog(file, "{}", Durability::process), InvalidArgument);
  EXPECT_THROW(RecordLog(folder / "no" / "log", "{}", Durability::process), InvalidArgument);
  EXPECT_THROW(RecordLog(folder / "nothing", Durability::process), InvalidArgument);
}

TEST_F(RecordLogTest, ASecondUserIsRefused) {
  const RecordLog log(file, "{}", Durability::process);
  EXPECT_THAT(complaint(), AllOf(HasSubstr("log.jsonl"), HasSubstr("in use by another process")));
}

TEST_F(RecordLogTest, AFileSystemWithoutLocksIsNoReasonToStop) {
  for (const int error : {ENOSYS, EOPNOTSUPP, ENOLCK}) {
    const icpi_test::NoFileLocks no_locks(error);
    {
      RecordLog log(file, "{}", Durability::process);
      EXPECT_FALSE(log.locked());
      log.append(R"({"b":2})");
    }
    const RecordLog again(file, Durability::process);
    EXPECT_FALSE(again.locked());
    EXPECT_THAT(records(again), ElementsAre(R"({"b":2)"));
    std::filesystem::remove(file);
  }
  { EXPECT_TRUE(RecordLog(file, "{}", Durability::process).locked()); }
  const icpi_test::NoFileLocks broken(EIO);
  EXPECT_THAT(complaint(), HasSubstr("cannot lock"));
}

TEST_F(RecordLogTest, ANewerVersionIsRefusedByName) {
  write_bytes(file, detail::with_checksum(R"({"format":"icpi run log","version":2,"header":{}})") + '\n');
  EXPECT_THAT(complaint(), AllOf(HasSubstr("log.jsonl"), HasSubstr("version 2"), HasSubstr("up to 1")));
  write_bytes(file, detail::with_checksum(R"({"format":"icpi cache","version":1,"header":{}})") + '\n');
  EXPECT_THAT(complaint(), HasSubstr("another format"));
  for (const std::string bytes : {"", "\n", "{}\n", "precious"}) {
    write_bytes(file, bytes);
    EXPECT_THAT(complaint(), AllOf(HasSubstr("log.jsonl, offset 0"), HasSubstr("first line")));
    EXPECT_EQ(read_bytes(file), bytes);
  }
}

/// Five records after the first line.
std::string sample(const std::filesystem::path& file) {
  {
    RecordLog log(file, "{}", Durability::process);
    for (int i = 0; i < 5; ++i) log.append(R"({"number":)" + std::to_string(i) + R"(,"text":"some words"})");
  }
  return read_bytes(file);
}

TEST_F(RecordLogTest, AfterACutAnywhereTheWholeRecordsAreThere) {
  const std::string whole = sample(file);
  const std::size_t first = whole.find('\n') + 1;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    write_bytes(file, whole.substr(0, size));
    if (size < first) {
      EXPECT_THAT(complaint(), HasSubstr("offset 0")) << size;
      continue;
    }
    const auto lines =
        static_cast<std::size_t>(std::count(whole.begin(), whole.begin() + static_cast<long>(size), '\n'));
    {
      RecordLog log(file, Durability::process);
      EXPECT_THAT(records(log), SizeIs(lines - 1)) << size;
      EXPECT_EQ(log.dropped(), size - (whole.rfind('\n', size - 1) + 1));
      log.append(R"({"more":1})");
    }
    EXPECT_THAT(records(RecordLog(file, Durability::process)), SizeIs(lines)) << size;
  }
}

TEST_F(RecordLogTest, AChangedBitCostsTheLastRecordOrIsRefusedWithItsOffset) {
  const std::string whole = sample(file);
  const std::size_t second_to_last = whole.rfind('\n', whole.rfind('\n', whole.size() - 2) - 1) + 1;
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string changed = whole;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    write_bytes(file, changed);
    const std::size_t line = bit / 8 == 0 ? 0 : whole.rfind('\n', bit / 8 - 1) + 1;
    try {
      const RecordLog log(file, Durability::process);
      EXPECT_GE(line, second_to_last) << bit;
      const auto left = records(log);
      EXPECT_GE(left.size(), 3U);
      EXPECT_GT(log.dropped(), 0U);
      for (std::size_t i = 0; i < left.size(); ++i)
        EXPECT_EQ(left[i], R"({"number":)" + std::to_string(i) + R"(,"text":"some words")") << bit;
    } catch (const InvalidArgument& error) {
      EXPECT_THAT(error.what(), HasSubstr("log.jsonl, offset " + std::to_string(line) + ":")) << bit;
      EXPECT_EQ(read_bytes(file), changed);
    }
  }
}

TEST_F(RecordLogTest, RecordsThatChangePlacesOrVanishAreNoticed) {
  const std::string whole = sample(file);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < whole.size(); at = whole.find('\n', at) + 1)
    lines.push_back(whole.substr(at, whole.find('\n', at) + 1 - at));
  const auto write = [&](const std::vector<std::size_t>& order) {
    std::string bytes;
    for (const auto number : order) bytes += lines[number];
    write_bytes(file, bytes);
  };
  write({0, 1, 3, 2, 4, 5});
  EXPECT_THAT(complaint(), HasSubstr("offset " + std::to_string(lines[0].size() + lines[1].size())));
  write({0, 1, 3, 4, 5});
  EXPECT_THAT(complaint(), HasSubstr("offset"));
  write({0, 1, 1, 2, 3, 4, 5});
  EXPECT_THAT(complaint(), HasSubstr("offset"));
  write({0, 1, 2, 3, 4, 5});
  EXPECT_EQ(complaint(), "");
}

/// Files may not grow beyond this many bytes while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST_F(RecordLogTest, WhatCannotBeWrittenIsAnErrorAndNothingFollowsIt) {
  {
    RecordLog log(file, "{}", Durability::process);
    log.append(R"({"a":1})");
    {
      const FileSizeLimit limit(200);
      EXPECT_THROW(log.append(R"({"b":")" + std::string(500, 'x') + R"("})"), Error);
    }
    EXPECT_THROW(log.append(R"({"c":1})"), Error);
  }
  EXPECT_EQ(std::filesystem::file_size(file), 200U);  // half a record
  const RecordLog log(file, Durability::process);
  EXPECT_GT(log.dropped(), 0U);
  EXPECT_THAT(records(log), ElementsAre(R"({"a":1)"));
}

TEST_F(RecordLogTest, ARemovedFileIsNoticed) {
  RecordLog log(file, "{}", Durability::process);
  log.append(R"({"a":1})");
  std::filesystem::remove(file);
  try {
    log.append(R"({"b":1})");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("log.jsonl"), HasSubstr("was removed")));
  }
}

}  // namespace
}  // namespace icpi
