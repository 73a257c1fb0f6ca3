// SPDX-License-Identifier: MIT
// Limits of requests and tokens: those that servers tell of, and our own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "helpers.hpp"
#include "http/rate_limits.hpp"
#include "icpi/core/error.hpp"

namespace {

using namespace std::chrono_literals;
using icpi::http::Clock;
using icpi::http::Demand;
using icpi::http::RateLimits;
using icpi_test::HttpReply;
using icpi_test::HttpRequest;
using icpi_test::ScriptedServer;
using testing::HasSubstr;

const Clock::time_point now = Clock::time_point(1000s);

double seconds_until(const std::optional<RateLimits::Opening>& opening) {
  return opening ? std::chrono::duration<double>(opening->at - now).count() : 0;
}

TEST(RateLimits, AreLearnedFromHeadersOfEveryStyle) {
  RateLimits open_ai;
  open_ai.learn({{"x-ratelimit-limit-tokens", "1000"},
                 {"x-ratelimit-remaining-tokens", "100"},
                 {"x-ratelimit-reset-tokens", "9s"},
                 {"x-ratelimit-remaining-requests", "7"}},
                now);
  EXPECT_FALSE(open_ai.opening({50, 50}, now));
  const auto wait = open_ai.opening({200, 100}, now);
  EXPECT_NEAR(seconds_until(wait), 2, 1e-6) << "it fills by 100 tokens a second";
  EXPECT_EQ(wait->limit, "tokens");
  EXPECT_NEAR(seconds_until(open_ai.opening({5000, 0}, now)), 9, 1e-6) << "it never fits: when the bucket is full";

  RateLimits messages;
  messages.learn({{"anthropic-ratelimit-input-tokens-remaining", "10"},
                  {"anthropic-ratelimit-input-tokens-reset", "30"},
                  {"anthropic-ratelimit-output-tokens-remaining", "500"},
                  {"anthropic-ratelimit-output-tokens-reset", "60"}},
                 now);
  EXPECT_EQ(messages.opening({11, 0}, now)->limit, "input-tokens");
  EXPECT_EQ(messages.opening({0, 501}, now)->limit, "output-tokens");
  EXPECT_NEAR(seconds_until(messages.opening({11, 501}, now)), 60, 1e-6);

  RateLimits plain;
  plain.learn({{"x-ratelimit-remaining", "1"}, {"x-ratelimit-reset", "20"}}, now);
  EXPECT_FALSE(plain.opening({1, 1}, now));
  plain.take({1, 1});
  EXPECT_NEAR(seconds_until(plain.opening({1, 1}, now)), 20, 1e-6);
  EXPECT_FALSE(plain.opening({1, 1}, now + 20s));
}

TEST(RateLimits, NonsenseIsNoLimit) {
  RateLimits limits;
  limits.learn({{"x-ratelimit-remaining-tokens", "many"},
                {"x-ratelimit-reset-tokens", "60"},
                {"x-ratelimit-remaining-requests", "0"},
                {"x-ratelimit-reset-requests", "soon"},
                {"x-ratelimit-", "1"},
                {"content-length", "0"}},
               now);
  EXPECT_FALSE(limits.opening({1000, 1000}, now));
}

/// Asks until a wait is announced; its reason.
std::string announced_wait(icpi::http::Options options) {
  std::string reason;
  std::atomic<bool> enough{false};
  options.retries.patience = 10min;
  options.retries.attempts = 9;
  options.waiting = [&](std::string_view why, double seconds) {
    if (seconds <= 1) return;
    reason = why;
    enough = true;
  };
  options.interrupted = [&] { return enough.load(); };
  icpi::http::HttpLanguageModel model(options);
  const std::string text(3000, 'x');
  for (int i = 0; i < 3 && !enough; ++i) {
    const icpi::Completion answer = icpi_test::ask(model, icpi_test::plain_request(text));
    EXPECT_TRUE(!answer.error || answer.error.category == icpi::ErrorCategory::cancelled) << answer.error.message;
  }
  return reason;
}

TEST(RateLimits, AServerWithoutTokensLeftIsLeftAloneAndTheReasonTold) {
  ScriptedServer server([](const HttpRequest&) {
    HttpReply reply;
    reply.headers = "x-ratelimit-remaining-tokens: 3\r\nx-ratelimit-reset-tokens: 2m\r\n";
    reply.body = icpi_test::completion_body("x");
    return reply;
  });
  EXPECT_THAT(announced_wait(icpi_test::quick_options({server.url()})), HasSubstr("limit of its tokens is used up"));
  EXPECT_EQ(server.requests(), 1);
}

TEST(RateLimits, AWaitBeforeAnotherAttemptIsToldWithWhatWentWrong) {
  std::string body = "no JSON";
  int status = 200;
  ScriptedServer server([&](const HttpRequest&) {
    HttpReply reply;
    reply.status = status;
    reply.body = body;
    return reply;
  });
  icpi::http::Options options = icpi_test::quick_options({server.url()});
  options.retries.first_backoff = options.retries.longest_backoff = 1min;
  EXPECT_THAT(announced_wait(options), HasSubstr("the answer is not JSON"));
  status = 500;
  body = R"({"error":"the model is being moved"})";
  EXPECT_THAT(announced_wait(options), HasSubstr("the model is being moved"));
}

TEST(RateLimits, OurOwnLimitsOfRequestsAndTokensAreKept) {
  ScriptedServer server([](const HttpRequest& request) { return icpi_test::echo_reply(request); });
  icpi::http::Options options = icpi_test::quick_options({server.url()});
  options.tokens_per_minute = 100;
  EXPECT_THAT(announced_wait(options), HasSubstr("the limit of tokens per minute"));
  EXPECT_EQ(server.requests(), 1);
  options.tokens_per_minute = 0;
  options.requests_per_minute = 1;
  EXPECT_THAT(announced_wait(options), HasSubstr("the limit of requests per minute"));
  EXPECT_LE(server.requests(), 3) << "one is made up for";
  options.tokens_per_minute = -1;
  EXPECT_THROW(icpi::http::validate(options), icpi::InvalidArgument);
}

}  // namespace
