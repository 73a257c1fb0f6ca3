// SPDX-License-Identifier: MIT
// Budgets of the program with servers that fail after they were paid, write beyond their limits and count as they like.
#include <gmock/gmock.h>

#include <fmt/format.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "http/service_server.hpp"
#include "icpi/core/random.hpp"
#include "program/command_line.hpp"

namespace icpi::program {
namespace {

using icpi_test::HttpReply;
using icpi_test::ServiceServer;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Words = std::vector<std::string>;

constexpr std::uint64_t limit = 40'000;

class Budgets : public CommandLineTest {
 protected:
  Words train(const ServiceServer& server, const std::string& out, const Words& more,
              const std::string& steps = "400") const {
    Words words{"train",     "--domain", "chain",       "--model",    "http",
                "--service", "generic",  "--base-url",  server.url(), "--model-name",
                "priced",    "--set",    "mode=stable", "--set",      "warm_up_successes=-1000",
                "--seeds",   "0:1",      "--steps",     steps,        "--out",
                path(out)};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  std::string prices(const std::string& text) const {
    std::ofstream(path("prices.json")) << text;
    return path("prices.json");
  }
};

/// How a server passes a budget, or tries to.
struct Manner {
  const char* name;
  int broken_off;    ///< percent of answers that break off after they were paid
  int beyond_limit;  ///< percent that are twice as long as they may be
  int dear;          ///< percent whose prompts count three times
};

class BudgetsOfManners : public Budgets, public testing::WithParamInterface<Manner> {};

TEST_P(BudgetsOfManners, ArePassedByNothingButWhatIsReported) {
  const Manner manner = GetParam();
  std::uint64_t spent = 0;
  std::uint64_t excused = 0;
  RandomStream random{RandomKey(11)};
  const auto chance = [&](int percent) { return random.index(100) < static_cast<std::size_t>(percent); };
  const ServiceServer server("generic", [&](const json& asked, HttpReply& reply) {
    json answer = json::parse(reply.body);
    json& usage = answer["usage"];
    auto prompt = usage["prompt_tokens"].get<std::uint64_t>();
    auto written = usage["completion_tokens"].get<std::uint64_t>();
    const auto most = asked["max_tokens"].get<std::uint64_t>();
    if (chance(manner.dear)) prompt *= 3;
    if (chance(manner.beyond_limit)) written = 2 * most;
    if (chance(manner.broken_off)) answer["choices"][0]["finish_reason"] = "error";
    usage = {{"prompt_tokens", prompt}, {"completion_tokens", written}};
    spent += prompt + written;
    if (written > most) excused += written - most;
    reply.body = answer.dump();
  });
  // What is on its way when a run ends is nobody's to report: one at a time where a server passes its limits.
  const std::string at_once = manner.beyond_limit + manner.dear > 0 ? "1" : "8";
  const Words more{"--max-total-tokens", std::to_string(limit), "--concurrency", at_once};
  const CommandResult result = icpi(train(server, "out", more));
  EXPECT_EQ(result.code, 1) << result.out;
  EXPECT_THAT(result.error, HasSubstr("budget_exhausted"));
  std::uint64_t written = 0;
  std::uint64_t counted = 0;
  if (const std::size_t told = result.error.find("Budget: "); told != std::string::npos) {
    const std::string line = result.error.substr(told);
    std::sscanf(line.c_str(), "Budget: servers wrote %" SCNu64 " tokens beyond the limits sent, and counted %" SCNu64,
                &written, &counted);
  }
  EXPECT_LE(spent, limit + written + counted) << result.error;
  EXPECT_EQ(written, excused);
  EXPECT_EQ(counted > 0, manner.dear > 0);
  EXPECT_GT(spent, limit / 2) << "it was not spent";
}

INSTANTIATE_TEST_SUITE_P(Servers, BudgetsOfManners,
                         testing::Values(Manner{"Fail", 4, 0, 0}, Manner{"Think", 0, 5, 0}, Manner{"Count", 0, 0, 5},
                                         Manner{"DoAll", 4, 5, 5}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(Budgets, PricesComeFromAFileAndCountCachedAndWrittenTokensApart) {
  const ServiceServer server("generic", [](const json&, HttpReply& reply) {
    json answer = json::parse(reply.body);
    answer["usage"] = {{"prompt_tokens", 100},
                       {"completion_tokens", 10},
                       {"prompt_tokens_details", {{"cached_tokens", 50}, {"cache_write_tokens", 30}}}};
    reply.body = answer.dump();
  });
  const std::string file =
      prices(R"({"models":{"priced":{"prompt":1000,"cached":100,"cache_write":2000,"completion":4000},"other":{}}})");
  Words words = train(server, "out", {"--prices", file, "--max-calls", "10"});
  EXPECT_THAT(icpi(words).error, HasSubstr("10 calls"));
  // 20 x 1000 + 50 x 100 + 30 x 2000 + 10 x 4000 a million: .125 a question.
  const CommandResult stopped = icpi(train(server, "money", {"--prices", file, "--max-cost", "20"}));
  EXPECT_EQ(stopped.code, 1);
  EXPECT_THAT(stopped.error, HasSubstr("budget of 20 of money"));
  const CommandResult whole = icpi(train(server, "whole", {"--prices", file, "--keep-going"}, "30"));
  EXPECT_EQ(whole.code, 0) << whole.error;
  const std::size_t last = whole.out.find("Model: ");
  ASSERT_NE(last, std::string::npos);
  const auto calls = std::strtoull(whole.out.c_str() + last + 7, nullptr, 10);
  EXPECT_GT(calls, 10U);
  EXPECT_THAT(whole.out, HasSubstr(fmt::format("{} written into caches, cost {:.6g}.", 30 * calls,
                                               0.125 * static_cast<double>(calls))));
}

TEST_F(Budgets, FilesOfPricesThatCannotBeUsedAreNamed) {
  const auto error = [&](const std::string& text, const std::string& model) {
    return icpi({"train", "--domain", "chain", "--model", "http", "--model-name", model, "--prices", prices(text),
                 "--out", path("out"), "--base-url", "http://127.0.0.1:1/v1"})
        .error;
  };
  EXPECT_THAT(error(R"({"models":{"a":{"prompt":1,"completion":2}}})", "b"), HasSubstr("no prices of 'b'; known: a"));
  EXPECT_THAT(error(R"({"models":{"a":{"prompt":1}}})", "a"), HasSubstr("completion"));
  EXPECT_THAT(error(R"({"models":{"a":{"prompt":1,"completion":-2}}})", "a"),
              HasSubstr("'a': 'completion' is negative"));
  EXPECT_THAT(error(R"({"models":{"a":{"prompt":1,"completion":2,"output":3}}})", "a"), HasSubstr("'output'"));
  EXPECT_THAT(error("prompt: 1", "a"), HasSubstr("prices.json"));
  EXPECT_THAT(icpi({"train", "--domain", "chain", "--prices", path("none"), "--out", path("out")}).error,
              AllOf(HasSubstr("--prices"), HasSubstr("cannot read")));
}

TEST_F(Budgets, OnlyModelsThatTheFileNamesCost) {
  const std::string file = prices(R"({"models":{"priced":{"prompt":1000,"completion":4000}}})");
  const CommandResult embedded = icpi({"train", "--domain", "chain", "--prices", file, "--seeds", "0:1", "--steps",
                                       "60", "--options", "paper", "--out", path("embedded")});
  EXPECT_EQ(embedded.code, 0) << embedded.error;
  EXPECT_THAT(embedded.error, HasSubstr("has none of 'induction'"));
  EXPECT_THAT(embedded.out, Not(HasSubstr("cost")));
  EXPECT_THAT(icpi({"train", "--domain", "chain", "--prices", file, "--max-cost", "1", "--out", path("none")}).error,
              HasSubstr("--max-cost needs --prices"));
  EXPECT_THAT(icpi({"train", "--domain", "chain", "--model", "http", "--prices", file, "--base-url",
                    "http://127.0.0.1:1/v1", "--out", path("none")})
                  .error,
              HasSubstr("--model-name says whose prices they are; known: priced"));

  // Of several models, each has its own price.
  const Words compared{"reproduce",
                       "--domains",
                       "chain",
                       "--agents",
                       "icpi",
                       "--seeds",
                       "0:1",
                       "--steps",
                       "60",
                       "--model",
                       "induction,http",
                       "--base-url",
                       "http://127.0.0.1:1/v1",
                       "--model-name",
                       "priced",
                       "--prices",
                       file,
                       "--dry-run"};
  const CommandResult both = icpi(compared);
  EXPECT_EQ(both.code, 0) << both.error;
  std::istringstream table(both.out);
  std::string line;
  std::vector<double> costs;
  while (std::getline(table, line))
    if (line.starts_with("chain ") || line.starts_with("total"))
      costs.push_back(std::stod(line.substr(line.rfind(' '))));
  ASSERT_EQ(costs.size(), 3U) << both.out;
  EXPECT_EQ(costs[0], 0);
  EXPECT_GT(costs[1], 0);
  EXPECT_EQ(costs[2], costs[1]);
}

}  // namespace
}  // namespace icpi::program
