// SPDX-License-Identifier: MIT
// Files that stop taking answers, or never took any: one clear error, or a run without the cache. Never a wait for ever.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "helpers.hpp"
#include "icpi/core/error.hpp"
#include "store/sqlite.hpp"

namespace {

using icpi::Completion;
using icpi::CompletionRequest;
using icpi::store::CacheOptions;
using icpi::store::CompletionCache;
using icpi_test::answer_to;
using icpi_test::AsynchronousCountingModel;
using icpi_test::CountingModel;
using icpi_test::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;

/// Requests whose texts live as long as this.
struct Questions {
  explicit Questions(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) texts.push_back(fmt::format("question {}", i));
    for (const std::string& text : texts) requests.emplace_back().query = text;
  }
  std::vector<std::string> texts;
  std::vector<CompletionRequest> requests;
};

class UnusableFile : public testing::Test {
 protected:
  UnusableFile() {
    std::filesystem::create_directory(folder_ / "cache");
    options_.file = folder_ / "cache" / "answers.db";
    options_.busy_timeout = std::chrono::milliseconds(20);
    options_.notice = [this](std::string_view line) { notices_.emplace_back(line); };
  }
  /// The folder goes away while the file is open.
  void vanish() { std::filesystem::rename(folder_ / "cache", folder_ / "gone"); }

  /// Asks everything at once; what complete() threw.
  template <class Model>
  std::string problem_of(Model& cache, const Questions& questions, std::vector<Completion>& completions) {
    completions.assign(questions.requests.size(), {});
    try {
      cache.complete(questions.requests, completions);
    } catch (const icpi::Error& error) {
      return error.what();
    }
    return "";
  }

  TemporaryFolder folder_;
  CacheOptions options_;
  std::vector<std::string> notices_;
  int asked_ = 0;
  const Questions questions_{40};
};

TEST_F(UnusableFile, IsOneErrorWhateverTheModel) {
  CompletionCache asynchronous(AsynchronousCountingModel(&asked_), options_);
  options_.file = folder_ / "cache" / "other.db";
  CompletionCache plain(CountingModel(&asked_), options_);
  vanish();
  std::vector<Completion> completions;
  EXPECT_THAT(problem_of(asynchronous, questions_, completions), HasSubstr("cannot lock"));
  EXPECT_THAT(problem_of(plain, questions_, completions), HasSubstr("cannot lock"));
  EXPECT_EQ(completions[0].text, answer_to(questions_.requests[0])) << "what was answered is there";
}

TEST_F(UnusableFile, LosesNoSubmission) {
  CompletionCache cache(AsynchronousCountingModel(&asked_), options_);
  vanish();
  for (std::size_t i = 0; i < 5; ++i) cache.submit(questions_.requests[i], i);
  std::vector<icpi::FinishedCompletion> finished(5);
  std::size_t collected = 0;
  int problems = 0;
  for (int attempt = 0; attempt < 20 && collected < 5; ++attempt) {
    try {
      collected += cache.collect(std::span(finished).subspan(collected), std::chrono::milliseconds(0));
    } catch (const icpi::Error&) {
      ++problems;
    }
  }
  EXPECT_EQ(collected, 5U);
  EXPECT_EQ(problems, 5);
  for (const auto& item : finished) EXPECT_EQ(item.completion.text, answer_to(questions_.requests[item.ticket]));
}

TEST_F(UnusableFile, IsDoneWithoutWhereItIsOptional) {
  options_.optional = true;
  CompletionCache cache(AsynchronousCountingModel(&asked_), options_);
  std::vector<Completion> completions;
  EXPECT_EQ(problem_of(cache, Questions(3), completions), "");
  vanish();
  EXPECT_EQ(problem_of(cache, questions_, completions), "");
  for (std::size_t i = 0; i < completions.size(); ++i)
    EXPECT_EQ(completions[i].text, answer_to(questions_.requests[i]));
  EXPECT_EQ(problem_of(cache, questions_, completions), "");
  EXPECT_EQ(asked_, 3 + 37 + 40) << "nothing is found any more";
  EXPECT_THAT(notices_, ElementsAre(HasSubstr("going on without it")));
}

TEST_F(UnusableFile, MayBeLockedByAnotherProcess) {
  CompletionCache cache(AsynchronousCountingModel(&asked_), options_);
  icpi::store::Database other(options_.file, std::chrono::milliseconds(20));
  other.execute("BEGIN IMMEDIATE");
  std::vector<Completion> completions;
  EXPECT_THAT(problem_of(cache, questions_, completions), HasSubstr("locked"));
  other.execute("ROLLBACK");
  EXPECT_EQ(problem_of(cache, questions_, completions), "");
  options_.optional = true;
  CompletionCache tolerant(AsynchronousCountingModel(&asked_), options_);
  other.execute("BEGIN IMMEDIATE");
  EXPECT_EQ(problem_of(tolerant, Questions(50), completions), "");
  EXPECT_THAT(notices_, ElementsAre(HasSubstr("locked")));
}

TEST_F(UnusableFile, MayBeLockedWhileItIsOpened) {
  { const CompletionCache cache(CountingModel(&asked_), options_); }
  const int lock = open((options_.file.string() + ".lock").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(flock(lock, LOCK_EX), 0);
  EXPECT_THROW(CompletionCache(CountingModel(&asked_), options_), icpi::Error);
  options_.optional = true;
  CompletionCache cache(CountingModel(&asked_), options_);
  EXPECT_THAT(notices_, ElementsAre(HasSubstr("cannot lock")));
  std::vector<Completion> completions;
  EXPECT_EQ(problem_of(cache, questions_, completions), "");
  close(lock);
}

TEST_F(UnusableFile, OfAnotherKindIsAnErrorAllTheSame) {
  std::ofstream(options_.file) << "words that are no database, and longer than its header is: "
                               << std::string(200, 'x');
  options_.optional = true;
  EXPECT_THROW(CompletionCache(CountingModel(&asked_), options_), icpi::InvalidArgument);
  options_.require = true;
  EXPECT_THROW(CompletionCache(CountingModel(&asked_), options_), icpi::InvalidArgument) << "both at once";
}

/// Everything in a folder with its size and time of change.
std::vector<std::string> state_of(const std::filesystem::path& folder) {
  std::vector<std::string> entries;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    struct stat status {};
    stat(entry.path().c_str(), &status);
    entries.push_back(fmt::format("{} {} {}.{}", entry.path().filename().string(), status.st_size,
                                  status.st_mtim.tv_sec, status.st_mtim.tv_nsec));
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

TEST_F(UnusableFile, ForWritingIsGoodEnoughForAReplay) {
  std::vector<Completion> completions;
  {
    CompletionCache cache(CountingModel(&asked_), options_);
    EXPECT_EQ(problem_of(cache, questions_, completions), "");
  }
  const auto before = state_of(options_.file.parent_path());
  options_.require = true;
  CompletionCache replay(CountingModel(&asked_), options_);
  EXPECT_EQ(problem_of(replay, questions_, completions), "");
  EXPECT_EQ(completions[7].text, answer_to(questions_.requests[7]));
  EXPECT_EQ(asked_, 40);
  const Questions others(41);
  EXPECT_EQ(problem_of(replay, others, completions), "");
  EXPECT_THAT(completions[40].error.message, HasSubstr("not in the completion cache"));
  const auto after = state_of(options_.file.parent_path());
  for (const std::string& entry : before) EXPECT_THAT(after, testing::Contains(entry)) << "nothing is changed";
}

TEST_F(UnusableFile, OnAReadOnlyMediumCanBeReplayed) {
  std::vector<Completion> completions;
  {
    CompletionCache cache(CountingModel(&asked_), options_);
    EXPECT_EQ(problem_of(cache, questions_, completions), "");
  }
  const std::string folder = options_.file.parent_path().string();
  const char* path = folder.c_str();
  if (mount(path, path, nullptr, MS_BIND, nullptr) != 0) GTEST_SKIP() << "needs the right to mount";
  const bool frozen = mount(nullptr, path, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0;
  {
    options_.require = true;
    CompletionCache replay(CountingModel(&asked_), options_);
    EXPECT_EQ(problem_of(replay, questions_, completions), "");
    EXPECT_EQ(completions[7].text, answer_to(questions_.requests[7]));
    EXPECT_EQ(asked_, 40);
    options_.require = false;
    EXPECT_THROW(CompletionCache(CountingModel(&asked_), options_), icpi::Error);
  }
  umount2(path, MNT_DETACH);
  EXPECT_TRUE(frozen);
}

TEST_F(UnusableFile, WhoseMakerWasKilledBeforeItHadTablesHoldsNothing) {
  std::ofstream(options_.file).flush();
  options_.require = true;
  {
    icpi::store::CompletionStore store(options_);
    EXPECT_EQ(store.entries(), 0U);
    EXPECT_EQ(store.find(icpi::RequestFingerprint{1, 2}), std::nullopt);
    store.for_each([](const auto&, const auto&) { ADD_FAILURE(); });
  }
  EXPECT_EQ(std::filesystem::file_size(options_.file), 0U) << "nothing is written";
  options_.require = false;
  std::vector<Completion> completions;
  CompletionCache cache(CountingModel(&asked_), options_);
  EXPECT_EQ(problem_of(cache, questions_, completions), "") << "and it can be filled";
}

TEST_F(UnusableFile, ThatIsNotThereCannotBeReplayed) {
  options_.require = true;
  EXPECT_THROW(CompletionCache(CountingModel(&asked_), options_), icpi::Error);
  EXPECT_FALSE(std::filesystem::exists(options_.file)) << "nothing is created";
}

}  // namespace
