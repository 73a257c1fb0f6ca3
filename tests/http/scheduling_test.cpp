// SPDX-License-Identifier: MIT
// What is sent when and where.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include "helpers.hpp"
#include "icpi/core/error.hpp"

namespace {

using namespace std::chrono_literals;
using icpi::Completion;
using icpi::CompletionRequest;
using icpi::ErrorCategory;
using icpi::FinishedCompletion;
using icpi::http::HttpLanguageModel;
using icpi::http::Options;
using icpi_test::ask;
using icpi_test::echo_reply;
using icpi_test::echo_text;
using icpi_test::HttpReply;
using icpi_test::HttpRequest;
using icpi_test::plain_request;
using icpi_test::quick_options;
using icpi_test::ScriptedServer;
using nlohmann::json;

HttpReply after(std::chrono::milliseconds delay, const HttpRequest& request) {
  HttpReply reply = echo_reply(request);
  reply.first_byte_delay = delay;
  return reply;
}

struct Questions {
  explicit Questions(std::size_t count) : texts(count), requests(count), completions(count) {
    for (std::size_t i = 0; i < count; ++i) {
      texts[i] = fmt::format("question {}", i);
      requests[i].query = texts[i];
    }
  }
  void expect_answered() const {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      EXPECT_EQ(completions[i].text, echo_text(std::string(requests[i].prefix.text) + texts[i]))
          << completions[i].error.message;
    }
  }
  std::vector<std::string> texts;
  std::vector<CompletionRequest> requests;
  std::vector<Completion> completions;
};

TEST(Batches, AreAnsweredInTheirOrderOverKeptConnections) {
  ScriptedServer server(echo_reply);
  HttpLanguageModel model(quick_options({server.url()}));
  Questions questions(200);
  model.complete(questions.requests, questions.completions);
  questions.expect_answered();
  EXPECT_EQ(server.requests(), 200);
  EXPECT_LE(server.connections(), 32);
  EXPECT_EQ(model.statistics().answers, 200U);
  EXPECT_EQ(model.statistics().in_flight, 0U);
}

TEST(Batches, EmptyOnesAreFine) {
  HttpLanguageModel model(quick_options({"127.0.0.1:1"}));
  model.complete({}, {});
  FinishedCompletion finished;
  EXPECT_EQ(model.collect({&finished, 1}, 0ms), 0U);
}

TEST(Concurrency, IsBounded) {
  ScriptedServer server([](const HttpRequest& request) { return after(5ms, request); });
  Options options = quick_options({server.url()});
  options.concurrency = 3;
  HttpLanguageModel model(options);
  Questions questions(30);
  model.complete(questions.requests, questions.completions);
  questions.expect_answered();
  EXPECT_EQ(server.most_at_once(), 3);
  EXPECT_EQ(model.concurrency(), 3U);
}

TEST(Concurrency, GrowsWhileItHelps) {
  ScriptedServer server([](const HttpRequest& request) { return after(5ms, request); });
  HttpLanguageModel model(quick_options({server.url()}));
  EXPECT_LE(model.statistics().concurrency_limit, 8U);
  // Whether more in flight helps is measured, and a busy machine can say no for a while.
  for (int batch = 0; batch < 20 && model.statistics().concurrency_limit < 32; ++batch) {
    Questions questions(400);
    model.complete(questions.requests, questions.completions);
    questions.expect_answered();
  }
  EXPECT_EQ(model.statistics().concurrency_limit, 32U);
}

TEST(Concurrency, HalvesOnceForACrowdOfRefusals) {
  std::atomic<int> busy{0};
  ScriptedServer server([&](const HttpRequest& request) {
    const int now = ++busy;
    std::this_thread::sleep_for(3ms);
    HttpReply reply = echo_reply(request);
    if (now > 4) reply.status = 429;
    --busy;
    return reply;
  });
  Options options = quick_options({server.url()});
  options.retries.patience = 10s;
  HttpLanguageModel model(options);
  Questions questions(60);
  model.complete(questions.requests, questions.completions);
  questions.expect_answered();
  EXPECT_GT(model.statistics().refusals, 0U);
  EXPECT_LE(model.statistics().concurrency_limit, 4U);
  EXPECT_GE(model.statistics().concurrency_limit, 1U);
}

TEST(RequestsPerMinute, AreKept) {
  ScriptedServer server(echo_reply);
  Options options = quick_options({server.url()});
  options.requests_per_minute = 60 * 40;  // one every 25 ms
  HttpLanguageModel model(options);
  Questions questions(9);
  const auto start = std::chrono::steady_clock::now();
  model.complete(questions.requests, questions.completions);
  questions.expect_answered();
  EXPECT_GE(std::chrono::steady_clock::now() - start, 170ms);
}

TEST(Asynchronous, FastAnswersDoNotWaitForSlowOnes) {
  ScriptedServer server([](const HttpRequest& request) {
    const bool slow = request.body.find("question 0") != std::string::npos;
    return after(slow ? 200ms : 1ms, request);
  });
  HttpLanguageModel model(quick_options({server.url()}));
  Questions questions(5);
  for (std::size_t i = 0; i < 5; ++i) model.submit(questions.requests[i], 100 + i);
  EXPECT_THROW(model.submit(questions.requests[0], 100), icpi::InvalidArgument);
  std::vector<icpi::Ticket> order;
  std::vector<FinishedCompletion> finished(2);
  while (order.size() < 5) {
    const std::size_t count = model.collect(finished, 2000ms);
    ASSERT_GT(count, 0U);
    for (std::size_t i = 0; i < count; ++i) {
      order.push_back(finished[i].ticket);
      EXPECT_EQ(finished[i].completion.text, echo_text(questions.texts[finished[i].ticket - 100]));
    }
  }
  EXPECT_EQ(order.back(), 100U);
  EXPECT_EQ(model.collect(finished, 10ms), 0U);
}

TEST(Asynchronous, ABatchInBetweenDisturbsNothing) {
  ScriptedServer server([](const HttpRequest& request) { return after(3ms, request); });
  HttpLanguageModel model(quick_options({server.url()}));
  Questions submitted(10);
  for (std::size_t i = 0; i < 10; ++i) model.submit(submitted.requests[i], i);
  Questions batch(10);
  model.complete(batch.requests, batch.completions);
  batch.expect_answered();
  std::vector<FinishedCompletion> finished(10);
  std::size_t count = 0;
  while (count < 10) count += model.collect(std::span(finished).subspan(count), 1000ms);
  std::set<icpi::Ticket> tickets;
  for (const auto& item : finished) tickets.insert(item.ticket);
  EXPECT_EQ(tickets.size(), 10U);
}

TEST(Asynchronous, CancelledOnesAreCollectedOnce) {
  ScriptedServer server([](const HttpRequest& request) { return after(100ms, request); });
  Options options = quick_options({server.url()});
  options.concurrency = 2;
  HttpLanguageModel model(options);
  Questions questions(6);
  for (std::size_t i = 0; i < 6; ++i) model.submit(questions.requests[i], i);
  for (const icpi::Ticket ticket : {0U, 3U, 5U}) model.cancel(ticket);
  model.cancel(99);
  std::map<icpi::Ticket, Completion> got;
  std::vector<FinishedCompletion> finished(6);
  while (got.size() < 6) {
    const std::size_t count = model.collect(finished, 2000ms);
    ASSERT_GT(count, 0U);
    for (std::size_t i = 0; i < count; ++i) EXPECT_TRUE(got.emplace(finished[i].ticket, finished[i].completion).second);
  }
  for (const icpi::Ticket ticket : {0U, 3U, 5U}) EXPECT_EQ(got[ticket].error.category, ErrorCategory::cancelled);
  for (const icpi::Ticket ticket : {1U, 2U, 4U}) EXPECT_EQ(got[ticket].text, echo_text(questions.texts[ticket]));
}

TEST(Asynchronous, InterruptionEndsEverything) {
  ScriptedServer server([](const HttpRequest& request) { return after(1000ms, request); });
  Options options = quick_options({server.url()});
  const auto end = std::chrono::steady_clock::now() + 50ms;
  options.interrupted = [end] { return std::chrono::steady_clock::now() > end; };
  HttpLanguageModel model(options);
  Questions questions(50);
  const auto start = std::chrono::steady_clock::now();
  model.complete(questions.requests, questions.completions);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 800ms);
  for (const auto& completion : questions.completions) EXPECT_EQ(completion.error.category, ErrorCategory::cancelled);
}

/// Questions with a few prefixes.
struct PrefixedQuestions : Questions {
  PrefixedQuestions(std::size_t count, std::size_t prefix_count) : Questions(count) {
    for (std::size_t i = 0; i < prefix_count; ++i) prefixes.push_back(fmt::format("prefix {}\n", i));
    for (std::size_t i = 0; i < count; ++i) requests[i].prefix = {i % prefix_count + 1, prefixes[i % prefix_count]};
  }
  std::vector<std::string> prefixes;
};

std::string prefix_of(const HttpRequest& request) {
  const std::string prompt = json::parse(request.body).at("prompt");
  return prompt.substr(0, prompt.find('\n'));
}

TEST(Prefixes, KeepTheirServerAndLoadIsShared) {
  std::mutex mutex;
  std::vector<std::map<std::string, int>> seen(3);
  std::vector<std::unique_ptr<ScriptedServer>> servers;
  std::vector<std::string> urls;
  for (std::size_t i = 0; i < 3; ++i) {
    servers.push_back(std::make_unique<ScriptedServer>([&, i](const HttpRequest& request) {
      {
        const std::lock_guard lock(mutex);
        ++seen[i][prefix_of(request)];
      }
      return after(1ms, request);
    }));
    urls.push_back(servers.back()->url());
  }
  HttpLanguageModel model(quick_options(urls));
  PrefixedQuestions questions(600, 30);
  // One at a time there is no load that would move a prefix.
  for (std::size_t i = 0; i < 600; ++i) questions.completions[i] = ask(model, questions.requests[i]);
  questions.expect_answered();
  std::map<std::string, int> servers_of_prefix;
  for (const auto& server : seen) {
    EXPECT_GT(server.size(), 0U);
    for (const auto& [prefix, count] : server) ++servers_of_prefix[prefix];
  }
  for (const auto& [prefix, count] : servers_of_prefix) EXPECT_EQ(count, 1) << prefix;
  // All at once no server gets much more than its share.
  for (auto& server : seen) server.clear();
  model.complete(questions.requests, questions.completions);
  questions.expect_answered();
  for (const auto& server : seen) {
    int total = 0;
    for (const auto& [prefix, count] : server) total += count;
    EXPECT_LT(total, 330);
    EXPECT_GT(total, 90);
  }
}

TEST(Prefixes, MoveWhenTheirServerFails) {
  std::atomic<bool> broken{false};
  auto first = std::make_unique<ScriptedServer>(echo_reply);
  ScriptedServer second([&](const HttpRequest& request) {
    HttpReply reply = echo_reply(request);
    if (broken) reply.status = 503;
    return reply;
  });
  std::vector<std::string> notices;
  Options options = quick_options({first->url(), second.url()});
  options.retries.patience = 5s;
  options.notice = [&](std::string_view line) { notices.emplace_back(line); };
  HttpLanguageModel model(options);
  PrefixedQuestions questions(60, 10);
  model.complete(questions.requests, questions.completions);
  questions.expect_answered();
  EXPECT_GT(first->requests(), 5);
  EXPECT_GT(second.requests(), 5);
  first.reset();
  model.complete(questions.requests, questions.completions);
  questions.expect_answered();
  EXPECT_THAT(notices, testing::Contains(testing::HasSubstr("go to the other servers")));
  EXPECT_EQ(model.statistics().errors, 0U);
}

TEST(Prefixes, TheFirstRequestOfANewOneGoesAlone) {
  std::mutex mutex;
  std::condition_variable another_came;
  bool warm = true;
  std::map<std::string, int> answered;
  std::map<std::string, int> early;
  ScriptedServer server([&](const HttpRequest& request) {
    const std::string prefix = prefix_of(request);
    std::unique_lock lock(mutex);
    if (answered[prefix] == 0) ++early[prefix];
    another_came.notify_all();
    // With warming, no companion may come meanwhile; without, one must.
    another_came.wait_for(lock, warm ? 5ms : 10s, [&] { return early[prefix] > 1; });
    ++answered[prefix];
    return echo_reply(request);
  });
  for (const bool warm_prefixes : {true, false}) {
    {
      const std::lock_guard lock(mutex);
      warm = warm_prefixes;
      answered.clear();
      early.clear();
    }
    Options options = quick_options({server.url()});
    options.warm_prefixes = warm_prefixes;
    HttpLanguageModel model(options);
    PrefixedQuestions questions(24, 4);
    model.complete(questions.requests, questions.completions);
    questions.expect_answered();
    const std::lock_guard lock(mutex);
    for (const auto& [prefix, count] : early) {
      if (warm_prefixes) {
        EXPECT_EQ(count, 1) << prefix;
      } else {
        EXPECT_GT(count, 1) << prefix;
      }
    }
  }
}

TEST(Prefixes, OfALlamaServerKeepTheirSlot) {
  std::mutex mutex;
  std::map<std::string, std::set<int>> slots;
  ScriptedServer server([&](const HttpRequest& request) {
    HttpReply reply;
    if (request.path == "/v1/models") {
      reply.body = R"({"data":[{"id":"scripted","owned_by":"llamacpp"}]})";
    } else if (request.path == "/props") {
      reply.body = R"({"total_slots":4})";
    } else {
      const std::lock_guard lock(mutex);
      slots[prefix_of(request)].insert(json::parse(request.body).at("id_slot").get<int>());
      reply = echo_reply(request);
    }
    return reply;
  });
  Options options = quick_options({server.url()});
  options.probe = true;
  HttpLanguageModel model(options);
  PrefixedQuestions questions(40, 4);
  model.complete(questions.requests, questions.completions);
  questions.expect_answered();
  std::set<int> all;
  for (const auto& [prefix, used] : slots) {
    EXPECT_EQ(used.size(), 1U) << prefix;
    all.insert(used.begin(), used.end());
  }
  EXPECT_EQ(all.size(), 4U);
}

TEST(Prefixes, WaitingOnesSurviveALeaderThatFails) {
  std::atomic<int> seen{0};
  ScriptedServer server([&](const HttpRequest& request) {
    HttpReply reply = echo_reply(request);
    if (seen++ < 2) reply.status = 400;
    return reply;
  });
  HttpLanguageModel model(quick_options({server.url()}));
  PrefixedQuestions questions(10, 1);
  model.complete(questions.requests, questions.completions);
  int errors = 0;
  for (const auto& completion : questions.completions) errors += completion.error ? 1 : 0;
  EXPECT_EQ(errors, 2);
  EXPECT_EQ(server.requests(), 10);
}

}  // namespace
