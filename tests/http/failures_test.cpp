// SPDX-License-Identifier: MIT
// Every way in which a server can fail one request.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <ostream>
#include <vector>

#include "helpers.hpp"
#include "icpi/core/error.hpp"

namespace {

using namespace std::chrono_literals;
using icpi::Completion;
using icpi::ErrorCategory;
using icpi::http::Dialect;
using icpi::http::HttpLanguageModel;
using icpi::http::Options;
using icpi_test::ask;
using icpi_test::completion_body;
using icpi_test::echo_reply;
using icpi_test::HttpReply;
using icpi_test::HttpRequest;
using icpi_test::plain_request;
using icpi_test::quick_options;
using icpi_test::ScriptedServer;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Manner = HttpReply::Manner;

HttpReply status(int code, std::string body = R"({"error":{"message":"no","type":"x"}})", std::string headers = "") {
  HttpReply reply;
  reply.status = code;
  reply.body = std::move(body);
  reply.headers = std::move(headers);
  return reply;
}

HttpReply manner(Manner how) {
  HttpReply reply;
  reply.body = completion_body(" ok");
  reply.manner = how;
  return reply;
}

HttpReply body(std::string text) {
  HttpReply reply;
  reply.body = std::move(text);
  return reply;
}

struct FailureCase {
  std::string name;
  HttpReply reply;
  ErrorCategory category;  ///< of a server that always answers so
  int requests;            ///< that it then sees; -1: as many as fit into the patience, at least two
  friend void PrintTo(const FailureCase& c, std::ostream* out) { *out << c.name; }
};

std::vector<FailureCase> failure_cases() {
  using enum ErrorCategory;
  const std::string overflow =
      R"x({"error":{"code":400,"message":"request (33001 tokens) exceeds the available context size (2048 tokens)",)x"
      R"("type":"exceed_context_size_error","n_prompt_tokens":33001,"n_ctx":2048}})";
  const std::string quota = R"({"error":{"message":"You exceeded your quota","type":"insufficient_quota"}})";
  const std::string deep(100000, '[');
  return {
      {"BadRequest", status(400), invalid_request, 1},
      {"ContextOverflow", status(400, overflow), context_overflow, 1},
      {"OpenAiOverflow", status(400, R"({"error":{"message":"m","code":"context_length_exceeded"}})"), context_overflow,
       1},
      {"Unauthorized", status(401), authentication, 1},
      {"Forbidden", status(403), authentication, 1},
      {"NotFound", status(404), invalid_request, 1},
      {"RequestTimeout", status(408), timeout, 3},
      {"Conflict", status(409), transport, 3},
      {"TooLarge", status(413), invalid_request, 1},
      {"Unprocessable", status(422, R"({"detail":[{"msg":"field"}]})"), invalid_request, 1},
      {"RateLimited", status(429), rate_limited, -1},
      {"QuotaUsedUp", status(429, quota), budget_exhausted, 1},
      {"InternalError", status(500, "<html>oops</html>"), transport, 3},
      {"NotImplemented", status(501), invalid_request, 1},
      {"BadGateway", status(502, ""), transport, 3},
      {"Unavailable", status(503), transport, -1},
      {"GatewayTimeout", status(504), timeout, 3},
      {"Overloaded", status(529), transport, -1},
      {"PaymentRequired", status(402), budget_exhausted, 1},
      {"SpendLimit",
       status(429, R"({"error":{"type":"rate_limit_error","details":{"error_code":"enforced_spend_limit_reached"}}})"),
       budget_exhausted, 1},
      {"CreditsGone", status(400, R"({"error":{"message":"Your credit balance is too low"}})"), budget_exhausted, 1},
      {"GatewaysBudget", status(400, R"({"error":{"message":"m","type":"budget_exceeded","code":"400"}})"),
       budget_exhausted, 1},
      {"DailyQuota",
       status(429, R"([{"error":{"code":429,"details":[{"violations":[{"quotaId":"RequestsPerDayPerProject"}]}]}}])"),
       rate_limited, 1},
      {"NoMoneyInsideAnAnswer", body(R"({"error":{"message":"empty","code":402}})"), budget_exhausted, 1},
      {"FailureInsideAnAnswer", body(R"({"error":{"message":"gone","code":502}})"), transport, 3},
      {"ErrorOfNoKindInsideAnAnswer", body(R"({"error":{"message":"hm"}})"), transport, 3},
      {"ChoiceBrokenOff", body(R"({"choices":[{"index":0,"text":"hal","finish_reason":"error"}]})"), transport, 3},
      {"ChoiceRefusedByTheServiceBehind",
       body(R"({"choices":[{"index":0,"text":"","finish_reason":"error","error":{"code":400,"message":"no"}}]})"),
       invalid_request, 1},
      {"StreamThatBreaksOff", body("data: {\"choices\":[{\"index\":0,\"text\":\"hal\",\"finish_reason\":null}]}\n\n"),
       transport, 3},
      {"CutBody", manner(Manner::cut), transport, 3},
      {"CutChunk", manner(Manner::cut_chunk), transport, 3},
      {"ResetBeforeHeaders", manner(Manner::reset_before_headers), transport, 3},
      {"ResetAfterHeaders", manner(Manner::reset_after_headers), transport, 3},
      {"ClosedBeforeHeaders", manner(Manner::close_before_headers), transport, 3},
      {"NotHttp", manner(Manner::garbage), transport, 3},
      {"NotJson", body("hello"), transport, 3},
      {"EmptyBody", body(""), transport, 3},
      {"CutJson", body(completion_body(" ok").substr(0, 40)), transport, 3},
      {"DeepJson", body(deep), transport, 3},
      {"NoChoices", body("{}"), transport, 3},
      {"EmptyChoices", body(R"({"choices":[]})"), transport, 3},
      {"ChoicesAreText", body(R"({"choices":"x"})"), transport, 3},
      {"ChoiceIsNumber", body(R"({"choices":[1]})"), invalid_request, 1},
      {"NoText", body(R"({"choices":[{"index":0}]})"), invalid_request, 1},
      {"TextIsNumber", body(R"({"choices":[{"index":0,"text":5}]})"), invalid_request, 1},
      {"TextIsNull", body(R"({"choices":[{"index":0,"text":null}]})"), invalid_request, 1},
      {"AnArray", body("[]"), transport, 3},
      {"WrongIndex", body(R"({"choices":[{"index":7,"text":"a"}]})"), invalid_request, 1},
      {"NegativeIndex", body(R"({"choices":[{"index":-1,"text":"a"}]})"), invalid_request, 1},
      {"HugeNumber", body(R"({"choices":[{"index":0,"text":"a"}],"usage":{"prompt_tokens":1e999}})"), transport, 3},
      {"EscapeOfNoKind", body(R"({"choices":[{"index":0,"text":"\xFF\ud800"}]})"), transport, 3},
      {"ContentFilter", body(R"({"choices":[{"index":0,"text":"a","finish_reason":"content_filter"}]})"),
       invalid_request, 1},
      {"OversizedBody", body(std::string(200000, ' ')), transport, 1},
      {"RedirectElsewhere", status(307, "", "Location: http://localhost:1/v1/completions\r\n"), invalid_request, 1},
      {"RedirectAsGet", status(302, "", "Location: /v1/other\r\n"), invalid_request, 1},
      {"RedirectLoop", status(308, "", "Location: /v1/completions\r\n"), invalid_request, 4},
      {"RedirectToFile", status(307, "", "Location: file:///etc/passwd\r\n"), invalid_request, 1},
  };
}

class EveryFailure : public testing::TestWithParam<FailureCase> {};

TEST_P(EveryFailure, ForEverIsReportedWithItsCategory) {
  ScriptedServer server([](const HttpRequest&) { return GetParam().reply; });
  Options options = quick_options({server.url()});
  options.max_response_bytes = 150000;
  HttpLanguageModel model(options);
  const Completion completion = ask(model, plain_request());
  EXPECT_EQ(name(completion.error.category), name(GetParam().category)) << completion.error.message;
  EXPECT_EQ(completion.finish, icpi::FinishReason::error);
  EXPECT_TRUE(completion.text.empty());
  EXPECT_THAT(completion.error.message, Not(HasSubstr("\n")));
  EXPECT_FALSE(completion.error.message.empty());
  if (GetParam().requests >= 0) {
    EXPECT_EQ(server.requests(), GetParam().requests) << completion.error.message;
  } else {
    EXPECT_GE(server.requests(), 2);
  }
  EXPECT_EQ(model.statistics().errors, 1U);
  EXPECT_EQ(model.statistics().answers, 0U);
}

TEST_P(EveryFailure, OnceIsHealedWhereThatIsPossible) {
  std::atomic<int> seen{0};
  ScriptedServer server(
      [&](const HttpRequest&) { return seen++ == 0 ? GetParam().reply : body(completion_body(" ok")); });
  Options options = quick_options({server.url()});
  options.max_response_bytes = 150000;
  HttpLanguageModel model(options);
  const Completion completion = ask(model, plain_request());
  if (GetParam().requests == 1) {
    EXPECT_EQ(server.requests(), 1);
    return;
  }
  EXPECT_FALSE(completion.error) << completion.error.message;
  EXPECT_EQ(completion.text, " ok");
  EXPECT_EQ(server.requests(), 2);
}

INSTANTIATE_TEST_SUITE_P(All, EveryFailure, testing::ValuesIn(failure_cases()),
                         [](const auto& test) { return test.param.name; });

TEST(Waiting, SlowFirstByteAndSlowBodyAreWaitedFor) {
  std::atomic<int> seen{0};
  ScriptedServer server([&](const HttpRequest&) {
    HttpReply reply = body(completion_body(" late"));
    (seen++ == 0 ? reply.first_byte_delay : reply.body_delay) = 60ms;
    return reply;
  });
  HttpLanguageModel model(quick_options({server.url()}));
  EXPECT_EQ(ask(model, plain_request()).text, " late");
  EXPECT_EQ(ask(model, plain_request()).text, " late");
  EXPECT_EQ(server.requests(), 2);
}

TEST(Waiting, AnAnswerInChunksIsPutTogether) {
  ScriptedServer server([](const HttpRequest&) { return manner(Manner::chunked); });
  HttpLanguageModel model(quick_options({server.url()}));
  EXPECT_EQ(ask(model, plain_request()).text, " ok");
  EXPECT_EQ(server.requests(), 1);
}

TEST(Waiting, AnAttemptThatTakesTooLongIsRepeatedAndThenGivenUp) {
  for (const bool in_body : {false, true}) {
    ScriptedServer server([&](const HttpRequest&) {
      HttpReply reply = body(completion_body(" late"));
      (in_body ? reply.body_delay : reply.first_byte_delay) = 400ms;
      return reply;
    });
    Options options = quick_options({server.url()});
    options.attempt_timeout = 40ms;
    HttpLanguageModel model(options);
    const Completion completion = ask(model, plain_request());
    EXPECT_EQ(completion.error.category, ErrorCategory::timeout);
    EXPECT_LE(server.requests(), 3);  // a busy one may not have come to the last one yet
    EXPECT_EQ(model.statistics().timeouts, 3U);
  }
}

TEST(Waiting, TheRequestsOwnTimeLimitCoversRetries) {
  ScriptedServer server([&](const HttpRequest&) { return status(500); });
  Options options = quick_options({server.url()});
  options.retries.attempts = 1000;
  HttpLanguageModel model(options);
  icpi::CompletionRequest request = plain_request();
  request.timeout = 100ms;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(ask(model, request).error.category, ErrorCategory::timeout);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
  EXPECT_GT(server.requests(), 2);
}

TEST(Waiting, AnswersThatCameWhileTheCallerWorkedAreNotTimedOut) {
  ScriptedServer server([&](const HttpRequest&) { return body(completion_body(" ok")); });
  Options options = quick_options({server.url()});
  options.attempt_timeout = 50ms;
  HttpLanguageModel model(options);
  static_cast<void>(ask(model, plain_request()));  // a connection is there, so submit sends at once
  model.submit(plain_request(), 1);
  std::this_thread::sleep_for(150ms);
  icpi::FinishedCompletion finished;
  ASSERT_EQ(model.collect({&finished, 1}, 1000ms), 1U);
  EXPECT_EQ(finished.completion.text, " ok");
  EXPECT_EQ(server.requests(), 2);
}

TEST(RetryAfter, IsHonoured) {
  std::atomic<int> seen{0};
  ScriptedServer server([&](const HttpRequest&) {
    return seen++ == 0 ? status(429, "{}", "Retry-After: 1\r\n") : body(completion_body(" ok"));
  });
  Options options = quick_options({server.url()});
  options.retries.patience = 5s;
  HttpLanguageModel model(options);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(ask(model, plain_request()).text, " ok");
  EXPECT_GE(std::chrono::steady_clock::now() - start, 990ms);
}

TEST(RetryAfter, LongerThanThePatienceIsReportedAtOnce) {
  ScriptedServer server([&](const HttpRequest&) { return status(429, "{}", "Retry-After: 3600\r\n"); });
  HttpLanguageModel model(quick_options({server.url()}));
  const Completion completion = ask(model, plain_request());
  EXPECT_EQ(completion.error.category, ErrorCategory::rate_limited);
  EXPECT_EQ(completion.error.retry_after_seconds, 3600);
  EXPECT_EQ(server.requests(), 1);
}

TEST(RetryAfter, IsCountedFromWhatTheServerSaysTheTimeIs) {
  for (const int code : {429, 503}) {
    ScriptedServer server([&](const HttpRequest&) {
      return status(code, "{}",
                    "Date: Fri, 02 Mar 2001 10:00:00 GMT\r\nRetry-After: Fri, 02 Mar 2001 10:16:40 GMT\r\n");
    });
    HttpLanguageModel model(quick_options({server.url()}));
    EXPECT_EQ(ask(model, plain_request()).error.retry_after_seconds, 1000);
  }
  // And so where a clock of ours that is years behind would make a moment of it years.
  std::atomic<int> seen{0};
  ScriptedServer server([&](const HttpRequest&) {
    return seen++ > 0 ? body(completion_body(" ok"))
                      : status(429, "{}",
                               "Date: Fri, 02 Mar 2091 10:00:00 GMT\r\nx-ratelimit-reset-requests: "
                               "2091-03-02T10:00:00.2Z\r\nx-ratelimit-remaining-requests: 0\r\n");
  });
  Options options = quick_options({server.url()});
  options.retries.patience = 5s;
  HttpLanguageModel model(options);
  EXPECT_EQ(ask(model, plain_request()).text, " ok");
  EXPECT_EQ(server.requests(), 2);
}

TEST(RetryAfter, OfABrokenServerIsHonouredUpToThePatience) {
  ScriptedServer server([](const HttpRequest&) { return status(500, "{}", "Retry-After: 86400\r\n"); });
  std::vector<std::string> notices;
  Options options = quick_options({server.url()});
  options.notice = [&](std::string_view line) { notices.emplace_back(line); };
  HttpLanguageModel model(options);
  const Completion completion = ask(model, plain_request());
  EXPECT_EQ(completion.error.category, ErrorCategory::transport);
  EXPECT_EQ(server.requests(), 3);
  EXPECT_THAT(notices, testing::Contains(HasSubstr("asks to wait 86400 s")));
}

TEST(Connecting, NobodyListensThenSomebodyDoes) {
  std::uint16_t port = 0;
  {
    ScriptedServer placeholder([](const HttpRequest&) { return HttpReply{}; });
    port = placeholder.port();
  }
  std::vector<std::string> notices;
  Options options = quick_options({fmt::format("127.0.0.1:{}", port)});
  options.notice = [&](std::string_view line) { notices.emplace_back(line); };
  {
    HttpLanguageModel model(options);
    EXPECT_EQ(ask(model, plain_request()).error.category, ErrorCategory::transport);
    EXPECT_THAT(notices, testing::ElementsAre(HasSubstr("pausing")));
  }
  notices.clear();
  options.retries.patience = 5s;
  HttpLanguageModel model(options);
  std::vector<icpi::CompletionRequest> requests(20, plain_request());
  for (std::size_t i = 0; i < requests.size(); ++i) model.submit(requests[i], i);
  std::vector<icpi::FinishedCompletion> finished(20);
  EXPECT_EQ(model.collect(finished, 50ms), 0U);
  ScriptedServer server([](const HttpRequest&) { return body(completion_body(" back")); }, port);
  std::size_t count = 0;
  while (count < finished.size()) count += model.collect(std::span(finished).subspan(count), 5000ms);
  for (const auto& item : finished) EXPECT_EQ(item.completion.text, " back");
  EXPECT_EQ(server.requests(), 20);
  EXPECT_THAT(notices, testing::ElementsAre(HasSubstr("pausing"), HasSubstr("is back")));
}

/// Opens so many files, as a host may have.
class ManyFiles {
 public:
  explicit ManyFiles(std::size_t count) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (std::size_t i = 0; i < count; ++i) files_.push_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
  ManyFiles(const ManyFiles&) = delete;
  ManyFiles& operator=(const ManyFiles&) = delete;
  ~ManyFiles() {
    for (const int file : files_) close(file);
  }
  [[nodiscard]] int last() const { return files_.back(); }

 private:
  std::vector<int> files_;
};

TEST(Connecting, DescriptorsBeyondAThousandAreAsGood) {
  const ManyFiles files(1100);
  ASSERT_GT(files.last(), 1024);  // more than select(2) takes
  ScriptedServer server(echo_reply);
  HttpLanguageModel model(quick_options({server.url()}));
  EXPECT_FALSE(ask(model, plain_request()).error);
}

TEST(Connecting, UnknownHostIsATransportError) {
  HttpLanguageModel model(quick_options({"http://no-such-host.invalid/v1"}));
  const Completion completion = ask(model, plain_request());
  EXPECT_EQ(completion.error.category, ErrorCategory::transport);
}

TEST(Connecting, TlsToAPlainServerIsATransportError) {
  ScriptedServer server([](const HttpRequest&) { return body(completion_body(" ok")); });
  HttpLanguageModel model(quick_options({fmt::format("https://127.0.0.1:{}/v1", server.port())}));
  EXPECT_EQ(ask(model, plain_request()).error.category, ErrorCategory::transport);
}

TEST(Redirects, WithinTheServerAreFollowedWithTheBody) {
  ScriptedServer server([](const HttpRequest& request) {
    if (request.path == "/v1/completions") return status(307, "", "Location: /moved\r\n");
    return icpi_test::echo_reply(request);
  });
  HttpLanguageModel model(quick_options({server.url()}));
  EXPECT_EQ(ask(model, plain_request()).text, icpi_test::echo_text("the cat sat on the mat"));
}

TEST(Redirects, InACrowdEveryQuestionGetsItsOwnAnswer) {
  std::atomic<int> seen{0};
  ScriptedServer server([&](const HttpRequest& request) {
    if (++seen % 3 == 0) return status(307, "", "Location: /v1/completions\r\n");
    return icpi_test::echo_reply(request);
  });
  HttpLanguageModel model(quick_options({server.url()}));
  std::vector<std::string> questions;
  for (int i = 0; i < 400; ++i) questions.push_back(fmt::format("question {}", i));
  std::vector<icpi::CompletionRequest> requests;
  for (const auto& question : questions) requests.push_back(plain_request(question));
  std::vector<Completion> completions(requests.size());
  model.complete(requests, completions);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (completions[i].error) {
      EXPECT_THAT(completions[i].error.message, HasSubstr("in a circle"));  // redirected four times in a row
    } else {
      EXPECT_EQ(completions[i].text, icpi_test::echo_text(questions[i]));
    }
  }
  EXPECT_EQ(model.statistics().in_flight, 0U);
}

TEST(Usage, IsNeededWhereTheOptionsSaySo) {
  for (const auto& [usage, counted] : {std::pair{"null", false},
                                       {R"({"prompt_tokens":-3,"completion_tokens":1})", false},
                                       {R"({"prompt_tokens":1e15,"completion_tokens":1})", false},
                                       {R"({"prompt_tokens":12,"completion_tokens":1e15})", false},
                                       {R"({"prompt_tokens":12.0,"completion_tokens":3.0})", true}}) {
    ScriptedServer server([usage = usage](const HttpRequest&) {
      return body(fmt::format(R"({{"choices":[{{"index":0,"text":" a"}}],"usage":{}}})", usage));
    });
    Options options = quick_options({server.url()});
    options.require_usage = true;
    HttpLanguageModel model(options);
    const Completion completion = ask(model, plain_request());
    EXPECT_EQ(completion.error.category, counted ? ErrorCategory::none : ErrorCategory::invalid_request) << usage;
    EXPECT_EQ(completion.usage.prompt_tokens, counted ? 12U : 0U);
  }
}

TEST(Words, OfAnErrorWithoutAStatusAreRepeated) {
  ScriptedServer server([](const HttpRequest&) { return body(R"({"error":{"message":"model overloaded"}})"); });
  HttpLanguageModel model(quick_options({server.url()}));
  const Completion completion = ask(model, plain_request());
  EXPECT_THAT(completion.error.message, testing::AllOf(HasSubstr(server.url()), HasSubstr(": model overloaded")));
}

TEST(Usage, OddCountsDoNotSinkAnAnswer) {
  for (const char* usage : {"null", "7", R"({"prompt_tokens":-3})", R"({"prompt_tokens":18446744073709551615})",
                            R"({"prompt_tokens":"11"})", R"({"prompt_tokens":5,"prompt_tokens_details":[]})"}) {
    ScriptedServer server([&](const HttpRequest&) {
      return body(fmt::format(R"({{"choices":[{{"index":0,"text":" a"}}],"usage":{}}})", usage));
    });
    HttpLanguageModel model(quick_options({server.url()}));
    const Completion completion = ask(model, plain_request());
    EXPECT_EQ(completion.text, " a") << usage << completion.error.message;
    EXPECT_LE(completion.usage.prompt_tokens, 5U);
  }
}

TEST(Key, IsSentAndNeverRepeated) {
  const std::string key = "sk-secret0123456789";
  setenv("ICPI_TEST_KEY", key.c_str(), 1);
  std::atomic<int> seen{0};
  std::atomic<bool> authorised{true};
  ScriptedServer server([&](const HttpRequest& request) {
    if (request.headers.find("authorization: bearer " + key) == std::string::npos) authorised = false;
    if (request.method == "GET") return status(401, fmt::format(R"({{"error":"key {} is bad"}})", key));
    switch (seen++) {
      case 0: return status(400, fmt::format(R"({{"error":{{"message":"Incorrect API key: {}"}}}})", key));
      case 1: return body(completion_body("your key is " + key));
      default: return status(500, key);
    }
  });
  std::string everything;
  Options options = quick_options({server.url()});
  options.api_key_env = "ICPI_TEST_KEY";
  options.notice = [&](std::string_view line) { everything += line; };
  HttpLanguageModel model(options);
  for (int i = 0; i < 3; ++i) {
    const Completion completion = ask(model, plain_request());
    everything += completion.text + completion.error.message;
  }
  everything += model.identity() + describe(model.capabilities());
  options.probe = true;
  try {
    const HttpLanguageModel refused(options);
    ADD_FAILURE() << "the probe should have failed";
  } catch (const icpi::Error& error) {
    everything += error.what();
    EXPECT_THAT(error.what(), HasSubstr("refuses the key"));
  }
  EXPECT_TRUE(authorised);
  EXPECT_THAT(everything, HasSubstr("your key is [key]"));
  EXPECT_THAT(everything, Not(HasSubstr(key)));
  EXPECT_THAT(everything, Not(HasSubstr("secret")));
}

TEST(Key, NoPartOfItIsLeftWhereAMessageIsCut) {
  const std::string key = "sk-secret0123456789";
  setenv("ICPI_TEST_KEY", key.c_str(), 1);
  for (std::size_t before = 270; before < 310; ++before) {
    ScriptedServer server([&](const HttpRequest&) {
      return status(400, fmt::format(R"({{"error":"{}{}"}})", std::string(before, 'x'), key));
    });
    Options options = quick_options({server.url()});
    options.api_key_env = "ICPI_TEST_KEY";
    HttpLanguageModel model(options);
    EXPECT_THAT(ask(model, plain_request()).error.message, Not(HasSubstr("sk-"))) << before;
  }
}

TEST(Key, AModelsNameThatHoldsItIsRedactedToo) {
  const std::string key = "sk-secret0123456789";
  setenv("ICPI_TEST_KEY", key.c_str(), 1);
  ScriptedServer server([&](const HttpRequest&) {
    return body(fmt::format(
        R"({{"data":[{{"id":"m-{}"}},{{"id":"\u001b[31mred"}},{{"id":"two\nlines"}},{{"id":"a\u009bb"}}]}})", key));
  });
  Options options = quick_options({server.url()});
  options.api_key_env = "ICPI_TEST_KEY";
  options.probe = true;
  options.model.clear();
  const HttpLanguageModel model(options);
  EXPECT_EQ(model.capabilities().model, "m-[key]");
  EXPECT_EQ(model.capabilities().servers[0].models, std::vector<std::string>{"m-[key]"}) << "names that can be shown";
}

TEST(Key, APlaceholderIsNotTakenOutOfAnswers) {
  for (const char* placeholder : {"1", "key", "EMPTY"}) {
    setenv("ICPI_TEST_KEY", placeholder, 1);
    ScriptedServer server([&](const HttpRequest&) { return body(completion_body(" 11 EMPTY [key] keys")); });
    Options options = quick_options({server.url()});
    options.api_key_env = "ICPI_TEST_KEY";
    HttpLanguageModel model(options);
    EXPECT_EQ(ask(model, plain_request()).text, " 11 EMPTY [key] keys");
  }
}

TEST(Key, IsNotSentToAnotherServer) {
  setenv("ICPI_TEST_KEY", "sk-secret0123456789", 1);
  ScriptedServer other([](const HttpRequest&) { return body(completion_body(" stolen")); });
  ScriptedServer server([&](const HttpRequest&) {
    return status(307, "", fmt::format("Location: http://127.0.0.1:{}/v1/completions\r\n", other.port()));
  });
  Options options = quick_options({server.url()});
  options.api_key_env = "ICPI_TEST_KEY";
  HttpLanguageModel model(options);
  EXPECT_EQ(ask(model, plain_request()).error.category, ErrorCategory::invalid_request);
  EXPECT_EQ(other.requests(), 0);
}

TEST(Routes, ThatAreNotThereAreNamedWithTheDialectThatMayFit) {
  const auto error_of = [](Dialect dialect, int code, const std::string& body) {
    ScriptedServer server([&](const HttpRequest&) { return status(code, body); });
    Options options = quick_options({server.url()});
    options.dialect = dialect;
    options.model = "the-model";
    HttpLanguageModel model(options);
    return ask(model, plain_request()).error.message;
  };
  const std::string nothing = R"({"error":{"message":"Not Found"}})";
  EXPECT_THAT(error_of(Dialect::completions, 404, nothing),
              AllOf(HasSubstr("status 404: Not Found"), HasSubstr("/v1/completions"), HasSubstr("--dialect chat"),
                    HasSubstr("/v1/chat/completions"), HasSubstr("--service")));
  EXPECT_THAT(error_of(Dialect::chat, 405, nothing),
              AllOf(HasSubstr("the dialect chat asks "), HasSubstr("--dialect completions")));
  EXPECT_THAT(error_of(Dialect::anthropic, 404, ""), HasSubstr("--dialect chat"));
  EXPECT_THAT(error_of(Dialect::completions, 404, R"({"error":{"message":"The model `the-model` does not exist."}})"),
              Not(HasSubstr("--dialect")));
  EXPECT_THAT(error_of(Dialect::completions, 422, nothing), Not(HasSubstr("--dialect")));
}

TEST(Misuse, IsNamed) {
  const auto message = [](auto change) -> std::string {
    Options options = quick_options({"http://127.0.0.1:1/v1"});
    change(options);
    try {
      const HttpLanguageModel model(options);
    } catch (const icpi::InvalidArgument& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message([](Options& o) { o.base_urls = {}; }), HasSubstr("base_urls"));
  EXPECT_THAT(message([](Options& o) { o.base_urls = {"ftp://x/v1"}; }), HasSubstr("ftp"));
  EXPECT_THAT(message([](Options& o) { o.base_urls = {"http://me:pass@x/v1"}; }),
              testing::AllOf(HasSubstr("credentials"), Not(HasSubstr("pass@"))));
  EXPECT_THAT(message([](Options& o) { o.base_urls = {"http://x/v1?api-key=abc"}; }), Not(HasSubstr("abc")));
  EXPECT_THAT(message([](Options& o) { o.concurrency = 0; }), HasSubstr("concurrency"));
  EXPECT_THAT(message([](Options& o) { o.model.clear(); }), HasSubstr("model"));
  EXPECT_THAT(message([](Options& o) { o.api_key_env = "sk-not-a-variable"; }),
              testing::AllOf(HasSubstr("api_key_env"), Not(HasSubstr("sk-not"))));
  setenv("ICPI_TEST_BAD_KEY", "a\r\nX-Evil: 1", 1);
  EXPECT_THAT(message([](Options& o) { o.api_key_env = "ICPI_TEST_BAD_KEY"; }), HasSubstr("control characters"));
  HttpLanguageModel model(quick_options({"http://127.0.0.1:1/v1"}));
  std::vector<icpi::CompletionRequest> requests(2, plain_request());
  std::vector<Completion> completions(1);
  EXPECT_THROW(model.complete(requests, completions), icpi::InvalidArgument);
}

TEST(Misuse, OfOneItemIsThatItemsError) {
  ScriptedServer server([](const HttpRequest& request) { return icpi_test::echo_reply(request); });
  HttpLanguageModel model(quick_options({server.url()}));
  const std::vector<std::string_view> choices{"a", "b"};
  const std::vector<std::string_view> empty_stop{""};
  std::vector<icpi::CompletionRequest> requests(8, plain_request());
  requests[1].sampling.temperature = -1;
  requests[2].sampling.top_p = 0;
  requests[3].sampling.max_tokens = 0;
  requests[4].query = "bad \xC3\x28";
  requests[5].choices = choices;
  requests[6].stop = empty_stop;
  std::vector<Completion> completions(8);
  model.complete(requests, completions);
  for (const std::size_t good : {0U, 7U}) EXPECT_FALSE(completions[good].error);
  for (std::size_t i = 1; i < 7; ++i) EXPECT_EQ(completions[i].error.category, ErrorCategory::invalid_request) << i;
  EXPECT_THAT(completions[4].error.message, HasSubstr("UTF-8 at byte 4"));
  EXPECT_EQ(server.requests(), 2);
}

}  // namespace
