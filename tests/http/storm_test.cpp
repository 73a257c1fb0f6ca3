// SPDX-License-Identifier: MIT
// A fifth of all requests fails, in every way that may pass: the answers are those of the fault-free run, and no answer
// that was received whole is asked for again.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <mutex>

#include "helpers.hpp"
#include "icpi/core/random.hpp"

namespace {

using namespace std::chrono_literals;
using icpi_test::echo_reply;
using icpi_test::echo_text;
using icpi_test::HttpReply;
using icpi_test::HttpRequest;
using icpi_test::ScriptedServer;
using Manner = HttpReply::Manner;

/// Fault number `kind` of a good reply.
HttpReply spoil(HttpReply reply, std::size_t kind) {
  constexpr std::array statuses{408, 409, 429, 500, 502, 503, 504};
  constexpr std::array manners{Manner::cut, Manner::cut_chunk, Manner::reset_before_headers,
                               Manner::reset_after_headers, Manner::close_before_headers};
  kind %= statuses.size() + manners.size() + 4;
  if (kind < statuses.size()) {
    reply.status = statuses[kind];
    reply.body = "{}";
    return reply;
  }
  kind -= statuses.size();
  if (kind < manners.size()) {
    reply.manner = manners[kind];
    return reply;
  }
  switch (kind - manners.size()) {
    case 0: reply.body = "not json"; break;
    case 1: reply.body = R"({"choices":[]})"; break;
    case 2: reply.body = "{\"choices\":[{\"index\":0,\"text\":\"\xFF\"}]}"; break;
    default: reply.first_byte_delay = 150ms; break;  // past the attempt's time limit
  }
  return reply;
}

class StormyServer {
 public:
  StormyServer() : server_([this](const HttpRequest& request) { return answer(request); }) {}
  [[nodiscard]] std::string url() const { return server_.url(); }
  [[nodiscard]] std::map<std::string, int> whole_answers() {
    const std::lock_guard lock(mutex_);
    return whole_answers_;
  }
  [[nodiscard]] int faults() const { return faults_; }

 private:
  HttpReply answer(const HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    const auto draw = icpi::RandomKey(17).child(drawn_++);
    if (icpi::RandomStream(draw).uniform() < 0.2) {
      ++faults_;
      return spoil(echo_reply(request), static_cast<std::size_t>(faults_));
    }
    ++whole_answers_[nlohmann::json::parse(request.body).at("prompt").get<std::string>()];
    return echo_reply(request);
  }

  std::mutex mutex_;
  std::uint64_t drawn_ = 0;
  std::atomic<int> faults_{0};
  std::map<std::string, int> whole_answers_;
  ScriptedServer server_;
};

TEST(Storm, AnswersEqualTheFaultFreeRunAndNoneIsPaidTwice) {
  StormyServer first;
  StormyServer second;
  icpi::http::Options options = icpi_test::quick_options({first.url(), second.url()});
  options.retries = {.attempts = 20, .patience = 20s, .first_backoff = 1ms, .longest_backoff = 10ms};
  options.attempt_timeout = 100ms;
  icpi::http::HttpLanguageModel model(options);
  constexpr std::size_t count = 1500;
  std::vector<std::string> prefixes;
  for (int i = 0; i < 20; ++i) prefixes.push_back(fmt::format("prefix {}\n", i));
  std::vector<std::string> queries;
  for (std::size_t i = 0; i < count; ++i) queries.push_back(fmt::format("question {}", i));
  for (std::size_t i = 0; i < count; ++i) {
    icpi::CompletionRequest request;
    request.prefix = {i % 20, prefixes[i % 20]};
    request.query = queries[i];
    model.submit(request, i);
  }
  std::vector<icpi::FinishedCompletion> finished(64);
  std::size_t left = count;
  while (left > 0) {
    const std::size_t got = model.collect(finished, 5s);
    ASSERT_GT(got, 0U);
    left -= got;
    for (std::size_t i = 0; i < got; ++i) {
      const auto ticket = finished[i].ticket;
      EXPECT_EQ(finished[i].completion.text, echo_text(prefixes[ticket % 20] + queries[ticket]))
          << finished[i].completion.error.message;
    }
  }
  EXPECT_GT(first.faults() + second.faults(), 200);
  auto answers = first.whole_answers();
  for (const auto& [prompt, times] : second.whole_answers()) answers[prompt] += times;
  EXPECT_EQ(answers.size(), count);
  for (const auto& [prompt, times] : answers) EXPECT_EQ(times, 1) << prompt;
}

}  // namespace
