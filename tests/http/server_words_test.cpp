// SPDX-License-Identifier: MIT
// What servers say went wrong, and how long they ask to wait.
#include "http/server_words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "helpers.hpp"
#include "http/durations.hpp"

namespace {

using icpi::ErrorCategory;
using icpi::http::HttpLanguageModel;
using icpi::http::judge_status;
using icpi::http::Options;
using icpi::http::parse_reset;
using icpi::http::parse_wait;
using icpi_test::ask;
using icpi_test::HttpReply;
using icpi_test::HttpRequest;
using icpi_test::plain_request;
using icpi_test::quick_options;
using icpi_test::ScriptedServer;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(ServerWords, AreFoundInEveryShape) {
  for (const char* body : {
           R"({"error":{"message":"the seed is odd","type":"x"}})",
           R"([{"error":{"code":400,"message":"the seed is odd","status":"INVALID_ARGUMENT"}}])",
           R"({"object":"error","message":{"detail":[{"type":"extra","loc":["body","n"],"msg":"the seed is odd"}]}})",
           R"({"detail":[{"loc":["body","n"],"msg":"the seed is odd"}]})",
           R"({"detail":"the seed is odd"})",
           R"({"object":"error","message":"the seed is odd","code":400})",
           R"({"error":"the seed is odd","error_type":"validation"})",
           R"({"type":"error","error":{"type":"invalid_request_error","message":"the seed is odd"}})",
           R"({"error":{"code":400,"message":"Provider returned error","metadata":{"raw":"the seed is odd"}}})",
           R"({"status":400,"error":"Bad Request","message":"the seed is odd"})",
           R"({"status":400,"error":"the seed is odd","message":""})",
           R"({"error":"invalid_request","error_description":"the seed is odd"})",
           R"({"__type":"ValidationException","Message":"the seed is odd"})",
           R"({"errors":["the seed is odd"]})",
           R"({"errors":{"reason":"the seed is odd"}})",
           R"({"title":"Bad","detail":"the seed is odd"})",
           R"({"fault":{"faultstring":"the seed is odd"}})",
           R"("the seed is odd")",
           "the seed is odd",
           "\n<html><body><h1>the   seed</h1>\n is odd</body></html>",
       }) {
    EXPECT_THAT(judge_status(400, body, {}).error.message,
                AllOf(HasSubstr("status 400: "), HasSubstr("the seed is odd")))
        << body;
  }
  EXPECT_EQ(judge_status(502, std::string(), {}).error.message, "status 502");
}

TEST(ServerWords, NameFieldsAndStatus) {
  const auto words = [](const char* text) { return icpi::http::read_server_words(nlohmann::json::parse(text), text); };
  EXPECT_THAT(words(R"({"error":{"param":"seed","code":"429"}})").fields, testing::ElementsAre("seed"));
  EXPECT_EQ(words(R"({"error":{"param":"seed","code":"429"}})").status, 429);
  EXPECT_THAT(words(R"({"detail":[{"loc":["body","seed"],"msg":"m"}]})").fields, testing::ElementsAre("seed"));
  EXPECT_EQ(words(R"({"error":{"code":12,"status":503}})").status, 503);
  EXPECT_EQ(words(R"({"error":{"details":[{"retryDelay":"34s"}]}})").wait_seconds, 34);
}

TEST(ServerWords, AreShownWithoutControlsAndSecrets) {
  const std::string secret = "s3cret-0123456789";
  const std::string body = "{\"error\":\"\\u001b[31mred\\u0007 \\u009b2J \\u202ealso " + secret +
                           " and sk-proj-abcdefghijklmnop and ask-me-something-else\\nline\"}";
  const std::string shown = judge_status(400, body, {secret}).error.message;
  EXPECT_THAT(shown, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\xC2\x9B")), Not(HasSubstr("\xE2\x80\xAE")),
                           Not(HasSubstr("\n")), Not(HasSubstr("\a"))));
  EXPECT_THAT(shown, AllOf(Not(HasSubstr(secret)), Not(HasSubstr("abcdefghijklmnop")),
                           HasSubstr("also [key] and [key]"), HasSubstr("ask-me-something-else")));
  const std::string cut =
      judge_status(400, "{\"error\":\"" + std::string(299, 'x') + "\xE2\x82\xAC\"}", {}).error.message;
  EXPECT_THAT(cut, testing::EndsWith("xx")) << "no half of a character";
}

TEST(ServerWords, AreShownWithoutLongPartsOfSecrets) {
  const std::vector<std::string> secrets{"token-0123456789abcdef"};
  EXPECT_EQ(icpi::http::shown_words("cut: token-0123456789abc", secrets), "cut: [key]");
  EXPECT_EQ(icpi::http::shown_words("torn: to-ken-0123456789abcdef, again 0123456789abcdef", secrets),
            "torn: to-[key], again [key]");
  EXPECT_EQ(icpi::http::shown_words("token-01234 is short", secrets), "token-01234 is short");
}

TEST(Durations, OfEveryForm) {
  for (const auto& [text, seconds] : std::vector<std::pair<const char*, double>>{{"7", 7},
                                                                                 {" 1.5 ", 1.5},
                                                                                 {"34s", 34},
                                                                                 {"250ms", 0.25},
                                                                                 {"6m0s", 360},
                                                                                 {"1h2m3.5s", 3723.5},
                                                                                 {"1d", 86400}}) {
    EXPECT_DOUBLE_EQ(parse_wait(text).value_or(-1), seconds) << text;
    EXPECT_DOUBLE_EQ(parse_reset(text).value_or(-1), seconds) << text;
  }
  for (const char* text : {"", "0", "-1", "soon", "6x", "nan", "inf", "1970-01-01T00:00:00Z", "5 5"})
    EXPECT_FALSE(parse_wait(text)) << text;
}

TEST(Durations, OfDatesAreFromNow) {
  const std::time_t later = std::time(nullptr) + 1000;
  const auto text = [&](const char* form) {
    std::array<char, 64> buffer{};
    std::tm parts{};
    gmtime_r(&later, &parts);
    std::strftime(buffer.data(), buffer.size(), form, &parts);
    return std::string(buffer.data());
  };
  for (const std::string& date : {text("%Y-%m-%dT%H:%M:%SZ"), text("%Y-%m-%dT%H:%M:%S.250Z"),
                                  text("%Y-%m-%dT%H:%M:%S+00:00"), text("%a, %d %b %Y %H:%M:%S GMT")}) {
    EXPECT_NEAR(parse_wait(date).value_or(0), 1000, 5) << date;
  }
  EXPECT_NEAR(parse_reset(std::to_string(later)).value_or(0), 1000, 5);
  EXPECT_NEAR(parse_reset(std::to_string(later) + "000").value_or(0), 1000, 5);
}

TEST(Durations, OfDatesAreFromTheTimeThatIsTold) {
  const double then = icpi::http::parse_date("Wed, 02 Mar 2005 10:00:00 GMT");
  EXPECT_EQ(then, 1109757600);
  EXPECT_EQ(icpi::http::parse_date("at noon"), 0);
  EXPECT_EQ(parse_wait("Wed, 02 Mar 2005 10:00:30 GMT", then), 30);
  EXPECT_EQ(parse_wait("2005-03-02T10:00:07.5Z", then), 7.5);
  EXPECT_EQ(parse_reset("1109757660", then), 60);
  EXPECT_EQ(parse_reset("1109757660500", then), 60.5);
  EXPECT_FALSE(parse_wait("Wed, 02 Mar 2005 09:59:59 GMT", then)) << "that is over";
  EXPECT_EQ(parse_wait("7", then), 7);
}

/// A server that always answers with one status; patience is short.
icpi::CompletionError error_of(int status, const std::string& body, const std::string& headers,
                               int* requests = nullptr) {
  ScriptedServer server([&](const HttpRequest&) {
    HttpReply reply;
    reply.status = status;
    reply.body = body;
    reply.headers = headers;
    return reply;
  });
  HttpLanguageModel model(quick_options({server.url()}));
  auto error = ask(model, plain_request()).error;
  if (requests != nullptr) *requests = server.requests();
  return error;
}

TEST(Waits, AreReadFromEveryHeader) {
  for (const auto& [headers, seconds] : std::vector<std::pair<const char*, double>>{
           {"Retry-After: 3600\r\n", 3600},
           {"retry-after-ms: 90500\r\nRetry-After: 3600\r\n", 90.5},
           {"x-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: 6m0s\r\n"
            "x-ratelimit-remaining-tokens: 17\r\nx-ratelimit-reset-tokens: 20h\r\n",
            360},
           {"RateLimit-Reset: 77\r\n", 77},
           {"anthropic-ratelimit-tokens-remaining: 0\r\nanthropic-ratelimit-tokens-reset: 4102444800\r\n", -1},
       }) {
    int requests = 0;
    const auto error = error_of(429, "{}", headers, &requests);
    EXPECT_EQ(error.category, ErrorCategory::rate_limited);
    EXPECT_EQ(requests, 1) << "longer than the patience: " << headers;
    if (seconds > 0) {
      EXPECT_DOUBLE_EQ(error.retry_after_seconds, seconds) << headers;
    }
    EXPECT_THAT(error.message, HasSubstr("asks to wait")) << headers;
  }
}

TEST(Waits, OfBodiesCountToo) {
  const auto error = error_of(
      429, R"({"error":{"message":"used up","metadata":{"headers":{"X-RateLimit-Reset":"4102444800000"}}}})", "");
  EXPECT_THAT(error.message, AllOf(HasSubstr("used up"), HasSubstr("asks to wait")));
}

TEST(Waits, ThatMakeNoSenseAreNone) {
  for (const char* headers : {"Retry-After: -1\r\n", "Retry-After: soon\r\n", "x-ratelimit-reset-tokens: -1\r\n"}) {
    int requests = 0;
    EXPECT_EQ(error_of(429, "{}", headers, &requests).retry_after_seconds, 0) << headers;
    EXPECT_GE(requests, 2) << headers;
  }
  EXPECT_EQ(error_of(500, "{}", "x-ratelimit-reset-tokens: 20h\r\n").retry_after_seconds, 0) << "no limit was passed";
}

TEST(Waits, LongerThanThePatienceEndQuestionsWithoutAskingThem) {
  ScriptedServer server([&](const HttpRequest&) {
    HttpReply reply;
    reply.status = 429;
    reply.headers = "Retry-After: 3600\r\n";
    reply.body = R"({"error":{"message":"come tomorrow"}})";
    return reply;
  });
  HttpLanguageModel model(quick_options({server.url()}));
  for (int i = 0; i < 3; ++i) {
    const auto error = ask(model, plain_request()).error;
    EXPECT_EQ(error.category, ErrorCategory::rate_limited);
    EXPECT_THAT(error.message, HasSubstr("come tomorrow"));
  }
  EXPECT_EQ(server.requests(), 1);
}

TEST(Waits, AboveASecondAreToldWithTheirReasonUntilTheyAreOver) {
  std::atomic<int> seen{0};
  ScriptedServer server([&](const HttpRequest&) {
    HttpReply reply;
    reply.body = R"({"error":{"message":"too fast"}})";
    if (seen++ == 0) {
      reply.status = 429;
      reply.headers = "Retry-After: 2\r\n";
    } else {
      reply.body = icpi_test::completion_body(" ok");
    }
    return reply;
  });
  std::vector<std::pair<std::string, double>> told;
  Options options = quick_options({server.url()});
  options.retries.patience = std::chrono::seconds(10);
  options.waiting = [&](std::string_view reason, double seconds) { told.emplace_back(reason, seconds); };
  options.interrupted = [] { return false; };
  HttpLanguageModel model(options);
  EXPECT_EQ(ask(model, plain_request()).text, " ok");
  ASSERT_GE(told.size(), 3U);
  EXPECT_THAT(told.front().first, HasSubstr("status 429: too fast"));
  EXPECT_GT(told.front().second, 1);
  EXPECT_LT(told[told.size() - 2].second, told.front().second);
  EXPECT_EQ(told.back(), (std::pair<std::string, double>{"", 0.0}));
}

TEST(Trouble, OfLimitsIsToldOnceWithTheServersWords) {
  ScriptedServer server([&](const HttpRequest&) {
    HttpReply reply;
    reply.status = 429;
    reply.body = R"({"error":{"message":"the quota of today is used up"}})";
    return reply;
  });
  std::vector<std::string> notices;
  Options options = quick_options({server.url()});
  options.retries.patience = std::chrono::milliseconds(5500);
  options.retries.longest_backoff = std::chrono::milliseconds(300);
  options.notice = [&](std::string_view line) { notices.emplace_back(line); };
  HttpLanguageModel model(options);
  EXPECT_EQ(ask(model, plain_request()).error.category, ErrorCategory::rate_limited);
  EXPECT_THAT(notices, testing::ElementsAre(AllOf(HasSubstr("the quota of today is used up"), HasSubstr("waiting"))));
}

}  // namespace
