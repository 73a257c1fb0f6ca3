// SPDX-License-Identifier: MIT
#include "icpi/store/completion_cache.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>

#include "helpers.hpp"
#include "icpi/core/random.hpp"
#include "store/cache_entry.hpp"
#include "store/earlier_entry.hpp"
#include "store/sqlite.hpp"
#include "support/file_locks.hpp"

namespace {

using icpi::Completion;
using icpi::CompletionRequest;
using icpi::ErrorCategory;
using icpi::FinishedCompletion;
using icpi::store::CacheOptions;
using icpi::store::CompletionCache;
using icpi::store::CompletionStore;
using icpi_test::answer_to;
using icpi_test::AsynchronousCountingModel;
using icpi_test::CountingModel;
using icpi_test::TemporaryFolder;
using testing::HasSubstr;

static_assert(icpi::LanguageModel<CompletionCache<CountingModel>>);
static_assert(!icpi::AsynchronousLanguageModel<CompletionCache<CountingModel>>);
static_assert(icpi::AsynchronousLanguageModel<CompletionCache<AsynchronousCountingModel>>);
static_assert(!icpi::ConstrainsChoices<CompletionCache<CountingModel>>);

CacheOptions options_for(const std::filesystem::path& file) {
  CacheOptions options;
  options.file = file;
  return options;
}

CompletionRequest request_for(std::string_view query) {
  CompletionRequest request;
  request.query = query;
  return request;
}

struct Batch {
  explicit Batch(int count, const std::string& stem = "question") {
    for (int i = 0; i < count; ++i) texts.push_back(fmt::format("{} {}", stem, i));
    for (const std::string& text : texts) requests.push_back(request_for(text));
    completions.resize(texts.size());
  }
  std::vector<std::string> texts;
  std::vector<CompletionRequest> requests;
  std::vector<Completion> completions;
};

TEST(Key, DependsOnTheModelToo) {
  const CompletionRequest request = request_for("abc");
  std::set<icpi::RequestFingerprint> keys{fingerprint(request)};
  for (const char* model : {"model", "other model", "mode", " "}) keys.insert(fingerprint(request, model));
  EXPECT_EQ(keys.size(), 5U);
}

TEST(Key, DependsOnEverythingThatChangesTheAnswer) {
  const std::string_view newline = "\n";
  const std::string_view comma = ",";
  const CompletionRequest base = request_for("abc");
  std::vector<CompletionRequest> variants(11, base);
  variants[1].query = "abd";
  variants[2].stop = {&newline, 1};
  variants[3].stop = {&comma, 1};
  variants[4].choices = {&comma, 1};
  variants[5].sampling.temperature = 0;
  variants[6].sampling.top_p = 0.5;
  variants[7].sampling.max_tokens = 5;
  variants[8].seed = 1;
  variants[9].sample_index = 1;
  variants[10].want_logprobs = true;
  std::set<icpi::RequestFingerprint> keys{fingerprint(base, "other model")};
  for (const CompletionRequest& variant : variants) keys.insert(fingerprint(variant, "model"));
  EXPECT_EQ(keys.size(), 12U);
}

TEST(Key, DoesNotDependOnWhereThePromptIsSplitNorOnTimeLimits) {
  CompletionRequest split = request_for("c");
  split.prefix = {99, "ab"};
  split.timeout = std::chrono::seconds(5);
  EXPECT_EQ(fingerprint(split, "m"), fingerprint(request_for("abc"), "m"));
}

TEST(Store, KeepsEveryFieldAcrossReopening) {
  const TemporaryFolder folder;
  Completion completion;
  completion.text = std::string("text with \0 and \xFF", 18);
  completion.finish = icpi::FinishReason::length;
  completion.usage = {~std::uint64_t{0}, 7, 3};
  completion.tokens = {{"a", -0.1}, {"", -1e300}};
  const auto key = fingerprint(request_for("q"), "m");
  {
    CompletionStore store(options_for(folder / "cache.db"));
    EXPECT_FALSE(store.find(key));
    store.insert(key, completion);
    Completion failed;
    failed.error.category = ErrorCategory::timeout;
    store.insert(fingerprint(request_for("failed"), "m"), failed);
  }
  CompletionStore store(options_for(folder / "cache.db"));
  EXPECT_EQ(store.entries(), 1U);
  EXPECT_EQ(store.find(key), completion);
  EXPECT_EQ(store.statistics().hits, 1U);
}

/// What a statement finds in the file, read by SQLite alone.
std::string sql(const std::filesystem::path& file, const std::string& statement) {
  return icpi::store::Database(file, std::chrono::seconds(1)).text(statement.c_str());
}

TEST(Store, KeepsTheLinesOfRecordings) {
  const TemporaryFolder folder;
  Completion completion;
  completion.text = "answer";
  completion.finish = icpi::FinishReason::stop;
  completion.usage = {10, 2, 3, 4};
  const auto key = fingerprint(request_for("q"), "m");
  CompletionStore(options_for(folder / "cache.db")).insert(key, completion);
  EXPECT_EQ(sql(folder / "cache.db", "SELECT key FROM completions"), key.str());
  const std::string line = sql(folder / "cache.db", "SELECT record FROM completions");
  EXPECT_EQ(line, completion_record(key, completion));
  EXPECT_EQ(icpi::read_completion_record(line).completion, completion);
}

TEST(Store, GoesOnWithFilesOfEarlierVersions) {
  const TemporaryFolder folder;
  const auto file = folder / "cache.db";
  std::filesystem::copy_file(ICPI_GOLDEN_DIR "/fixtures/answers.db", file);
  const CompletionRequest request = request_for("earlier");
  const std::string key = *icpi::store::earlier_key("m", request);
  {  // an answer of the file by the earlier key of this request
    icpi::store::Database database(file, std::chrono::seconds(1));
    icpi::store::Statement first(database, "SELECT record FROM completions LIMIT 1");
    ASSERT_TRUE(first.step());
    const std::string record(first.blob(0));
    first.reset();
    ASSERT_EQ(record.front(), 1) << "the version of an entry then";
    icpi::store::Statement insert(database, "UPDATE completions SET key = ?1, checksum = ?2 WHERE record = ?3");
    insert.bind_blob(1, key).bind(2, icpi::store::checksum(key, record)).bind_blob(3, record);
    insert.run();
  }
  CompletionStore store(options_for(file));
  EXPECT_EQ(store.statistics().damaged, 0U);
  const auto print = fingerprint(request, "m");
  EXPECT_FALSE(store.find(print)) << "only who knows the request can look back";
  const auto found = store.find(print, "m", request);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->finish, icpi::FinishReason::stop);
  CompletionRequest open = request;
  open.seed.reset();
  EXPECT_FALSE(store.find(fingerprint(open, "m"), "m", open)) << "nothing could be left open then";
  Completion other = *found;
  other.text += " more";
  store.insert(print, other);
  EXPECT_EQ(store.find(print, "m", request), other) << "what is stored now comes first";
  EXPECT_EQ(store.verify(), 0U);
  EXPECT_EQ(sql(file, "PRAGMA user_version"), "1");
  (void)CompletionStore(options_for(folder / "new.db"));
  EXPECT_EQ(sql(folder / "new.db", "PRAGMA user_version"), "2") << "nothing of earlier versions is looked for there";
}

TEST(Store, WorksWhereTheFileSystemHasNoLocksAndTellsSo) {
  const TemporaryFolder folder;
  std::vector<std::string> told;
  CacheOptions options = options_for(folder / "cache.db");
  options.notice = [&](std::string_view text) { told.emplace_back(text); };
  const auto key = fingerprint(request_for("q"), "m");
  Completion completion;
  completion.text = "answer";
  completion.finish = icpi::FinishReason::stop;
  {
    const icpi_test::NoFileLocks no_locks(ENOSYS);
    CompletionStore(options).insert(key, completion);
    EXPECT_EQ(CompletionStore(options).find(key), completion);
    ASSERT_EQ(told.size(), 2U);
    EXPECT_THAT(told[0], HasSubstr("its file system has no locks"));
  }
  EXPECT_EQ(CompletionStore(options).find(key), completion);
  EXPECT_EQ(told.size(), 2U);
  const icpi_test::NoFileLocks broken(EIO);
  EXPECT_THROW(CompletionStore{options}, icpi::Error);
}

TEST(Cache, ASecondRunAsksNothingAndAnswersTheSame) {
  const TemporaryFolder folder;
  int asked = 0;
  Batch first(50);
  Batch second(50);
  first.requests[10] = first.requests[9];  // asked once
  second.requests[10] = second.requests[9];
  {
    CompletionCache cache(CountingModel(&asked), options_for(folder / "cache.db"));
    cache.complete(first.requests, first.completions);
    EXPECT_EQ(asked, 49);
  }
  CompletionCache cache(CountingModel(&asked), options_for(folder / "cache.db"));
  cache.complete(second.requests, second.completions);
  EXPECT_EQ(asked, 49);
  EXPECT_EQ(first.completions, second.completions);
  EXPECT_EQ(cache.statistics().hit_rate(), 1.0);
  EXPECT_EQ(cache.identity(), "counting");
}

TEST(Cache, ErrorsAreAskedAgain) {
  const TemporaryFolder folder;
  int asked = 0;
  CompletionCache cache(CountingModel(&asked), options_for(folder / "cache.db"));
  Batch batch(3, "fail");
  cache.complete(batch.requests, batch.completions);
  cache.complete(batch.requests, batch.completions);
  EXPECT_EQ(asked, 6);
  EXPECT_EQ(batch.completions[0].error.category, ErrorCategory::transport);
  EXPECT_EQ(cache.store().entries(), 0U);
}

TEST(Cache, RequireModeNeverAsks) {
  const TemporaryFolder folder;
  int asked = 0;
  Batch known(5);
  {
    CompletionCache cache(CountingModel(&asked), options_for(folder / "cache.db"));
    cache.complete(known.requests, known.completions);
  }
  CacheOptions options = options_for(folder / "cache.db");
  options.require = true;
  CompletionCache cache(CountingModel(&asked), options);
  Batch batch(6);
  cache.complete(batch.requests, batch.completions);
  EXPECT_EQ(asked, 5);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(batch.completions[i], known.completions[i]);
  EXPECT_EQ(batch.completions[5].error.category, ErrorCategory::invalid_request);
  EXPECT_THAT(batch.completions[5].error.message, HasSubstr("cache.db"));
}

TEST(Cache, AsynchronousSubmissionsAreSharedAndStored) {
  const TemporaryFolder folder;
  int asked = 0;
  CompletionCache cache(AsynchronousCountingModel(&asked), options_for(folder / "cache.db"));
  Batch batch(4);
  for (std::size_t i = 0; i < 4; ++i) cache.submit(batch.requests[i], i);
  cache.submit(batch.requests[2], 10);  // shares
  cache.submit(batch.requests[0], 11);
  cache.cancel(11);
  cache.cancel(3);
  Batch inside(6);  // four of them are under way
  cache.complete(inside.requests, inside.completions);
  std::map<icpi::Ticket, Completion> got;
  std::vector<FinishedCompletion> finished(3);
  while (const std::size_t count = cache.collect(finished, std::chrono::milliseconds(0))) {
    for (std::size_t i = 0; i < count; ++i) EXPECT_TRUE(got.emplace(finished[i].ticket, finished[i].completion).second);
  }
  EXPECT_EQ(got.size(), 6U);
  for (const std::size_t i : {0U, 1U, 2U}) EXPECT_EQ(got[i].text, answer_to(batch.requests[i]));
  EXPECT_EQ(got[10].text, answer_to(batch.requests[2]));
  EXPECT_EQ(got[11].error.category, ErrorCategory::cancelled);
  EXPECT_TRUE(got[3].error);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(inside.completions[i].text, answer_to(inside.requests[i]));
  EXPECT_EQ(asked, 7) << "six questions, and the cancelled one twice";
  EXPECT_EQ(cache.store().entries(), 6U);
  cache.submit(batch.requests[1], 1);
  EXPECT_EQ(cache.collect(finished, std::chrono::milliseconds(0)), 1U);
  EXPECT_EQ(asked, 7);
}

/// Throws now and then, twice in a row too, although the concept forbids it.
class ThrowingModel : public AsynchronousCountingModel {
 public:
  using AsynchronousCountingModel::AsynchronousCountingModel;
  void submit(const CompletionRequest& request, icpi::Ticket ticket) {
    throw_sometimes();
    AsynchronousCountingModel::submit(request, ticket);
  }
  std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait) {
    throw_sometimes();
    return AsynchronousCountingModel::collect(finished, wait);
  }

 private:
  void throw_sometimes() {
    ++calls_;
    if (calls_ == 3 || calls_ == 4 || calls_ == 6 || calls_ == 13) throw std::runtime_error("the model threw");
  }
  int calls_ = 0;
};

TEST(Cache, ModelsThatThrowLeaveNothingInFlight) {
  const TemporaryFolder folder;
  int asked = 0;
  CompletionCache cache(ThrowingModel(&asked), options_for(folder / "cache.db"));
  int thrown = 0;
  for (bool answered = false; !answered;) {
    Batch batch(4);  // its texts and places end with the attempt
    try {
      cache.complete(batch.requests, batch.completions);
      for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(batch.completions[i].text, answer_to(batch.requests[i]));
      answered = true;
    } catch (const std::runtime_error&) {
      ASSERT_LT(++thrown, 20);
    }
  }
  EXPECT_EQ(thrown, 2);
  std::vector<FinishedCompletion> finished(3);
  EXPECT_EQ(cache.collect(finished, std::chrono::milliseconds(0)), 0U);
}

/// Gives back a ticket that it never got, with an answer to each that it got; or cannot cancel.
class ConfusedModel : public AsynchronousCountingModel {
 public:
  ConfusedModel(int* asked, int* cancelled) : AsynchronousCountingModel(asked), cancelled_(cancelled) {}

  std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait) {
    const std::size_t count = AsynchronousCountingModel::collect(finished.first(1), wait);
    if (count == 0 || std::exchange(confused_, true)) return count;
    finished[1].ticket = 77'777;
    return 2;
  }
  void cancel(icpi::Ticket) {
    ++*cancelled_;
    throw std::runtime_error("cannot cancel");
  }

 private:
  int* cancelled_;
  bool confused_ = false;
};

TEST(Cache, AModelThatLosesCountIsNamedAndWhatItCannotCancelIsCollected) {
  const TemporaryFolder folder;
  int asked = 0;
  int cancelled = 0;
  CompletionCache cache(ConfusedModel(&asked, &cancelled), options_for(folder / "cache.db"));
  {
    Batch batch(4);  // its texts and places end with the attempt
    try {
      cache.complete(batch.requests, batch.completions);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const icpi::Error& error) {
      EXPECT_NE(std::string(error.what()).find("ticket 77777, which is not in flight"), std::string::npos)
          << error.what();
    }
    EXPECT_EQ(cancelled, 3);
  }
  Batch again(4);
  cache.complete(again.requests, again.completions);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(again.completions[i].text, answer_to(again.requests[i]));
  EXPECT_EQ(asked, 4) << "every answer was kept";
}

TEST(Cache, Misuse) {
  const TemporaryFolder folder;
  int asked = 0;
  CompletionCache cache(CountingModel(&asked), options_for(folder / "cache.db"));
  Batch batch(2);
  EXPECT_THROW(cache.complete(batch.requests, std::span(batch.completions).first(1)), icpi::InvalidArgument);
  EXPECT_THROW(CompletionStore(options_for("")), icpi::InvalidArgument);
  EXPECT_THROW(CompletionStore(options_for(folder / "no/such/folder/cache.db")), icpi::Error);
}

TEST(Eviction, KeepsTheFileSmallAndTheNewestEntries) {
  const TemporaryFolder folder;
  CacheOptions options = options_for(folder / "cache.db");
  options.max_bytes = 300'000;
  CompletionStore store(options);
  Completion completion;
  completion.text = std::string(500, 'x');
  completion.finish = icpi::FinishReason::stop;
  for (int i = 0; i < 3000; ++i) store.insert(fingerprint(request_for(std::to_string(i)), "m"), completion);
  EXPECT_LT(store.bytes(), 400'000U);
  EXPECT_GT(store.entries(), 200U);
  EXPECT_GT(store.statistics().evicted, 2000U);
  EXPECT_TRUE(store.find(fingerprint(request_for("2999"), "m")));
  EXPECT_LT(std::filesystem::file_size(options.file), 800'000U);
}

class Damage : public testing::Test {
 protected:
  Damage() : options_(options_for(folder_ / "cache.db")) {
    options_.notice = [this](std::string_view line) { notices_.emplace_back(line); };
    CompletionCache cache(CountingModel(&asked_), options_);
    cache.complete(batch_.requests, batch_.completions);
    expected_ = batch_.completions;
  }
  void overwrite(std::size_t offset, const std::string& bytes) {
    std::fstream file(options_.file, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(offset));
    file << bytes;
  }
  std::string content() {
    std::ifstream file(options_.file, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void expect_answers() {
    CompletionCache cache(CountingModel(&asked_), options_);
    batch_.completions.assign(batch_.requests.size(), {});
    cache.complete(batch_.requests, batch_.completions);
    EXPECT_EQ(batch_.completions, expected_);
  }

  TemporaryFolder folder_;
  CacheOptions options_;
  std::vector<std::string> notices_;
  int asked_ = 0;
  Batch batch_{200};
  std::vector<Completion> expected_;
};

TEST_F(Damage, AFlippedByteInARowIsFoundReportedAndThatRowAskedAgain) {
  const std::size_t at = content().find("answer to question 77 ");
  ASSERT_NE(at, std::string::npos);
  for (const bool at_once : {true, false}) {
    overwrite(at + 3, "X");
    notices_.clear();
    const int before = asked_;
    options_.verify_on_open = at_once;
    expect_answers();
    EXPECT_EQ(asked_, before + 1);
    EXPECT_THAT(notices_, testing::ElementsAre(HasSubstr("checksum")));
    const std::string now = content();
    if (now.compare(at, 6, "answer") != 0) break;  // the row went to another page: flipped once is enough
  }
}

TEST_F(Damage, NoFlippedByteAnywhereChangesAnAnswer) {
  const std::string good = content();
  icpi::RandomStream stream(icpi::RandomKey(5));
  for (int i = 0; i < 60; ++i) {
    const std::size_t at = i < 10 ? static_cast<std::size_t>(i) * 9 : stream.index(good.size());
    std::ofstream(options_.file, std::ios::binary) << good;
    std::filesystem::remove((options_.file.string() + "-wal").c_str());
    std::filesystem::remove((options_.file.string() + "-shm").c_str());
    overwrite(at, std::string(1, static_cast<char>(good[at] ^ 0x10)));
    try {
      expect_answers();
    } catch (const icpi::InvalidArgument& error) {
      EXPECT_LT(at, 100U) << error.what();  // the header: not recognised as ours any more, and said so
    }
  }
}

TEST_F(Damage, ABrokenFileIsSetAsideAndANewOneBegun) {
  overwrite(4096, std::string(3 * 4096, '\x5A'));
  const int before = asked_;
  expect_answers();
  EXPECT_GT(asked_, before);
  EXPECT_THAT(notices_, testing::Contains(HasSubstr("cache.db.damaged-1")));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "cache.db.damaged-1"));
  const int after = asked_;
  expect_answers();
  EXPECT_EQ(asked_, after);
  std::filesystem::resize_file(options_.file, 5000);
  expect_answers();
  EXPECT_TRUE(std::filesystem::exists(folder_ / "cache.db.damaged-2"));
}

TEST_F(Damage, WhileOpenIsRepairedToo) {
  options_.verify_on_open = false;
  CompletionCache cache(CountingModel(&asked_), options_);
  overwrite(0, std::string(content().size(), '\x5A'));
  batch_.completions.assign(batch_.requests.size(), {});
  cache.complete(batch_.requests, batch_.completions);
  EXPECT_EQ(batch_.completions, expected_);
}

TEST_F(Damage, AFileThatIsRemovedMeanwhileIsNoticedAndBegunAnew) {
  std::vector<CompletionRequest> more(3);
  for (std::size_t i = 0; i < more.size(); ++i) more[i].seed = 1000 + i;
  std::vector<Completion> answers(more.size());
  {
    CompletionCache cache(CountingModel(&asked_), options_);
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(options_.file.string() + suffix);
    cache.complete(more, answers);
  }
  EXPECT_THAT(notices_, testing::ElementsAre(HasSubstr("was removed")));
  CompletionCache cache(CountingModel(&asked_), options_);
  const int asked = asked_;
  const std::vector<Completion> before = answers;
  cache.complete(more, answers);
  EXPECT_EQ(asked_, asked);
  EXPECT_EQ(answers, before);
}

TEST(Foreign, FilesAreLeftAlone) {
  const TemporaryFolder folder;
  const auto file = folder / "notes.txt";
  const std::string text(5000, 'n');
  std::ofstream(file) << text;
  for (int attempt = 0; attempt < 3; ++attempt) {
    EXPECT_THROW(CompletionStore(options_for(file)), icpi::InvalidArgument);
    std::ifstream in(file);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), text);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / ""), {}), 1);
  }
}

TEST(Foreign, ProgramsInACacheAreRefusedByName) {
  for (const auto& [part, sql] : std::map<std::string, const char*>{
           {"trigger turn", "CREATE TRIGGER turn AFTER INSERT ON completions BEGIN DELETE FROM completions; END"},
           {"view endless",
            "CREATE VIEW endless AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT x FROM n"},
           {"view completions", "DROP TABLE completions; CREATE VIEW completions AS SELECT 1 AS key"},
           {"index greedy", "CREATE INDEX greedy ON completions (length(record))"}}) {
    const TemporaryFolder folder;
    const auto file = folder / "cache.db";
    { const CompletionStore made(options_for(file)); }
    icpi::store::Database(file, std::chrono::seconds(5)).execute(sql);
    CacheOptions replay = options_for(file);
    replay.require = true;
    for (const CacheOptions& options : {options_for(file), replay}) {
      try {
        const CompletionStore store(options);
        ADD_FAILURE() << part << " was taken";
      } catch (const icpi::InvalidArgument& error) {
        EXPECT_THAT(error.what(), HasSubstr("holds the " + part));
      }
    }
  }
}

TEST(Processes, FourShareOneCacheAndAgree) {
  const TemporaryFolder folder;
  constexpr int processes = 4;
  std::vector<pid_t> children;
  for (int process = 0; process < processes; ++process) {
    const pid_t child = fork();
    if (child == 0) {
      int asked = 0;
      bool agree = true;
      {
        CompletionCache cache(CountingModel(&asked), options_for(folder / "cache.db"));
        Batch batch(300);
        std::rotate(batch.requests.begin(), batch.requests.begin() + process * 50, batch.requests.end());
        for (std::size_t at = 0; at < batch.requests.size(); at += 10) {
          cache.complete(std::span(batch.requests).subspan(at, 10), std::span(batch.completions).subspan(at, 10));
        }
        for (std::size_t i = 0; i < batch.requests.size(); ++i) {
          agree = agree && batch.completions[i].text == answer_to(batch.requests[i]);
        }
      }
      _exit(agree ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  CompletionStore store(options_for(folder / "cache.db"));
  EXPECT_EQ(store.entries(), 300U);
  EXPECT_EQ(store.verify(), 0U);
  EXPECT_FALSE(std::filesystem::exists(folder / "cache.db.damaged-1"));
}

}  // namespace
