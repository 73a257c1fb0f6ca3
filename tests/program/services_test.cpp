// SPDX-License-Identifier: MIT
// Every known service against a server that refuses what the real one refuses, with an oracle of the chain behind it.
#include <gmock/gmock.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "http/service_server.hpp"
#include "icpi/core/error.hpp"
#include "icpi/experiment/episode_record.hpp"
#include "icpi/http/service.hpp"
#include "program/command_line.hpp"
#include "support/printed_service.hpp"

namespace icpi::program {
namespace {

using icpi_test::ServiceServer;
using nlohmann::json;
using ::testing::HasSubstr;

class KnownServices : public CommandLineTest, public testing::WithParamInterface<http::Service> {
 protected:
  KnownServices() {
    unsetenv("OPENAI_BASE_URL");
    unsetenv("OPENAI_API_KEY");
    const std::string variable(GetParam().key_variable);
    if (!variable.empty()) setenv(variable.c_str(), "service-key-12345", 1);
  }
  ~KnownServices() override {
    const std::string variable(GetParam().key_variable);
    if (!variable.empty()) unsetenv(variable.c_str());
  }
  /// The words of a run that learns from this server.
  [[nodiscard]] std::vector<std::string> train(const ServiceServer& server) const {
    return {"train",
            "--domain",
            "chain",
            "--model",
            "http",
            "--service",
            std::string(GetParam().name),
            "--base-url",
            server.url(),
            "--model-name",
            "chain-oracle",
            "--seeds",
            "0:1",
            "--set",
            "mode=stable",
            "--set",
            "temperature=0",
            "--steps",
            "60",
            "--out",
            path("out")};
  }
  void expect_learned(const std::string& folder = "out") const {
    std::vector<double> regrets;
    std::istringstream lines(read(path(folder + "/episodes.jsonl")));
    for (std::string line; std::getline(lines, line);) regrets.push_back(parse_episode_record(line).regret);
    ASSERT_GT(regrets.size(), 8U);
    const auto late = std::count_if(regrets.end() - 4, regrets.end(), [](double regret) { return regret < 0.01; });
    EXPECT_GE(late, 3) << "it learned";
  }
};

TEST_P(KnownServices, GetNothingThatTheyRefuseAndAreBookedToTheToken) {
  ServiceServer server{std::string(GetParam().name)};
  const CommandResult result = icpi(train(server));
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(server.refusals(), "");
  const icpi::Usage usage = server.usage();
  EXPECT_THAT(result.out, HasSubstr(fmt::format(" {} prompt tokens ({} of them cached), {} completion tokens",
                                                usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens)));
  expect_learned();
}

TEST_P(KnownServices, LearnFromTurnsToo) {
  if (GetParam().dialect == http::Dialect::completions) GTEST_SKIP() << "it is asked to complete texts";
  ServiceServer server{std::string(GetParam().name)};
  std::vector<std::string> words = train(server);
  words.insert(words.end(), {"--chat-style", "turns", "--instruction", "Go on."});
  const CommandResult result = icpi(words);
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(server.refusals(), "");
  EXPECT_THAT(result.out, HasSubstr(" " + std::to_string(server.usage().prompt_tokens) + " prompt tokens"));
  expect_learned();
}

TEST_P(KnownServices, LearnFromWholeTransitions) {
  const bool chats = GetParam().dialect != http::Dialect::completions;
  for (const std::string style : {"continuation", "turns"}) {
    if (style == "turns" && !chats) continue;
    SCOPED_TRACE(style);
    ServiceServer server{std::string(GetParam().name)};
    std::vector<std::string> words = train(server);
    words.back() = path("out-" + style);
    words.insert(words.end(), {"--set", "transition_questions=whole"});
    if (chats) words.insert(words.end(), {"--chat-style", style});
    const CommandResult result = icpi(words);
    EXPECT_EQ(result.code, 0) << result.error;
    EXPECT_EQ(server.refusals(), "");
    EXPECT_THAT(result.out, HasSubstr(" " + std::to_string(server.usage().prompt_tokens) + " prompt tokens"));
    expect_learned("out-" + style);
  }
}

TEST_P(KnownServices, WouldRefuseAnotherField) {
  ServiceServer server{std::string(GetParam().name)};
  std::vector<std::string> words = train(server);
  json extra = GetParam().extra.empty() ? json::object() : json::parse(GetParam().extra);
  extra["planted"] = 1;
  words.insert(words.end(), {"--extra", extra.dump()});
  const CommandResult result = icpi(words);
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(server.refusals(), HasSubstr("planted"));
  EXPECT_THAT(result.error, HasSubstr("unknown field planted")) << "the service's own words";
}

INSTANTIATE_TEST_SUITE_P(All, KnownServices, testing::ValuesIn(http::services()), [](const auto& test) {
  std::string name(test.param.name);
  std::erase(name, '-');
  return name;
});

TEST(Services, AreFoundByName) {
  EXPECT_EQ(http::find_service("mistral").key_variable, "MISTRAL_API_KEY");
  try {
    static_cast<void>(http::find_service("misral"));
    ADD_FAILURE() << "there is no such service";
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(), HasSubstr("openai, openai-reasoning, anthropic"));
  }
}

class ServiceOption : public CommandLineTest {};

TEST_F(ServiceOption, WantsTheServicesOwnKey) {
  unsetenv("MISTRAL_API_KEY");
  setenv("OPENAI_API_KEY", "key-of-another-service", 1);
  const CommandResult result = icpi({"models", "--model", "http", "--service", "mistral", "--model-name", "m"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.error, HasSubstr("MISTRAL_API_KEY"));
  EXPECT_EQ(icpi({"models", "--model", "http", "--service", "nobody"}).code, 2);
  unsetenv("OPENAI_API_KEY");
}

TEST_F(ServiceOption, SetsAsideRoomForThoughts) {
  ServiceServer server("openai-reasoning");
  setenv("OPENAI_API_KEY", "service-key-12345", 1);
  std::vector<std::string> words{
      "train",      "--domain",           "chain",        "--model", "http",    "--service", "openai-reasoning",
      "--base-url", server.url(),         "--model-name", "m",       "--seeds", "0:1",       "--steps",
      "40",         "--max-total-tokens", "50000",        "--out"};
  std::vector<std::string> thinking = words;
  words.push_back(path("without"));
  thinking.insert(thinking.end(), {path("with"), "--thinking-tokens", "60000"});
  static_cast<void>(icpi(words));
  EXPECT_GT(server.usage().prompt_tokens, 0U);
  const std::uint64_t asked = server.usage().prompt_tokens;
  const CommandResult result = icpi(thinking);
  EXPECT_EQ(server.usage().prompt_tokens, asked) << "a thought may take more than there is";
  EXPECT_THAT(result.out + result.error, HasSubstr("50000"));
  unsetenv("OPENAI_API_KEY");
}

}  // namespace
}  // namespace icpi::program
