// SPDX-License-Identifier: MIT
// The program against servers that behave as hosted chat services do.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "http/oracle_server.hpp"
#include "icpi/experiment/episode_record.hpp"
#include "program/command_line.hpp"

namespace icpi::program {
namespace {

using icpi_test::ChainOracle;
using icpi_test::HttpReply;
using icpi_test::HttpRequest;
using icpi_test::ScriptedServer;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Words = std::vector<std::string>;

/// An oracle of the chain whose answers pass through a function.
class HostedServer {
 public:
  using Change = std::function<HttpReply(const json& asked, const HttpRequest& request, HttpReply reply)>;
  explicit HostedServer(Change change)
      : change_(std::move(change)), server_([this](const HttpRequest& request) {
          HttpReply reply = oracle_(request);
          if (request.method == "GET") return reply;
          ++asked_;
          return change_(json::parse(request.body), request, std::move(reply));
        }) {}
  [[nodiscard]] int asked() const { return asked_; }
  [[nodiscard]] std::string url() const { return server_.url(); }

 private:
  ChainOracle oracle_;
  const Change change_;
  std::atomic<int> asked_{0};
  ScriptedServer server_;
};

HttpReply refusal(int status, const std::string& body) {
  HttpReply reply;
  reply.status = status;
  reply.body = body;
  return reply;
}

class Hosted : public CommandLineTest {
 protected:
  Hosted() {
    unsetenv("OPENAI_BASE_URL");
    unsetenv("OPENAI_API_KEY");
  }
  Words train(const HostedServer& server, const std::string& out, Words more = {}) const {
    Words words{"train",       "--domain",     "chain",  "--model", "http",   "--base-url",
                server.url(),  "--model-name", "hosted", "--seeds", "0:1",    "--set",
                "mode=stable", "--steps",      "60",     "--out",   path(out)};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  /// The records of a folder, without the name of the model.
  std::vector<EpisodeRecord> records(const std::string& out) const {
    std::vector<EpisodeRecord> found;
    std::istringstream lines(read(path(out + "/episodes.jsonl")));
    for (std::string line; std::getline(lines, line);) {
      found.push_back(parse_episode_record(line));
      found.back().model.clear();
    }
    return found;
  }
};

TEST_F(Hosted, WhatChatModelsPutAroundAnswersChangesNothing) {
  HostedServer plain([](const json&, const HttpRequest&, HttpReply reply) { return reply; });
  ASSERT_EQ(icpi(train(plain, "plain")).code, 0);
  std::atomic<int> number{0};
  HostedServer chatty([&](const json& asked, const HttpRequest&, HttpReply reply) {
    EXPECT_FALSE(asked.contains("stop"));
    json answer = json::parse(reply.body);
    json& message = answer["choices"][0]["message"];
    const auto text = message["content"].get<std::string>();
    switch (number++ % 5) {
      case 0: message["content"] = "<think>\nThe record breaks off.\n</think>\n\n" + text; break;
      case 1: message["content"] = "\n\n" + text + "\n"; break;
      case 2: message["content"] = "```\n" + text + "\n```\nThat is how it goes on."; break;
      case 3: message["reasoning_content"] = "hm"; break;
      default: message["content"] = {{{"type", "text"}, {"text", text}}}; break;
    }
    reply.body = answer.dump();
    return reply;
  });
  const CommandResult result = icpi(train(chatty, "chatty", {"--dialect", "chat"}));
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_GT(records("chatty").size(), 5U);
  EXPECT_TRUE(records("chatty") == records("plain"));
  EXPECT_THAT(result.out,
              AllOf(HasSubstr(" cleaned, "), Not(HasSubstr("Answers: 0 cleaned")), HasSubstr("with a thought")));
  const CommandResult shown = icpi({"show", "--domain", "chain", "--model", "http", "--base-url", chatty.url(),
                                    "--model-name", "hosted", "--dialect", "chat", "--episodes", "6"});
  EXPECT_THAT(shown.out, HasSubstr("  ~ The record breaks off.")) << shown.error;
}

TEST_F(Hosted, AnAnswerOfNoUseEndsTheRunAtOnceAndSaysWhy) {
  HostedServer server([](const json&, const HttpRequest&, HttpReply reply) {
    json answer = json::parse(reply.body);
    answer["choices"][0]["finish_reason"] = "length";
    answer["choices"][0]["message"] = {{"content", nullptr}, {"reasoning_content", "Let me look at the records."}};
    reply.body = answer.dump();
    return reply;
  });
  const CommandResult result = icpi(train(server, "out", {"--dialect", "chat", "--concurrency", "1"}));
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, HasSubstr("raise max_tokens"));
  EXPECT_LE(server.asked(), 2);
  const CommandResult shown = icpi({"show", "--domain", "chain", "--model", "http", "--base-url", server.url(),
                                    "--model-name", "hosted", "--dialect", "chat", "--episodes", "6"});
  EXPECT_EQ(shown.code, 1);
  EXPECT_THAT(shown.out, HasSubstr("Model: ")) << "what it cost is told all the same";
}

TEST_F(Hosted, AnswersThatCannotBeReadEndTheRunUnlessOneInsists) {
  HostedServer server([](const json&, const HttpRequest&, HttpReply reply) {
    json answer = json::parse(reply.body);
    answer["choices"][0]["text"] = "Sure! " + answer["choices"][0]["text"].get<std::string>();
    reply.body = answer.dump();
    return reply;
  });
  const CommandResult result = icpi(train(server, "out"));
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, AllOf(HasSubstr("could not be read, as 'Sure! "), HasSubstr("--keep-going"),
                                  HasSubstr("--chat-style turns"), HasSubstr("--instruction")));
  const int asked = server.asked();
  EXPECT_EQ(icpi(train(server, "all", {"--keep-going"})).code, 0);
  EXPECT_LT(asked, (server.asked() - asked) / 2);
}

TEST_F(Hosted, OptionsAboutMessagesNeedADialectThatHasSome) {
  HostedServer server([](const json&, const HttpRequest&, HttpReply reply) { return reply; });
  for (const Words& words : {Words{"--chat-style", "turns"}, Words{"--instruction", "Go on."}, Words{"--effort", "low"},
                             Words{"--thinking-tokens", "0"}}) {
    const CommandResult result = icpi(train(server, "out", words));
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.error, HasSubstr(words[0] + " needs a dialect with messages, as --dialect chat"));
  }
  EXPECT_EQ(server.asked(), 0);
}

TEST_F(Hosted, AnswersThatDoNotCountTheirTokensAreTold) {
  HostedServer server([](const json&, const HttpRequest&, HttpReply reply) {
    json answer = json::parse(reply.body);
    answer.erase("usage");
    reply.body = answer.dump();
    return reply;
  });
  const CommandResult result = icpi(train(server, "out"));
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_THAT(result.out, HasSubstr(" answers do not say how many tokens they took; they count as none."));
}

TEST_F(Hosted, RefusedFieldsAreLeftOutOrNamed) {
  HostedServer server([](const json& asked, const HttpRequest&, HttpReply reply) {
    const auto refuse = [](const std::string& field) {
      return refusal(400, json{{"error", {{"message", field + " is not supported"}, {"param", field}}}}.dump());
    };
    for (const char* field : {"max_tokens", "stop", "top_p", "presence_penalty", "seed"}) {
      if (asked.contains(field)) return refuse(field);
    }
    return asked.value("temperature", 1.0) == 1.0 ? reply : refuse("temperature");
  });
  const CommandResult refused = icpi(train(server, "refused", {"--dialect", "chat", "--jobs", "1"}));
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.error, HasSubstr("--omit temperature"));
  const CommandResult run = icpi(train(server, "run", {"--dialect", "chat", "--omit", "temperature"}));
  EXPECT_EQ(run.code, 0) << run.error;
  EXPECT_THAT(run.error,
              AllOf(HasSubstr("'max_tokens' is sent as 'max_completion_tokens'"), HasSubstr("'seed' is left out")));
  const int asked = server.asked();
  const CommandResult shaped = icpi(train(server, "shaped",
                                          {"--dialect", "chat", "--omit", "temperature", "--omit", "seed", "--rename",
                                           "max_tokens=max_completion_tokens"}));
  EXPECT_EQ(shaped.code, 0) << shaped.error;
  EXPECT_THAT(shaped.error, Not(HasSubstr("left out"))) << "nothing was refused";
  EXPECT_EQ(shaped.error.find("does not list"), shaped.error.rfind("does not list")) << "told once";
  EXPECT_LT(server.asked() - asked, asked);
  EXPECT_TRUE(records("shaped") == records("run"));
}

TEST_F(Hosted, HeadersQueryAndFieldsOfTheCommandLineAreSent) {
  setenv("ICPI_TEST_HOSTED_KEY", "hosted-key-0123456789", 1);
  std::mutex mutex;
  std::set<std::string> wrong;
  HostedServer server([&](const json& asked, const HttpRequest& request, HttpReply reply) {
    const std::lock_guard lock(mutex);
    if (request.path != "/v1/completions?api-version=2026-01-01") wrong.insert(request.path);
    for (const char* header : {"\r\napi-key: hosted-key-0123456789\r\n", "\r\nx-team: blue\r\n"}) {
      if (request.headers.find(header) == std::string::npos) wrong.insert(request.headers);
    }
    if (asked.value("tier", "") != "flex") wrong.insert(asked.dump());
    return reply;
  });
  const Words more{"--query",          "api-version=2026-01-01",
                   "--api-key-env",    "ICPI_TEST_HOSTED_KEY",
                   "--api-key-header", "api-key",
                   "--header",         "X-Team=blue",
                   "--extra",          R"({"tier":"flex"})"};
  const CommandResult result = icpi(train(server, "out", more));
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_TRUE(wrong.empty()) << *wrong.begin();
  const CommandResult secret = icpi(train(server, "secret", {"--header", "X-Api-Key=hosted-key-0123456789"}));
  EXPECT_EQ(secret.code, 2);
  EXPECT_THAT(secret.error, AllOf(HasSubstr("environment"), Not(HasSubstr("0123456789"))));
  EXPECT_EQ(icpi(train(server, "bad", {"--extra", "5"})).code, 2);
  EXPECT_THAT(icpi(train(server, "bad", {"--rename", "seed"})).error, HasSubstr("--rename"));
  unsetenv("ICPI_TEST_HOSTED_KEY");
}

TEST_F(Hosted, CertificatesAreNamedByAnOptionOrTheUsualVariables) {
  HostedServer server([](const json&, const HttpRequest&, HttpReply reply) { return reply; });
  const Words words{"models", "--model", "http", "--base-url", "https://127.0.0.1:1/v1", "--ca-file", path("none.pem")};
  EXPECT_THAT(icpi(words).error, HasSubstr("none.pem"));
  for (const char* variable : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    setenv(variable, path("other.pem").c_str(), 1);
    EXPECT_THAT(icpi({"models", "--model", "http", "--base-url", "https://127.0.0.1:1/v1"}).error,
                HasSubstr("other.pem"));
    unsetenv(variable);
  }
}

TEST_F(Hosted, AnOptionalCacheThatFailsIsDoneWithout) {
  HostedServer server([](const json&, const HttpRequest&, HttpReply reply) { return reply; });
  const Words cache{"--cache", path("nowhere/answers.db")};
  EXPECT_EQ(icpi(train(server, "strict", cache)).code, 1);
  Words optional = cache;
  optional.emplace_back("--cache-optional");
  const CommandResult result = icpi(train(server, "lenient", optional));
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_THAT(result.error, HasSubstr("going on without it"));
  EXPECT_EQ(icpi(train(server, "alone", {"--cache-optional"})).code, 2);
}

TEST_F(Hosted, AFullDiskUnderTheCacheIsOneErrorOrARunWithoutIt) {
  HostedServer server([](const json&, const HttpRequest&, HttpReply reply) { return reply; });
  const std::string full = "ulimit -f 1000";  // no file grows beyond 512 kB
  const Words cache{"--cache", path("answers.db")};
  const CommandResult strict = finish(start(train(server, "strict", cache), full));
  EXPECT_EQ(strict.code, 1);
  EXPECT_THAT(strict.error, AllOf(HasSubstr("answers.db"), HasSubstr("--resume")));
  EXPECT_EQ(std::count(strict.error.begin(), strict.error.end(), '\n'), 2) << "of the model's name, and this one";
  Words optional{"--cache", path("others.db"), "--cache-optional"};
  const CommandResult lenient = finish(start(train(server, "lenient", optional), full));
  EXPECT_EQ(lenient.code, 0) << lenient.error;
  EXPECT_THAT(lenient.error, HasSubstr("going on without it"));
  ASSERT_EQ(icpi(train(server, "plain")).code, 0);
  EXPECT_TRUE(records("lenient") == records("plain"));
}

}  // namespace
}  // namespace icpi::program
