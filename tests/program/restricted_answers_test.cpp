// SPDX-License-Identifier: MIT
// restrict_answers with models behind servers.
#include <gmock/gmock.h>

#include <atomic>
#include <string>
#include <vector>

#include "http/oracle_server.hpp"
#include "program/command_line.hpp"

namespace icpi::program {
namespace {

using icpi_test::ChainOracle;
using icpi_test::HttpReply;
using icpi_test::HttpRequest;
using icpi_test::ScriptedServer;
using nlohmann::json;
using ::testing::HasSubstr;

class RestrictedAnswers : public CommandLineTest {
 protected:
  [[nodiscard]] std::vector<std::string> train(const ScriptedServer& server, std::vector<std::string> more) const {
    std::vector<std::string> words{"train",      "--domain",    "chain",        "--model",       "http",
                                   "--base-url", server.url(),  "--model-name", "oracle",        "--dialect",
                                   "chat",       "--seeds",     "0:1",          "--set",         "restrict_answers=on",
                                   "--set",      "mode=stable", "--set",        "temperature=0", "--steps",
                                   "30",         "--out",       path("out")};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

TEST_F(RestrictedAnswers, AreToldInTheFormThatIsAskedFor) {
  ChainOracle oracle;
  std::atomic<int> restricted{0};
  ScriptedServer server([&](const HttpRequest& request) {
    if (request.method != "GET" && json::parse(request.body).contains("response_format")) ++restricted;
    return oracle(request);
  });
  const CommandResult result = icpi(train(server, {"--choices", "json_schema"}));
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_GT(restricted, 10);
}

TEST_F(RestrictedAnswers, AreRefusedBeforeAnythingIsAsked) {
  ChainOracle oracle;
  std::atomic<int> asked{0};
  ScriptedServer server([&](const HttpRequest& request) {
    if (request.method != "GET") ++asked;
    return oracle(request);
  });
  const CommandResult result = icpi(train(server, {}));
  EXPECT_NE(result.code, 0);
  EXPECT_THAT(result.error, HasSubstr("restrict_answers"));
  EXPECT_THAT(result.error, HasSubstr("oracle"));
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(icpi(train(server, {"--choices", "jsonschema"})).code, 2);
  EXPECT_EQ(icpi(train(server, {"--chat-style", "turn"})).code, 2);
  EXPECT_EQ(icpi(train(server, {"--thinking-tokens", "0"})).code, 2) << "nothing is known that would switch it off";
}

TEST_F(RestrictedAnswers, ThatTheServiceIgnoresAreCounted) {
  ChainOracle oracle;
  ScriptedServer server([&](const HttpRequest& request) {
    HttpReply reply = oracle(request);
    if (request.method == "GET") return reply;
    json answer = json::parse(reply.body);
    std::string text = answer["choices"][0]["message"]["content"];
    if (text.find("reward") == std::string::npos) return reply;
    answer["choices"][0]["message"]["content"] = "assert reward == 77";
    reply.body = answer.dump();
    return reply;
  });
  const CommandResult result = icpi(train(server, {"--choices", "json_schema", "--keep-going"}));
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_THAT(result.out, HasSubstr("none of those that were given"));
}

}  // namespace
}  // namespace icpi::program
