// SPDX-License-Identifier: MIT
// How well a model predicts a domain from random episodes.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "icpi/core/json.hpp"
#include "program/command_line.hpp"

#if defined(ICPI_WITH_HTTP)
#include <nlohmann/json.hpp>

#include "program/batch_server.hpp"
#endif

namespace icpi::program {
namespace {

using ::testing::HasSubstr;
using Words = std::vector<std::string>;

class Assess : public CommandLineTest {
 protected:
  CommandResult assess(const std::string& domain, const Words& more = {}) {
    Words words{"assess", "--domain", domain, "--json", path("numbers.json"), "--predict", "12"};
    words.insert(words.end(), more.begin(), more.end());
    return icpi(words);
  }
  [[nodiscard]] Json numbers() const { return Json::parse(read(path("numbers.json"))); }
  static std::uint64_t of(const Json& answers, const std::string& name) {
    return answers[name].integer<std::uint64_t>();
  }
};

TEST_F(Assess, ThePerfectModelIsAlwaysRight) {
  for (const std::string domain : {"chain", "distractor-chain", "mini-catch", "point-mass"}) {
    SCOPED_TRACE(domain);
    const CommandResult result = assess(domain, {"--model", "oracle"});
    ASSERT_EQ(result.code, 0) << result.error;
    const Json json = numbers();
    ASSERT_EQ(json["rows"].array().size(), 6U);
    std::uint64_t asked = 0;
    for (const Json& row : json["rows"].array()) {
      for (const std::string kind : {"termination", "reward", "observation"}) {
        EXPECT_EQ(of(row[kind], "right"), of(row[kind], "of")) << kind;
        asked += of(row[kind], "of");
      }
      EXPECT_LE(row["steps"].integer<std::uint64_t>(), 12U);
    }
    EXPECT_GT(asked, 100U);
    for (const std::string kind : {"termination", "reward", "observation", "action"})
      EXPECT_EQ(of(json["answers"][kind], "readable"), of(json["answers"][kind], "asked")) << kind;
    EXPECT_EQ(json["chancy_places"].integer<std::uint64_t>() > 0, domain == "distractor-chain");
    EXPECT_THAT(result.out, HasSubstr("1.000 ("));
  }
}

TEST_F(Assess, TheEmbeddedModelLearnsWithMoreEpisodesAndEqualSeedsAreEqual) {
  Words words{"--seeds", "0:4"};
  words.insert(words.end(), asking_much.begin(), asking_much.end());
  ASSERT_EQ(assess("chain", words).code, 0);
  const std::string first = read(path("numbers.json"));
  const Json json = Json::parse(first);
  const Json& last = json["rows"].array().back();
  EXPECT_EQ(last["episodes"].integer<int>(), 30);
  EXPECT_FALSE(last["seen"].boolean());
  std::uint64_t right = 0;
  std::uint64_t all = 0;
  for (const Json& row : json["rows"].array()) {
    if (row["episodes"].integer<int>() != 30) continue;
    right += of(row["observation"], "right");
    all += of(row["observation"], "of");
  }
  EXPECT_GT(10 * right, 9 * all);
  EXPECT_GT(json["decision"]["questions"].number(), 5);
  EXPECT_GT(of(json["decision"], "prompt_tokens"), 1000U);
  ASSERT_EQ(assess("chain", words).code, 0);
  EXPECT_EQ(read(path("numbers.json")), first);
  words[1] = "4:8";
  ASSERT_EQ(assess("chain", words).code, 0);
  EXPECT_NE(read(path("numbers.json")), first);
}

TEST_F(Assess, WholeTransitionsAreReadInParts) {
  const CommandResult result =
      assess("mini-catch", {"--model", "oracle", "--set", "transition_questions=whole", "--after", "20"});
  ASSERT_EQ(result.code, 0) << result.error;
  const Json json = numbers();
  EXPECT_EQ(json["answers"].find("reward"), nullptr);
  EXPECT_GT(of(json["answers"]["transition"], "asked"), 10U);
  for (const Json& row : json["rows"].array())
    for (const std::string kind : {"termination", "reward", "observation"})
      EXPECT_EQ(of(row[kind], "right"), of(row[kind], "of")) << kind;
}

TEST_F(Assess, AsksTheWantedKindsAloneAndJudgesEveryAnswer) {
  const CommandResult result = assess("chain", {"--kinds", "observation,action", "--after", "5"});
  ASSERT_EQ(result.code, 0) << result.error;
  const Json json = numbers();
  EXPECT_EQ(json["answers"].names(), (std::vector<std::string>{"observation", "action"}));
  std::uint64_t right = 0;
  std::uint64_t judged_right = 0;
  for (const Json& row : json["rows"].array()) {
    const std::string judged = row["observation"]["judged"].string();
    EXPECT_EQ(judged.size(), of(row["observation"], "of"));
    EXPECT_EQ(of(row["termination"], "of"), 0U);
    right += of(row["observation"], "right");
    judged_right += static_cast<std::uint64_t>(std::count(judged.begin(), judged.end(), 'r'));
  }
  EXPECT_EQ(judged_right, right);
  EXPECT_GT(right, 5U);
}

TEST_F(Assess, BudgetsAndRecordingsAreAsForOtherCommands) {
  const CommandResult result = assess("chain", {"--max-calls", "30", "--record", path("answers.jsonl")});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, HasSubstr("questions got no answer; the first: the budget of 30 calls"));
  EXPECT_THAT(result.out, HasSubstr("Model: 30 calls"));
  EXPECT_THAT(result.out, HasSubstr("Without an answer, and counted nowhere above: "));
  const Json json = numbers();
  std::uint64_t answered = 0;
  for (const std::string& kind : json["answers"].names()) {
    const std::uint64_t asked = of(json["answers"][kind], "asked");
    const std::uint64_t missing = of(json["answers"][kind], "unanswered");
    answered += asked - missing;
    EXPECT_LE(of(json["answers"][kind], "readable"), asked - missing);
    EXPECT_THAT(result.out, HasSubstr(kind + " " + std::to_string(missing) + " of " + std::to_string(asked)));
  }
  EXPECT_EQ(answered, 30U);
  EXPECT_EQ(json["decision"].find("prompt_tokens"), nullptr) << "not known, and not 0";
  EXPECT_THAT(result.out, HasSubstr("questions, of unknown size"));
  EXPECT_THAT(read(path("answers.jsonl")), HasSubstr("assert state =="));
}

TEST_F(Assess, ADryRunSaysWhatWouldBeAsked) {
  const CommandResult dry =
      icpi({"assess", "--domain", "chain", "--predict", "12", "--dry-run", "--model", "http", "--prompt-price", "1"});
  ASSERT_EQ(dry.code, 0) << dry.error;
  EXPECT_THAT(dry.out, HasSubstr(", cost "));
  ASSERT_EQ(assess("chain").code, 0);
  std::uint64_t asked = 0;
  const Json json = numbers();
  for (const std::string& kind : json["answers"].names()) asked += of(json["answers"][kind], "asked");
  EXPECT_THAT(dry.out, HasSubstr("chain: " + std::to_string(asked) + " questions"));
}

TEST_F(Assess, BadUsageIsNamed) {
  EXPECT_THAT(assess("chain", {"--agent", "tabular-q"}).error, HasSubstr("asks no model"));
  EXPECT_THAT(assess("chain", {"--kinds", "future"}).error, HasSubstr("--kinds 'future'"));
  EXPECT_THAT(assess("chain", {"--after", "0"}).error, HasSubstr("--after '0'"));
  EXPECT_THAT(icpi({"assess", "--domain", "chain", "--predict", "many"}).error, HasSubstr("--predict 'many'"));
  EXPECT_THAT(assess("nowhere").error, HasSubstr("unknown domain"));
  EXPECT_THAT(assess("chain", {"--describe-task"}).error, HasSubstr("chain says nothing of its task"));
  EXPECT_THAT(assess("chain", {"--batch", path("b"), "--record", path("r")}).error, HasSubstr("--batch"));
  EXPECT_FALSE(std::filesystem::exists(path("r")));
  EXPECT_EQ(icpi({"assess"}).code, 2);
}

TEST_F(Assess, TheTaskStandsBeforeEveryPrompt) {
  for (const std::string options : {"recommended", "paper"}) {
    std::filesystem::remove(path("answers.jsonl"));
    ASSERT_EQ(assess("chain", {"--task", "Say in which state the goal is.", "--options", options, "--after", "5",
                               "--record", path("answers.jsonl")})
                  .code,
              0);
    EXPECT_THAT(numbers()["agent"].string(), HasSubstr("-task"));
    const std::string lines = read(path("answers.jsonl"));
    std::size_t questions = 0;
    for (std::size_t at = lines.find("\"prefix\":\""); at != std::string::npos; at = lines.find("\"prefix\":\"", at)) {
      at += 10;
      EXPECT_TRUE(lines.substr(at).starts_with("Say in which state the goal is.\\n\\n") ||
                  lines.substr(at).starts_with("Say in which state the goal is.\\n\""))
          << lines.substr(at, 80);
      ++questions;
    }
    EXPECT_GT(questions, 20U);
  }
  EXPECT_THAT(assess("chain", {"--task", "one\n\ntwo"}).error, HasSubstr("the task"));
}

#if defined(ICPI_WITH_HTTP)
TEST_F(Assess, ABatchServiceAnswersTheSame) {
  ASSERT_EQ(assess("chain", {"--model", "oracle"}).code, 0);
  const std::string rows = read(path("numbers.json"));
  icpi_test::BatchServer server;
  server.finish();
  const Words words{"--model", "http",       "--base-url", server.url(), "--model-name",  "chain-oracle",
                    "--batch", path("name"), "--service",  "generic",    "--batch-pause", "0.01"};
  const CommandResult result = assess("chain", words);
  ASSERT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(server.complaints(), "");
  EXPECT_EQ(server.batches(), 1U);
  const auto part = [](const std::string& text) {
    return text.substr(text.find("\"rows\""), text.find("\"answers\"") - text.find("\"rows\""));
  };
  EXPECT_EQ(part(read(path("numbers.json"))), part(rows));
  ASSERT_EQ(assess("chain", words).code, 0);
  EXPECT_EQ(server.batches(), 1U);
}
#endif

}  // namespace
}  // namespace icpi::program
