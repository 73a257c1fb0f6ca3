// SPDX-License-Identifier: MIT
// Recorded questions, put to another model.
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "icpi/core/json.hpp"
#include "icpi/models/completion_record.hpp"
#include "program/command_line.hpp"

#if defined(ICPI_WITH_HTTP)
#include <nlohmann/json.hpp>

#include "http/service_server.hpp"
#include "program/batch_server.hpp"
#endif

namespace icpi::program {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Words = std::vector<std::string>;

class Ask : public CommandLineTest {
 protected:
  /// Records a run of a model in a domain: with the paper's options, which ask all four kinds of questions.
  std::string record(const std::string& domain, const std::string& model = "oracle", const Words& more = {}) {
    Words words{"train",
                "--domain",
                domain,
                "--model",
                model,
                "--options",
                "paper",
                "--seeds",
                "0:1",
                "--steps",
                "60",
                "--set",
                "warm_up_successes=-1000",
                "--record",
                path(domain + ".jsonl"),
                "--out",
                path("run-" + domain)};
    words.insert(words.end(), more.begin(), more.end());
    const CommandResult run = icpi(words);
    EXPECT_EQ(run.code, 0) << run.error;
    return path(domain + ".jsonl");
  }
  CommandResult ask(const std::string& domain, const std::string& recording, Words more) {
    Words words{"ask", "--recording", recording, "--domain", domain, "--json", path("counts.json")};
    words.insert(words.end(), more.begin(), more.end());
    return icpi(words);
  }
  std::uint64_t count(const std::string& kind, const std::string& name) const {
    const Json json = Json::parse(read(path("counts.json")));
    return json["kinds"][kind][name].integer<std::uint64_t>();
  }
};

TEST_F(Ask, ThePerfectModelAgreesWithItselfAndIsRightInEveryDomain) {
  for (const std::string domain : {"chain", "maze", "mini-catch"}) {
    const CommandResult result = ask(domain, record(domain), {"--model", "oracle"});
    ASSERT_EQ(result.code, 0) << result.error;
    for (const std::string kind : {"termination", "reward", "observation"}) {
      SCOPED_TRACE(domain + ", " + kind);
      ASSERT_GT(count(kind, "questions"), 10U);
      EXPECT_EQ(count(kind, "equal"), count(kind, "questions"));
      EXPECT_GT(count(kind, "known"), 0U);
      EXPECT_EQ(count(kind, "right"), count(kind, "known"));
      EXPECT_EQ(count(kind, "recorded_right"), count(kind, "known"));
      const Json counts = Json::parse(read(path("counts.json")));
      const std::string& judged = counts["kinds"][kind]["judged"].string();
      EXPECT_EQ(judged.size(), count(kind, "questions"));
      EXPECT_EQ(static_cast<std::uint64_t>(std::count(judged.begin(), judged.end(), 'r')), count(kind, "right"));
    }
    EXPECT_GT(count("action", "questions"), 10U);
    EXPECT_EQ(count("action", "valid"), count("action", "questions"));
    EXPECT_EQ(count("action", "known"), 0U);
    EXPECT_THAT(result.out, HasSubstr("observation"));
    EXPECT_THAT(result.out, HasSubstr("100.0 %"));
  }
}

TEST_F(Ask, WholeTransitionsAreAKindOfTheirOwn) {
  for (const std::string domain : {"chain", "mini-catch"}) {
    const std::string recording = record(domain, "oracle", {"--set", "transition_questions=whole"});
    ASSERT_EQ(ask(domain, recording, {"--model", "oracle"}).code, 0);
    SCOPED_TRACE(domain);
    ASSERT_GT(count("transition", "questions"), 10U);
    EXPECT_EQ(count("transition", "equal"), count("transition", "questions"));
    EXPECT_GT(count("transition", "known"), 0U);
    EXPECT_EQ(count("transition", "right"), count("transition", "known"));
    EXPECT_GT(count("action", "questions"), 10U);
    for (const std::string kind : {"termination", "reward", "observation"}) EXPECT_EQ(count(kind, "questions"), 0U);
    ASSERT_EQ(ask(domain, recording, {"--model", "induction"}).code, 0);
    EXPECT_GT(count("transition", "right"), count("transition", "known") / 2);
  }
}

TEST_F(Ask, AnotherModelIsComparedByKind) {
  const CommandResult result = ask("chain", record("chain"), {"--model", "induction", "--most", "200"});
  ASSERT_EQ(result.code, 0) << result.error;
  std::uint64_t questions = 0;
  for (const std::string kind : {"termination", "reward", "observation", "action"}) {
    questions += count(kind, "questions");
    EXPECT_LE(count(kind, "equal"), count(kind, "valid"));
    EXPECT_LE(count(kind, "right"), count(kind, "known"));
  }
  EXPECT_EQ(questions, 200U);
  EXPECT_GT(count("reward", "right"), count("reward", "known") / 2);
}

TEST_F(Ask, RecordingsOfAnotherDomainAreRefusedNamingBoth) {
  const std::string chain = record("chain");
  EXPECT_THAT(ask("maze", chain, {}).error,
              AllOf(HasSubstr("asks nothing about --domain maze"), HasSubstr("it is of --domain chain")));
  EXPECT_EQ(ask("maze", chain, {}).code, 2);
  const std::string catches = record("mini-catch", "oracle", {"--no-hints"});
  EXPECT_THAT(ask("chain", catches, {}).error, HasSubstr("--domain mini-catch"));
  EXPECT_EQ(ask("mini-catch", catches, {"--no-hints"}).code, 0);
}

TEST_F(Ask, WhatCannotBeUsedIsNamed) {
  const std::string recording = record("chain");
  EXPECT_THAT(ask("chain", folder_.string(), {}).error, HasSubstr("it is a folder"));
  EXPECT_EQ(ask("chain", path("none"), {}).code, 2);
  EXPECT_THAT(ask("chain", path("none"), {}).error, HasSubstr("cannot be read"));
  EXPECT_EQ(ask("nowhere", recording, {}).code, 2);
  EXPECT_THAT(ask("chain", recording, {"--most", "0"}).error, HasSubstr("--most"));
  EXPECT_THAT(icpi({"ask", "--recording", recording}).error, HasSubstr("--domain"));
  EXPECT_THAT(icpi({"ask", "--recording", recording, "--domain", "chain", "--json", path("no/folder.json")}).error,
              HasSubstr("--json"));
  std::ofstream(path("damaged.jsonl")) << read(recording).substr(0, 400) << "\n";
  EXPECT_THAT(ask("chain", path("damaged.jsonl"), {}).error, HasSubstr("line 1: the checksum does not fit"));
  std::ofstream(path("empty.jsonl")) << "";
  EXPECT_THAT(ask("chain", path("empty.jsonl"), {}).error, HasSubstr("holds no question"));
}

#if defined(ICPI_WITH_HTTP)
TEST_F(Ask, ServersAreAskedWithinABudgetAndWhatIsMissingIsTold) {
  const std::string recording = record("chain");
  const icpi_test::ServiceServer server("generic");
  const Words http{"--model", "http", "--base-url", server.url(), "--model-name", "chain-oracle"};
  ASSERT_EQ(ask("chain", recording, http).code, 0);
  EXPECT_EQ(count("reward", "right"), count("reward", "known"));
  Words limited = http;
  limited.insert(limited.end(), {"--max-calls", "50"});
  const CommandResult result = ask("chain", recording, limited);
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, HasSubstr("questions got no answer; the first: the budget of 50 calls"));
  std::uint64_t answered = 0;
  for (const std::string kind : {"termination", "reward", "observation", "action"})
    answered += count(kind, "questions") - count(kind, "unanswered");
  EXPECT_EQ(answered, 50U);
  std::istringstream all(result.out.substr(result.out.find("\nall ")));
  std::string word;
  std::uint64_t asked = 0;
  std::uint64_t told = 0;
  all >> word >> asked >> told;
  EXPECT_GT(asked, 50U);
  EXPECT_EQ(told, 50U) << result.out;
}

TEST_F(Ask, AnInterruptEndsItWithTheSignalsCodeAndSaysWhatWasSpent) {
  const std::string recording = record("chain");
  std::atomic<int> asked{0};
  const icpi_test::ServiceServer server("generic", [&](const nlohmann::json&, icpi_test::HttpReply& reply) {
    if (++asked > 3) reply.first_byte_delay = std::chrono::hours(1);
  });
  const Words http{"--model", "http", "--base-url", server.url(), "--model-name", "chain-oracle", "--concurrency", "1"};
  for (Words words : {Words{"ask", "--recording", recording, "--domain", "chain", "--most", "100"},
                      Words{"assess", "--domain", "chain", "--after", "5"}}) {
    words.insert(words.end(), http.begin(), http.end());
    asked = 0;
    const pid_t process = start(words);
    while (asked <= 3) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    kill(process, SIGINT);
    const CommandResult result = finish(process);
    EXPECT_EQ(result.code, 128 + SIGINT) << result.error;
    EXPECT_THAT(result.out, HasSubstr("Model: ")) << words[0];
    EXPECT_THAT(result.out, Not(HasSubstr(" 0 prompt tokens"))) << words[0];
  }
}

TEST_F(Ask, TurnsAreMadeOfTheExamplesThatWereRecorded) {
  const std::string recording = record("chain");
  setenv("LITELLM_API_KEY", "service-key-12345", 1);
  std::size_t replies = 0;
  const icpi_test::ServiceServer server("litellm", [&](const nlohmann::json& asked, icpi_test::HttpReply&) {
    for (const auto& message : asked.at("messages")) replies += message.at("role") == "assistant" ? 1U : 0U;
  });
  const Words turns{"--model",    "http",         "--service",    "litellm",      "--base-url",
                    server.url(), "--model-name", "chain-oracle", "--chat-style", "turns"};
  const CommandResult result = ask("chain", recording, turns);
  ASSERT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(server.refusals(), "");
  EXPECT_GT(replies, 1000U);
  for (const std::string kind : {"termination", "reward", "observation"})
    EXPECT_EQ(count(kind, "right"), count(kind, "known")) << kind;
  const std::array<std::string_view, 1> stop{"\n"};
  CompletionRequest earlier;  // versions that wrote no borders
  earlier.prefix.text = "assert state == 3 and state != 4\nstate = right()\nassert not done\n\n";
  earlier.query = "assert state == 2 and state != 4\nstate = right()\n";
  earlier.stop = stop;
  Completion answer;
  answer.text = "assert not done";
  answer.finish = FinishReason::stop;
  std::ofstream(path("earlier.jsonl")) << completion_record(earlier, answer) << "\n";
  EXPECT_THAT(ask("chain", path("earlier.jsonl"), turns).error, HasSubstr("record it anew"));
  EXPECT_EQ(ask("chain", path("earlier.jsonl"), {"--model", "oracle"}).code, 0);
  unsetenv("LITELLM_API_KEY");
}

class AskBatch : public Ask {
 protected:
  Words batch_words(const icpi_test::BatchServer& server, const Words& more = {}) const {
    Words words{"--model",     "http",   "--base-url", server.url(), "--model-name", "chain-oracle",  "--batch",
                path("batch"), "--most", "100",        "--service",  "generic",      "--batch-pause", "0.01"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

TEST_F(AskBatch, GoesOnAfterAnInterruptionAndAsksNothingTwice) {
  const std::string recording = record("chain");
  icpi_test::BatchServer server;
  Words words{"ask", "--recording", recording, "--domain", "chain", "--json", path("counts.json")};
  for (const std::string& each : batch_words(server)) words.push_back(each);
  const pid_t process = start(words);
  while (server.looks() < 2) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  kill(process, SIGINT);
  const CommandResult interrupted = finish(process);
  EXPECT_EQ(interrupted.code, 130);
  EXPECT_THAT(interrupted.error, HasSubstr("the batch goes on"));
  server.finish();
  for (int time = 0; time < 2; ++time) {
    const CommandResult result = ask("chain", recording, batch_words(server));
    ASSERT_EQ(result.code, 0) << result.error;
    EXPECT_EQ(server.complaints(), "");
    EXPECT_EQ(server.batches(), 1U);
    for (const std::string kind : {"termination", "reward", "observation"})
      EXPECT_EQ(count(kind, "equal"), count(kind, "questions")) << kind;
    EXPECT_THAT(result.out, HasSubstr("Model: 100 calls"));
  }
  const CommandResult other = ask("chain", recording, batch_words(server, {"--max-tokens", "7"}));
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.error, HasSubstr("one of other questions"));
}

TEST_F(AskBatch, WhatFailsOrIsMissingIsTold) {
  const std::string recording = record("chain");
  icpi_test::BatchServer expired;
  expired.finish("expired");
  const CommandResult half = ask("chain", recording, batch_words(expired));
  EXPECT_EQ(half.code, 1);
  EXPECT_THAT(half.error, HasSubstr("50 of 100 questions got no answer; the first: http: the batch ended without"));
  std::filesystem::remove(path("batch"));
  icpi_test::BatchServer lost;
  lost.finish("failed");
  EXPECT_THAT(ask("chain", recording, batch_words(lost)).error, HasSubstr("line 3 is no question"));
  EXPECT_FALSE(std::filesystem::exists(path("batch")));
  icpi_test::BatchServer untouched;
  EXPECT_THAT(ask("chain", recording, batch_words(untouched, {"--max-total-tokens", "5000"})).error,
              HasSubstr("has no room for a batch of 100 questions"));
  EXPECT_EQ(untouched.batches(), 0U);
  EXPECT_EQ(ask("chain", recording, {"--batch", path("batch")}).code, 2);
  EXPECT_THAT(ask("chain", recording, batch_words(untouched, {"--batch-pause", "-1"})).error,
              HasSubstr("--batch-pause"));
}
#endif

}  // namespace
}  // namespace icpi::program
