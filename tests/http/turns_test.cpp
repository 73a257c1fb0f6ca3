// SPDX-License-Identifier: MIT
// Prompts as messages: an exchange for every example.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "borders.hpp"
#include "helpers.hpp"
#include "http/conversation.hpp"

namespace {

using icpi::CompletionRequest;
using icpi::ErrorCategory;
using icpi::PromptExample;
using icpi::http::ChatStyle;
using icpi::http::Dialect;
using icpi::http::HttpLanguageModel;
using icpi::http::Options;
using icpi_test::ask;
using icpi_test::BorderedPrompt;
using icpi_test::plain_request;
using icpi_test::quick_options;
using icpi_test::Recorder;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

const std::string turn_answer =
    R"({"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"then 9"}}]})";
const std::string response_answer =
    R"({"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"then 9"}]}]})";
const std::string anthropic_answer = R"({"content":[{"type":"text","text":"then 9"}],"stop_reason":"end_turn"})";

Options turns(const Recorder& recorder, Dialect dialect = Dialect::chat) {
  Options options = quick_options({recorder.server.url()});
  options.dialect = dialect;
  options.chat_style = ChatStyle::turns;
  return options;
}

json message(const char* role, const std::string& content) { return {{"role", role}, {"content", content}}; }

TEST(Turns, AreAUserMessageAndAReplyForEveryExample) {
  Recorder recorder(turn_answer);
  HttpLanguageModel model(turns(recorder));
  BorderedPrompt prompt;
  prompt.add("state 1\ngo\n", "then 2\n");
  prompt.add("state 2\ngo\n", "then 3\n");
  EXPECT_EQ(ask(model, prompt.request("state 8\ngo\n")).text, "then 9");
  EXPECT_EQ(recorder.sent.at("messages"),
            json::array({message("system", std::string(icpi::http::default_instruction)),
                         message("user", "state 1\ngo"), message("assistant", "then 2"), message("user", "state 2\ngo"),
                         message("assistant", "then 3"), message("user", "state 8\ngo")}));
}

TEST(Turns, GiveWhatLiesBetweenExamplesToTheNextQuestion) {
  Recorder recorder(turn_answer);
  HttpLanguageModel model(turns(recorder));
  const std::string prefix = "\nstart\nstate 1\nleft\nreward 0\nstate 2\nright\nreward 1\n";
  const auto at = [&](const char* text) { return static_cast<std::uint32_t>(prefix.find(text)); };
  const std::vector<PromptExample> examples{{at("start"), at("left"), at("reward 0")},
                                            {at("reward 0"), at("right"), at("reward 1")}};
  CompletionRequest request = plain_request("\nstart\nstate 7\n");
  request.prefix = {0, prefix};
  request.examples = examples;
  request.question = prefix.size() + 1;
  static_cast<void>(ask(model, request));
  const json& messages = recorder.sent.at("messages");
  ASSERT_EQ(messages.size(), 6U);
  EXPECT_EQ(messages[1], message("user", "start\nstate 1"));
  EXPECT_EQ(messages[2], message("assistant", "left"));
  EXPECT_EQ(messages[3], message("user", "reward 0\nstate 2"));
  EXPECT_EQ(messages[5], message("user", "reward 1\n\nstart\nstate 7"));
}

TEST(Turns, AreOneMessageWhereNoBordersAreGiven) {
  Recorder recorder(turn_answer);
  Options options = turns(recorder);
  options.instruction.clear();
  HttpLanguageModel model(options);
  static_cast<void>(ask(model, plain_request("a\nb\n\nc\nd\n")));
  EXPECT_EQ(recorder.sent.at("messages"), json::array({message("user", "a\nb\n\nc\nd")}));
}

TEST(Turns, OfALongerAppendOnlyPromptBeginWithTheShorterOnes) {
  for (const Dialect dialect : {Dialect::chat, Dialect::responses}) {
    Recorder recorder(dialect == Dialect::chat ? turn_answer : response_answer);
    HttpLanguageModel model(turns(recorder, dialect));
    BorderedPrompt prompt;
    std::string before;
    for (int round = 0; round < 40; ++round) {
      prompt.add_numbered(1 + round % 3);
      ASSERT_FALSE(ask(model, prompt.request("state 8\ngo\n", 5)).error);
      json list = recorder.sent.at(dialect == Dialect::chat ? "messages" : "input");
      ASSERT_EQ(list.back(), message("user", "state 8\ngo"));
      list.erase(list.size() - 1);
      std::string text = list.dump();
      text.pop_back();  // the bracket
      EXPECT_THAT(text, testing::StartsWith(before));
      EXPECT_GT(text.size(), before.size());
      before = text;
    }
  }
}

TEST(Turns, TellWithTheInstructionThatUsersGive) {
  Recorder recorder(turn_answer);
  Options options = turns(recorder);
  const std::string usual = HttpLanguageModel(options).identity();
  EXPECT_THAT(usual, HasSubstr(" in turns"));
  options.instruction = "Go on.";
  HttpLanguageModel model(options);
  static_cast<void>(ask(model, plain_request("a\n")));
  EXPECT_EQ(recorder.sent.at("messages")[0], message("system", "Go on."));
  EXPECT_NE(model.identity(), usual);
}

TEST(Turns, RefuseBordersThatCannotBeThePrompts) {
  Recorder recorder(turn_answer);
  HttpLanguageModel model(turns(recorder));
  const auto problem = [&](std::vector<PromptExample> examples, std::size_t question, const char* prompt) {
    CompletionRequest request = plain_request(prompt);
    request.examples = examples;
    request.question = question;
    const auto error = ask(model, request).error;
    EXPECT_EQ(error.category, ErrorCategory::invalid_request);
    return error.message;
  };
  EXPECT_THAT(problem({{2, 1, 3}}, 3, "abcdef"), HasSubstr("not in order"));
  EXPECT_THAT(problem({{0, 1, 99}}, 3, "abcdef"), HasSubstr("not in order"));
  EXPECT_THAT(problem({{0, 1, 2}, {1, 3, 4}}, 5, "abcdef"), HasSubstr("not in order"));
  EXPECT_THAT(problem({{0, 1, 4}}, 3, "abcdef"), HasSubstr("does not follow"));
  EXPECT_THAT(problem({}, 99, "abcdef"), HasSubstr("does not follow"));
}

TEST(Turns, NeverCutACharacter) {
  Recorder recorder(turn_answer);
  HttpLanguageModel model(turns(recorder));
  const std::vector<PromptExample> examples{{0, 2, 3}};
  CompletionRequest request = plain_request("a\xC3\xA9xyz");
  request.examples = examples;
  request.question = 3;
  EXPECT_THAT(ask(model, request).error.message, HasSubstr("cuts a character"));
  const std::vector<PromptExample> all{{0, 1, 6}};
  request.examples = all;
  request.question = 6;
  EXPECT_THAT(ask(model, request).error.message, HasSubstr("nothing is asked"));
  EXPECT_EQ(recorder.server.requests(), 0);
}

TEST(KeptPlaces, StayWhileThePromptGrows) {
  const auto kept_places = [](std::size_t examples) {
    std::vector<std::size_t> places;
    for (std::size_t count = 0; count <= examples; ++count) {
      if (icpi::http::is_kept_place(count, examples)) places.push_back(count);
    }
    return places;
  };
  EXPECT_THAT(kept_places(0), testing::IsEmpty());
  EXPECT_THAT(kept_places(3), testing::ElementsAre(3));
  EXPECT_THAT(kept_places(40), testing::ElementsAre(32, 40));
  EXPECT_THAT(kept_places(64), testing::ElementsAre(64));
  EXPECT_THAT(kept_places(150), testing::ElementsAre(128, 144, 150));
}

}  // namespace
