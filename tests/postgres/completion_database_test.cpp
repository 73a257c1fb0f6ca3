// SPDX-License-Identifier: MIT
#include "icpi/postgres/completion_database.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/store/completion_cache.hpp"
#include "postgres/server.hpp"
#include "store/helpers.hpp"

namespace {

using namespace std::chrono_literals;
using icpi::Completion;
using icpi::CompletionRequest;
using icpi::RequestFingerprint;
using icpi::postgres::CompletionDatabase;
using icpi::postgres::DatabaseOptions;
using icpi::store::CacheBackend;
using icpi::store::CompletionCache;
using icpi_test::AsynchronousCountingModel;
using icpi_test::CountingModel;
using testing::HasSubstr;
using Standing = CacheBackend::Standing;

Completion answer_of(const std::string& text) {
  Completion completion;
  completion.text = text;
  completion.finish = icpi::FinishReason::stop;
  completion.usage = {10, 2, 3};
  return completion;
}

class Database : public icpi_test::WithServer {
 protected:
  static RequestFingerprint key(std::uint64_t number) { return {7, number}; }

  static CacheBackend::Finding look(CacheBackend& backend, std::uint64_t number) {
    static const CompletionRequest request;
    const CacheBackend::Question question{key(number), "model", &request};
    CacheBackend::Finding finding;
    backend.look_up({&question, 1}, {&finding, 1});
    return finding;
  }

  static void insert(CacheBackend& backend, std::uint64_t number, const Completion& completion) {
    const CacheBackend::Answer answer{key(number), &completion};
    backend.insert({&answer, 1});
  }

  static Completion failure() {
    Completion completion;
    completion.error = {icpi::ErrorCategory::transport, "down", 0};
    return completion;
  }
};

TEST_F(Database, OneWorkerAsksAndTheOthersWait) {
  CompletionDatabase one(options());
  CompletionDatabase other(options());
  EXPECT_EQ(look(one, 1).standing, Standing::ours);
  EXPECT_EQ(look(other, 1).standing, Standing::theirs);
  EXPECT_EQ(look(one, 1).standing, Standing::theirs) << "two threads of a worker ask once too";
  insert(one, 1, answer_of("yes\n"));
  const auto found = look(other, 1);
  EXPECT_EQ(found.standing, Standing::known);
  EXPECT_EQ(found.completion, answer_of("yes\n"));
  EXPECT_EQ(one.entries(), 1U);
  EXPECT_EQ(other.statistics().hits, 1U);
  EXPECT_EQ(other.statistics().waits, 1U);
  EXPECT_EQ(one.statistics().misses, 1U);
  EXPECT_EQ(one.statistics().stored, 1U);

  insert(other, 1, answer_of("no\n"));
  EXPECT_EQ(look(one, 1).completion, answer_of("yes\n")) << "the first answer stays";
}

TEST_F(Database, WhatFailsOthersMayAsk) {
  CompletionDatabase one(options());
  CompletionDatabase other(options());
  EXPECT_EQ(look(one, 1).standing, Standing::ours);
  insert(other, 1, failure());
  EXPECT_EQ(look(other, 1).standing, Standing::theirs) << "it is not the other's to give up";
  insert(one, 1, failure());
  EXPECT_EQ(look(other, 1).standing, Standing::ours);
  EXPECT_EQ(other.statistics().retaken, 0U);
  {
    CompletionDatabase third(options());
    EXPECT_EQ(look(third, 2).standing, Standing::ours);
  }
  EXPECT_EQ(look(other, 2).standing, Standing::ours) << "who ends gives up what it asked";
  EXPECT_EQ(other.entries(), 0U);
}

TEST_F(Database, ClaimsLastWhileTheirWorkerLivesAndNoLonger) {
  DatabaseOptions short_lease = options();
  short_lease.lease = 1500ms;  // much longer than a busy machine keeps a thread waiting
  CompletionDatabase other(short_lease);
  {
    CompletionDatabase alive(short_lease);
    EXPECT_EQ(look(alive, 1).standing, Standing::ours);
    std::this_thread::sleep_for(2 * short_lease.lease);
    EXPECT_EQ(look(other, 1).standing, Standing::theirs) << "it was renewed";
  }
  // Of a worker that is no more.
  server->ask("INSERT INTO icpi_completions (key, claimant, request, lease_end, claims) VALUES ('" + key(2).str() +
              "', 'dead', 1, clock_timestamp() + interval '1500 ms', 1)");
  EXPECT_EQ(look(other, 2).standing, Standing::theirs);
  std::this_thread::sleep_for(1600ms);
  EXPECT_EQ(look(other, 2).standing, Standing::ours);
  EXPECT_EQ(other.statistics().retaken, 1U);
}

TEST_F(Database, AClockOfTheDatabaseThatIsSetIsALeaseThatRanOutOrNothing) {
  CompletionDatabase one(options());
  CompletionDatabase other(options());
  const auto claims_end = [&](const std::string& when) {
    server->ask("UPDATE icpi_completions SET lease_end = clock_timestamp() " + when + " WHERE record IS NULL");
  };
  EXPECT_EQ(look(one, 1).standing, Standing::ours);
  claims_end("- interval '1 year'");  // it was set ahead
  EXPECT_EQ(look(other, 1).standing, Standing::ours);
  EXPECT_EQ(other.statistics().retaken, 1U);
  insert(one, 1, answer_of("yes\n"));
  insert(other, 1, answer_of("no\n"));
  EXPECT_EQ(look(one, 1).completion, answer_of("yes\n")) << "the first answer stays";
  EXPECT_EQ(look(other, 1).completion, answer_of("yes\n"));

  EXPECT_EQ(look(one, 2).standing, Standing::ours);
  claims_end("+ interval '59 minutes'");  // as long as a lease may be
  EXPECT_EQ(look(other, 2).standing, Standing::theirs);
  claims_end("+ interval '1 year'");  // it was set back, and the claim would outlive everybody
  EXPECT_EQ(look(other, 2).standing, Standing::ours);
  EXPECT_EQ(other.statistics().retaken, 2U);
  insert(one, 3, answer_of("kept\n"));
  server->ask("UPDATE icpi_completions SET used = clock_timestamp() + interval '1 year'");
  EXPECT_EQ(one.prune(1h), 0U) << "what was used in a future is no reason to lose an answer";
  EXPECT_EQ(look(one, 3).standing, Standing::known);
}

TEST_F(Database, SurvivesAServerThatIsKilled) {
  DatabaseOptions told = options();
  std::vector<std::string> notices;
  std::mutex mutex;
  told.notice = [&](std::string_view line) {
    const std::lock_guard lock(mutex);
    notices.emplace_back(line);
  };
  CompletionDatabase database(told);
  EXPECT_EQ(look(database, 1).standing, Standing::ours);
  insert(database, 1, answer_of("kept"));
  EXPECT_EQ(look(database, 2).standing, Standing::ours);
  server->kill();
  std::jthread starter([] {
    std::this_thread::sleep_for(200ms);
    server->start();
  });
  insert(database, 2, answer_of("kept too"));
  starter.join();
  EXPECT_EQ(look(database, 1).completion, answer_of("kept"));
  EXPECT_EQ(look(database, 2).completion, answer_of("kept too"));
  ASSERT_EQ(notices.size(), 2U);
  EXPECT_THAT(notices[0], HasSubstr("was lost, and is tried again"));
  EXPECT_THAT(notices[1], HasSubstr("is reached again"));

  DatabaseOptions impatient = options();
  impatient.patience = 300ms;
  CompletionDatabase gone(impatient);
  server->kill();
  EXPECT_THROW((void)look(gone, 1), icpi::Error);
  server->start();
  EXPECT_EQ(look(gone, 1).standing, Standing::known);
}

TEST_F(Database, DropsWhatIsDamaged) {
  CompletionDatabase database(options());
  EXPECT_EQ(look(database, 1).standing, Standing::ours);
  insert(database, 1, answer_of("yes"));
  server->ask("UPDATE icpi_completions SET record = set_byte(record, 60, get_byte(record, 60) # 1)");
  EXPECT_EQ(look(database, 1).standing, Standing::ours);
  EXPECT_EQ(database.statistics().damaged, 1U);
  EXPECT_EQ(database.entries(), 0U);
}

TEST_F(Database, AnswersAloneWhenNothingMayBeAsked) {
  DatabaseOptions required = options();
  required.require = true;
  EXPECT_THROW(CompletionDatabase{required}, icpi::InvalidArgument) << "there is no cache";
  {
    CompletionDatabase database(options());
    EXPECT_EQ(look(database, 1).standing, Standing::ours);
    insert(database, 1, answer_of("yes"));
  }
  int asked = 0;
  CompletionCache cache(CountingModel(&asked), std::make_shared<CompletionDatabase>(required));
  CompletionRequest request;
  request.query = "unknown";
  Completion completion;
  cache.complete({&request, 1}, {&completion, 1});
  EXPECT_EQ(completion.error.category, icpi::ErrorCategory::invalid_request);
  EXPECT_THAT(completion.error.message, HasSubstr("not in the completion cache postgres at"));
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(look(cache.store(), 1).standing, Standing::known);
  EXPECT_EQ(server->ask("SELECT count(*) FROM icpi_completions"), "1");
}

TEST_F(Database, RefusesWhatItCannotUse) {
  DatabaseOptions wrong = options();
  wrong.connection = "host=db password=secret";
  try {
    CompletionDatabase database(wrong);
    FAIL() << "a password was taken";
  } catch (const icpi::InvalidArgument& error) {
    EXPECT_THAT(error.what(), HasSubstr("holds a password"));
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("secret")));
  }
  wrong.connection = "postgresql://me:secret@db/answers";
  EXPECT_THROW(CompletionDatabase{wrong}, icpi::InvalidArgument);
  wrong.connection = "nonsense";
  EXPECT_THROW(CompletionDatabase{wrong}, icpi::InvalidArgument);
  wrong = options();
  wrong.connections = 0;
  EXPECT_THROW(CompletionDatabase{wrong}, icpi::InvalidArgument);
  for (const auto lease : {0ms, std::chrono::milliseconds(1h) + 1ms}) {
    wrong = options();
    wrong.lease = lease;
    EXPECT_THROW(CompletionDatabase{wrong}, icpi::InvalidArgument);
  }
  wrong = options();
  wrong.connection = "host=/tmp/no-server-here dbname=none";
  wrong.patience = 0ms;
  EXPECT_THROW(CompletionDatabase{wrong}, icpi::Error);
  (void)CompletionDatabase(options());
  server->ask("UPDATE icpi_cache_schema SET version = 2");
  EXPECT_THROW(CompletionDatabase{options()}, icpi::InvalidArgument);
}

TEST_F(Database, ListsItsAnswersInOrderAndDropsUnusedOnes) {
  CompletionDatabase database(options());
  for (const std::uint64_t number : {30U, 10U, 20U}) {
    EXPECT_EQ(look(database, number).standing, Standing::ours);
    insert(database, number, answer_of(std::to_string(number)));
  }
  EXPECT_EQ(look(database, 40).standing, Standing::ours) << "a claim is no answer";
  std::vector<std::string> listed;
  database.for_each([&](const RequestFingerprint& listed_key, const Completion& completion) {
    EXPECT_EQ(listed_key, key(std::stoull(completion.text)));
    listed.push_back(completion.text);
  });
  EXPECT_EQ(listed, (std::vector<std::string>{"10", "20", "30"}));
  EXPECT_GT(database.bytes(), 0U);
  server->ask("UPDATE icpi_completions SET used = used - interval '3 days' WHERE key = '" + key(20).str() + "'");
  EXPECT_EQ(database.prune(std::chrono::hours(96)), 0U);
  EXPECT_EQ(database.prune(std::chrono::hours(48)), 1U);
  EXPECT_EQ(database.entries(), 2U);
  EXPECT_EQ(look(database, 10).standing, Standing::known);
}

/// Two caches of one database, each with a model that counts what it is asked.
template <class Model>
class Shared : public Database {};
using Models = testing::Types<CountingModel, AsynchronousCountingModel>;
TYPED_TEST_SUITE(Shared, Models);

TYPED_TEST(Shared, CachesAskEachQuestionOnce) {
  int asked = 0;
  int asked_by_other = 0;
  const auto database = std::make_shared<CompletionDatabase>(TestFixture::options());
  CompletionCache cache(TypeParam(&asked), database);
  CompletionCache other(TypeParam(&asked_by_other), std::make_shared<CompletionDatabase>(TestFixture::options()));
  std::vector<std::string> texts;
  for (int i = 0; i < 100; ++i) texts.push_back(fmt::format("question {}", i % 70));
  std::vector<CompletionRequest> requests(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) requests[i].query = texts[i];
  std::vector<Completion> completions(requests.size());
  cache.complete(requests, completions);
  EXPECT_EQ(asked, 70);
  std::vector<Completion> again(requests.size());
  other.complete(requests, again);
  EXPECT_EQ(asked_by_other, 0);
  EXPECT_EQ(again, completions);
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(completions[i].text, icpi_test::answer_to(requests[i]));

  // What another worker asks is waited for, and asked here once that gives up.
  const std::string name = cache.identity();
  std::vector<RequestFingerprint> taken;
  for (const char* text : {"new", "fail"}) {
    CompletionRequest request;
    request.query = text;
    taken.push_back(fingerprint(request, name));
    const CacheBackend::Question question{taken.back(), name, &request};
    CacheBackend::Finding finding;
    database->look_up({&question, 1}, {&finding, 1});
    ASSERT_EQ(finding.standing, Standing::ours);
  }
  std::jthread worker([&] {
    std::this_thread::sleep_for(100ms);
    const Completion answer = answer_of("from elsewhere");
    Completion failed;
    failed.error = {icpi::ErrorCategory::transport, "down", 0};
    const std::vector<CacheBackend::Answer> answers{{taken[0], &answer}, {taken[1], &failed}};
    database->insert(answers);
  });
  std::vector<CompletionRequest> waited(3);
  waited[0].query = "new";
  waited[1].query = "fail";
  waited[2].query = "free";
  std::vector<Completion> came(3);
  other.complete(waited, came);
  worker.join();
  EXPECT_EQ(came[0].text, "from elsewhere");
  EXPECT_TRUE(came[1].error) << "asked here, and failed here";
  EXPECT_EQ(came[2].text, icpi_test::answer_to(waited[2]));
  EXPECT_EQ(asked_by_other, 2);
}

TEST_F(Database, SubmissionsWaitForOthersAndCanBeCancelled) {
  int asked = 0;
  const auto database = std::make_shared<CompletionDatabase>(options());
  CompletionCache cache(AsynchronousCountingModel(&asked), std::make_shared<CompletionDatabase>(options()));
  CompletionRequest request;
  request.query = "one";
  const std::string name = cache.identity();
  const RequestFingerprint taken = fingerprint(request, name);
  const CacheBackend::Question question{taken, name, &request};
  CacheBackend::Finding finding;
  database->look_up({&question, 1}, {&finding, 1});
  cache.submit(request, 1);
  cache.submit(request, 2);
  cache.submit(request, 3);
  std::vector<icpi::FinishedCompletion> finished(4);
  EXPECT_EQ(cache.collect(finished, 30ms), 0U);
  cache.cancel(1);
  ASSERT_EQ(cache.collect(finished, 30ms), 1U);
  EXPECT_EQ(finished[0].ticket, 1U);
  EXPECT_EQ(finished[0].completion.error.category, icpi::ErrorCategory::cancelled);
  const Completion answer = answer_of("from elsewhere");
  const CacheBackend::Answer told{taken, &answer};
  database->insert({&told, 1});
  ASSERT_EQ(cache.collect(finished, 10s), 2U);
  EXPECT_EQ(finished[0].completion, answer);
  EXPECT_EQ(asked, 0);
}

}  // namespace
