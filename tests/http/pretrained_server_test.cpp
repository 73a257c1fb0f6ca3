// SPDX-License-Identifier: MIT
// llama-server with a small pretrained model: in every style of asking the answers have the form of the records, and
// where the style suits the model most of them are right. Skipped unless the environment names the model: see
// with-llama-server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "helpers.hpp"
#include "llama_server.hpp"

namespace {

using icpi::Completion;
using icpi::CompletionRequest;
using icpi::http::Dialect;
using icpi::http::HttpLanguageModel;
using icpi::http::Options;
using icpi_test::LlamaServer;

/// Walks on a line, twice each, so that a model can copy.
constexpr std::string_view records =
    "state 3\ngo left\nstate 2\n\nstate 5\ngo right\nstate 6\n\nstate 2\ngo right\nstate 3\n\nstate 7\ngo left\nstate "
    "6\n\n"
    "state 3\ngo left\nstate 2\n\nstate 5\ngo right\nstate 6\n\nstate 2\ngo right\nstate 3\n\nstate 7\ngo left\nstate "
    "6\n\n";

/// Where the examples of `records` begin, are answered and end.
std::vector<icpi::PromptExample> examples() {
  std::vector<icpi::PromptExample> all;
  for (std::size_t at = 0; at < records.size();) {
    const std::size_t end = records.find("\n\n", at) + 1;
    const std::size_t answer = records.rfind('\n', end - 2) + 1;
    all.push_back(
        {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(answer), static_cast<std::uint32_t>(end)});
    at = end + 1;
  }
  return all;
}

struct Step {
  std::string_view asked;
  std::string_view answer;
};
constexpr std::array steps{Step{"state 3\ngo left\n", "state 2"}, Step{"state 5\ngo right\n", "state 6"},
                           Step{"state 2\ngo right\n", "state 3"}, Step{"state 7\ngo left\n", "state 6"}};
constexpr std::array<std::string_view, 1> line_end{"\n"};
constexpr std::array<std::string_view, 4> states{"state 2", "state 3", "state 6", "state 9"};

class PretrainedServer : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const bool there = icpi_test::llama_server_is_there() && std::getenv("ICPI_LLAMA_PRETRAINED") != nullptr;
    if (there) server = std::make_unique<LlamaServer>(std::vector<std::string>{"-np", "2", "-c", "4096"});
  }
  static void TearDownTestSuite() { server.reset(); }
  void SetUp() override {
    if (!server) GTEST_SKIP() << "ICPI_LLAMA_RUN, ICPI_LLAMA_GGUF and ICPI_LLAMA_PRETRAINED are not set";
  }

  static Options options(Dialect dialect) {
    Options options;
    options.base_urls = {server->url()};
    options.dialect = dialect;
    return options;
  }
  /// Answers to all steps, one after the other, greedily.
  static std::vector<Completion> answers(HttpLanguageModel& model, std::span<const std::string_view> choices = {}) {
    const auto borders = examples();
    std::vector<Completion> all;
    for (const Step& step : steps) {
      CompletionRequest request;
      request.prefix = {1, records};
      request.query = step.asked;
      request.examples = borders;
      request.question = records.size();
      request.stop = line_end;
      request.sampling = {.temperature = 0, .top_p = 1, .max_tokens = 24};
      request.choices = choices;
      all.push_back(icpi_test::ask(model, request));
    }
    return all;
  }
  static std::size_t right(const std::vector<Completion>& all) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < steps.size(); ++i) count += all[i].text == steps[i].answer ? 1U : 0U;
    return count;
  }
  static void expect_whole(const std::vector<Completion>& all) {
    for (const Completion& answer : all) {
      EXPECT_FALSE(answer.error) << answer.error.message;
      EXPECT_THAT(answer.text, testing::Not(testing::HasSubstr("\n")));
      EXPECT_GT(answer.usage.prompt_tokens, 50U);
      EXPECT_GT(answer.usage.completion_tokens, 0U);
      EXPECT_LE(answer.usage.completion_tokens, 24U);
    }
    EXPECT_GT(all.back().usage.cached_tokens, 50U) << "the records are kept";
  }

  static std::unique_ptr<LlamaServer> server;
};
std::unique_ptr<LlamaServer> PretrainedServer::server;

TEST_F(PretrainedServer, ContinuesRecordsOnBothRoutesForCompletions) {
  for (const Dialect dialect : {Dialect::completions, Dialect::llama_native}) {
    HttpLanguageModel model(options(dialect));
    const auto all = answers(model);
    expect_whole(all);
    EXPECT_GE(right(all), 3U) << name(dialect) << ": " << all[0].text << ", " << all[1].text;
  }
}

TEST_F(PretrainedServer, ContinuesRecordsFromAListOfChoices) {
  for (const Dialect dialect : {Dialect::completions, Dialect::llama_native}) {
    icpi::http::ChoiceConstrainedHttpModel model(options(dialect));
    const auto all = answers(model, states);
    expect_whole(all);
    for (const Completion& answer : all) EXPECT_THAT(states, testing::Contains(answer.text));
    EXPECT_GE(right(all), 3U) << name(dialect);
  }
}

/// The styles of chat; what a model of this size makes of the system message is its own affair.
TEST_F(PretrainedServer, AnswersInEveryStyleOfChat) {
  for (const auto style : {icpi::http::ChatStyle::continuation, icpi::http::ChatStyle::turns}) {
    SCOPED_TRACE(name(style));
    Options chat = options(Dialect::chat);
    chat.chat_style = style;
    HttpLanguageModel model(chat);
    const auto all = answers(model);
    expect_whole(all);
    if (style == icpi::http::ChatStyle::turns) {
      EXPECT_GE(right(all), 2U) << all[0].text << ", " << all[1].text;
    }
    icpi::http::ChoiceConstrainedHttpModel choosing(chat);
    for (const Completion& answer : answers(choosing, states)) {
      EXPECT_FALSE(answer.error) << answer.error.message;
      EXPECT_THAT(states, testing::Contains(answer.text));
    }
  }
}

}  // namespace
