// SPDX-License-Identifier: MIT
// What chat models put around an answer, and what is left of it.
#include "http/chat_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "helpers.hpp"

namespace {

using icpi::Completion;
using icpi::ErrorCategory;
using icpi::FinishReason;
using icpi::http::Cleaning;
using icpi::http::Dialect;
using icpi::http::HttpLanguageModel;
using icpi::http::Options;
using icpi_test::ask;
using icpi_test::HttpReply;
using icpi_test::HttpRequest;
using icpi_test::plain_request;
using icpi_test::quick_options;
using icpi_test::ScriptedServer;
using nlohmann::json;
using testing::HasSubstr;

constexpr std::string_view newline = "\n";
constexpr std::string_view prompt = "state = left()\nassert state == 2\nstate = right()\n";

icpi::CompletionRequest line_request(std::string_view query = prompt) {
  icpi::CompletionRequest request = plain_request(query);
  request.stop = {&newline, 1};
  return request;
}

struct Case {
  const char* written;
  const char* kept;
};

TEST(CleanAnswer, LeavesTheContinuationOfAPromptThatEndsWithALine) {
  for (const Case& each : {
           Case{"assert state == 3", "assert state == 3"},
           {"\n\nassert state == 3", "assert state == 3"},
           {" \r\n  assert state == 3\r\n", "assert state == 3"},
           {"```\nassert state == 3\n```", "assert state == 3"},
           {"\n```python\nassert state == 3\n```\nThe state grows.", "assert state == 3"},
           {"```assert state == 3```", "assert state == 3"},
           {"``` \nassert state == 3", "assert state == 3"},
           {"state = right()\nassert state == 3", "assert state == 3"},
           {"assert state == 2\nstate = right()\nassert state == 3", "assert state == 3"},
           {"```\nstate = right()\nassert state == 3\n```", "assert state == 3"},
           {"assert state == 3\n\nBecause it moved.", "assert state == 3"},
           {"assert state == 3  ", "assert state == 3"},
           {"", ""},
           {"``", "``"},
       }) {
    Cleaning cleaning;
    EXPECT_EQ(clean_answer(each.written, line_request(), cleaning), each.kept) << each.written;
    const bool stops_alone =
        std::string_view(each.written) == each.kept || std::string_view(each.written).ends_with("  ");
    EXPECT_EQ(cleaning.any(), !stops_alone) << each.written;
  }
}

// The records before the question end as the answer does, and the model goes on with the same question once more.
TEST(CleanAnswer, OfARecordThatIsRepeatedIsKept) {
  constexpr std::string_view question = "state = left()\n";
  const std::string record = std::string(question) + "assert not done\n\n";
  const std::string before = record + record + record;
  const std::array examples{icpi::PromptExample{0, 15, 31}, icpi::PromptExample{32, 47, 63},
                            icpi::PromptExample{64, 79, 95}};
  icpi::CompletionRequest request = line_request(question);
  request.prefix.text = before;
  request.examples = examples;
  request.question = before.size();
  for (const std::string& repeated : {std::string(), std::string(question), record + std::string(question),
                                      before + std::string(question), "\n" + before + std::string(question)}) {
    for (const std::string& more : {std::string(), "\n\n" + std::string(question) + "assert done\n"}) {
      Cleaning cleaning;
      EXPECT_EQ(clean_answer(repeated + "assert not done" + more, request, cleaning), "assert not done")
          << repeated << "|" << more;
      EXPECT_EQ(cleaning.repetition, !repeated.empty());
    }
  }
}

/// A question with examples whose answers begin with "assert".
struct WithExamples {
  explicit WithExamples(std::string_view query = prompt) : request(line_request(query)) {
    request.prefix.text = "state = left()\nassert state == 2\n\n";
    request.examples = examples;
    request.question = request.prefix.text.size();
  }
  WithExamples(const WithExamples&) = delete;
  WithExamples& operator=(const WithExamples&) = delete;

  std::array<icpi::PromptExample, 1> examples{icpi::PromptExample{0, 15, 33}};
  icpi::CompletionRequest request;
};

TEST(CleanAnswer, IsFoundInQuotesAndInAFenceAmongWordsWhereThereIsNoDoubt) {
  const WithExamples with;
  for (const char* written : {"Here you go:\n```\nassert state == 3\n```\nHope this helps!",
                              "Sure.\n\n```python\nassert state == 3\nmore\n```", "\"assert state == 3\"",
                              "'assert state == 3'\n", "`assert state == 3`", "**assert state == 3**"}) {
    Cleaning cleaning;
    EXPECT_EQ(clean_answer(written, with.request, cleaning), "assert state == 3") << written;
    EXPECT_TRUE(cleaning.any() && cleaning.fence != cleaning.quotes) << written;
  }
}

TEST(CleanAnswer, IsLeftAloneWhereThereIsDoubt) {
  const WithExamples with;
  for (const Case& each : {
           Case{"assert state == 3\n```\nassert state == 4\n```",
                "assert state == 3"},  // the answer, then an explanation
           {"One:\n```\nassert state == 3\n```\ntwo:\n```\nassert state == 4\n```", "One:"},
           {"Here:\n```\nprint(3)\n```", "Here:"},
           {"Here:\n```\nassert state == 3", "Here:"},
           {"see ```assert state == 3```", "see ```assert state == 3```"},
           {"\"left\"", "\"left\""},
           {"\"assert\" or \"assert\"", "\"assert\" or \"assert\""},
           {"\"", "\""},
       }) {
    Cleaning cleaning;
    EXPECT_EQ(clean_answer(each.written, with.request, cleaning), each.kept) << each.written;
    EXPECT_FALSE(cleaning.fence || cleaning.quotes) << each.written;
  }
  for (const char* written : {"\"assert state == 3\"", "Here:\n```\nassert state == 3\n```"}) {
    Cleaning cleaning;
    EXPECT_NE(clean_answer(written, line_request(), cleaning), "assert state == 3") << "no example shows an answer";
    const WithExamples within_a_line("a = 1\nstate:");
    EXPECT_NE(clean_answer(written, within_a_line.request, cleaning), "assert state == 3");
  }
}

TEST(CleanAnswer, KeepsTheBlankThatALineGoesOnWith) {
  for (const Case& each : {
           Case{" 3", " 3"},
           {"\n 3", " 3"},
           {"3", "3"},
           {"state: 3", " 3"},
           {"a = 1\nstate: 3\nmore", " 3"},
       }) {
    Cleaning cleaning;
    EXPECT_EQ(clean_answer(each.written, line_request("a = 1\nstate:"), cleaning), each.kept) << each.written;
  }
}

TEST(CleanAnswer, EndsBeforeAStopStringThatLacksItsNewline) {
  constexpr std::string_view bracket = ")\n";
  icpi::CompletionRequest request = line_request();
  request.stop = {&bracket, 1};
  for (const Case& each :
       {Case{"f(1)", "f(1"}, {"f(1)\n", "f(1"}, {"f(1)\nmore)\n", "f(1"}, {"```\nf(1 )\n```", "f(1 "}}) {
    Cleaning cleaning;
    EXPECT_EQ(clean_answer(each.written, request, cleaning), each.kept) << each.written;
    EXPECT_TRUE(cleaning.stopped);
  }
}

TEST(CleanAnswer, SaysWhatItTookAway) {
  Cleaning cleaning;
  static_cast<void>(clean_answer("\n```\nstate = right()\nassert state == 3\nwhy", line_request(), cleaning));
  EXPECT_TRUE(cleaning.blanks && cleaning.fence && cleaning.repetition && cleaning.explanation && cleaning.stopped);
}

TEST(SplitThought, FindsItInFront) {
  for (const char* text :
       {"<think>hm</think>\nyes", "\n<think>hm</think>\nyes", "hm</think>\nyes", "<thinking>hm</thinking>\nyes"}) {
    const auto parts = icpi::http::split_thought(text);
    EXPECT_EQ(parts.thought, "hm") << text;
    EXPECT_EQ(parts.answer, "\nyes") << text;
    EXPECT_FALSE(parts.unfinished);
  }
  EXPECT_TRUE(icpi::http::split_thought("<think>hm").unfinished);
  EXPECT_EQ(icpi::http::split_thought("we <think>").answer, "we <think>");
}

json message(json content, json more = json::object()) {
  more["role"] = "assistant";
  more["content"] = std::move(content);
  return more;
}

std::string chat_body(const json& message, const std::string& finish = "stop") {
  return json{{"choices", {{{"index", 0}, {"finish_reason", finish}, {"message", message}}}},
              {"usage", {{"prompt_tokens", 20}, {"completion_tokens", 5}}}}
      .dump();
}

/// What is read from a body, and how often it was asked for.
struct Asked {
  Completion completion;
  icpi::http::Statistics statistics;
  int requests = 0;
};

Asked ask_chat(const std::string& body, Dialect dialect = Dialect::chat) {
  ScriptedServer server([&](const HttpRequest&) {
    HttpReply reply;
    reply.body = body;
    return reply;
  });
  Options options = quick_options({server.url()});
  options.dialect = dialect;
  HttpLanguageModel model(options);
  Completion completion = ask(model, line_request());
  return {completion, model.statistics(), server.requests()};
}

TEST(ChatAnswers, KeepThoughtsApart) {
  const json parts = {{{"type", "thinking"}, {"thinking", {{{"type", "text"}, {"text", "hm"}}}}},
                      {{"type", "text"}, {"text", "assert state == 3"}}};
  for (const json& each : {message("<think>hm</think>\n\nassert state == 3"),
                           message("\nassert state == 3", {{"reasoning_content", "hm"}}),
                           message("assert state == 3", {{"reasoning", "hm"}}), message(parts)}) {
    const Asked asked = ask_chat(chat_body(each));
    EXPECT_EQ(asked.completion.text, "assert state == 3") << each << asked.completion.error.message;
    EXPECT_EQ(asked.completion.thought, "hm") << each;
    EXPECT_EQ(asked.statistics.answers_with_thoughts, 1U);
    EXPECT_EQ(asked.completion.usage, (icpi::Usage{20, 0, 5}));
  }
}

TEST(ChatAnswers, WhoseThoughtUsedUpTheLimitSayWhichOne) {
  const std::string thought(200, 'h');
  for (const json& each : {message(nullptr, {{"reasoning_content", thought}}), message("", {{"reasoning", thought}}),
                           message("<think>" + thought)}) {
    const Asked asked = ask_chat(chat_body(each, "length"));
    EXPECT_EQ(asked.completion.error.category, ErrorCategory::invalid_request);
    EXPECT_THAT(asked.completion.error.message, HasSubstr("100 tokens before an answer came: raise max_tokens"))
        << each;
    EXPECT_EQ(asked.requests, 1);
    EXPECT_EQ(asked.completion.usage, (icpi::Usage{20, 0, 5})) << "it is paid for";
    EXPECT_EQ(asked.statistics.usage, (icpi::Usage{20, 0, 5}));
    EXPECT_EQ(asked.statistics.unusable_answers, 1U);
  }
}

TEST(ChatAnswers, OfAThoughtThatIsNotShownSayWhichLimitToRaise) {
  for (const json& each : {message(""), message(nullptr)}) {
    const Asked asked = ask_chat(chat_body(each, "length"));
    EXPECT_EQ(asked.completion.error.category, ErrorCategory::invalid_request);
    EXPECT_THAT(asked.completion.error.message, HasSubstr("thought that is not shown, used up its 100 tokens")) << each;
    EXPECT_EQ(asked.requests, 1);
    EXPECT_EQ(asked.statistics.usage, (icpi::Usage{20, 0, 5}));
  }
  EXPECT_FALSE(ask_chat(chat_body(message(""))).completion.error) << "the model chose to say nothing";
}

TEST(ChatAnswers, ThatAreCutAtAStopStringStopped) {
  const Asked asked = ask_chat(chat_body(message("assert state == 3\nassert"), "length"));
  EXPECT_EQ(asked.completion.finish, FinishReason::stop);
  EXPECT_EQ(asked.statistics.cleaned_answers, 1U);
}

TEST(ChatAnswers, OfNoUseAreBookedAndNotAskedForAgain) {
  for (const std::string& body :
       {chat_body(message(nullptr)), chat_body(message(nullptr, {{"refusal", "no"}})), chat_body(message(5)),
        chat_body(message("x"), "content_filter"), chat_body(message(json::array())), chat_body(nullptr),
        std::string(R"({"choices":[],"usage":{"prompt_tokens":20,"completion_tokens":5}})"),
        std::string(R"({"usage":{"prompt_tokens":20,"completion_tokens":5}})")}) {
    const Asked asked = ask_chat(body);
    EXPECT_EQ(asked.completion.error.category, ErrorCategory::invalid_request) << body;
    EXPECT_EQ(asked.requests, 1) << body;
    EXPECT_EQ(asked.completion.usage, (icpi::Usage{20, 0, 5})) << body;
  }
}

TEST(ChatAnswers, WithBrokenCharactersAreReadAndBookedOnce) {
  const std::string usage = R"(,"usage":{"prompt_tokens":20,"completion_tokens":5}})";
  for (const std::string& broken : {std::string(R"(\ud83d)"), std::string("\xF0\x9F"), std::string("\xFF\xFE")}) {
    const std::string chat = R"({"choices":[{"index":0,"message":{"content":"assert )" + broken + R"("}}])" + usage;
    const std::string text = R"({"choices":[{"index":0,"text":"assert )" + broken + R"("}])" + usage;
    for (const Asked& asked :
         {ask_chat(chat), ask_chat(text, Dialect::completions), ask_chat("data: " + chat + "\n\ndata: [DONE]\n\n")}) {
      EXPECT_THAT(asked.completion.text, testing::StartsWith("assert \xEF\xBF\xBD")) << asked.completion.error.message;
      EXPECT_EQ(asked.requests, 1);
      EXPECT_EQ(asked.completion.usage, (icpi::Usage{20, 0, 5}));
    }
  }
}

TEST(ChatAnswers, CompletionsAreNotCleaned) {
  const Asked asked = ask_chat(icpi_test::completion_body(" ```<think>"), Dialect::completions);
  EXPECT_EQ(asked.completion.text, " ```<think>");
  EXPECT_EQ(asked.statistics.cleaned_answers, 0U);
}

TEST(ChatAnswers, LogprobsAreThoseOfWhatIsLeft) {
  const json tokens = {{{"token", "\n"}, {"logprob", -1}}, {{"token", "yes"}, {"logprob", -2}}};
  ScriptedServer server([&](const HttpRequest&) {
    HttpReply reply;
    reply.body =
        json{{"choices", {{{"index", 0}, {"message", message("\nyes")}, {"logprobs", {{"content", tokens}}}}}}}.dump();
    return reply;
  });
  Options options = quick_options({server.url()});
  options.dialect = Dialect::chat;
  HttpLanguageModel model(options);
  icpi::CompletionRequest request = line_request();
  request.want_logprobs = true;
  EXPECT_EQ(ask(model, request).tokens, (std::vector<icpi::TokenLogprob>{{"yes", -2}}));
}

TEST(Streams, ThatNobodyAskedForAreReadAllTheSame) {
  const std::string chat =
      ": queued\n\ndata: "
      "{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"reasoning_content\":\"h\"}}]}\n\n"
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"m\"}}]}\r\n\r\n"
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"assert \"},\"finish_reason\":null}]}\n\n"
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"state\"},\"finish_reason\":\"stop\"}]}\n\n"
      "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":5}}\n\ndata: [DONE]\n\n";
  const Asked asked = ask_chat(chat);
  EXPECT_EQ(asked.completion.text, "assert state") << asked.completion.error.message;
  EXPECT_EQ(asked.completion.thought, "hm");
  EXPECT_EQ(asked.completion.usage, (icpi::Usage{20, 0, 5}));
  const std::string whole = "data: " + icpi_test::completion_body(" a") + "\n\ndata: [DONE]\n\n";
  EXPECT_EQ(ask_chat(whole, Dialect::completions).completion.text, " a");
  const Asked failed = ask_chat("data: {\"error\":{\"message\":\"gone\",\"code\":400}}\n\n");
  EXPECT_THAT(failed.completion.error.message, HasSubstr("gone"));
  EXPECT_EQ(failed.requests, 1);
}

TEST(Usage, OfAttemptsThatBrokeOffIsBookedToo) {
  std::atomic<int> seen{0};
  ScriptedServer server([&](const HttpRequest&) {
    HttpReply reply;
    reply.body = icpi_test::completion_body(" a", seen++ == 0 ? "error" : "stop");
    return reply;
  });
  HttpLanguageModel model(quick_options({server.url()}));
  const Completion completion = ask(model, plain_request());
  EXPECT_EQ(completion.text, " a");
  EXPECT_EQ(completion.usage, (icpi::Usage{22, 20, 6}));
  EXPECT_EQ(model.statistics().usage, completion.usage);
}

TEST(Choices, WithoutAnIndexBelongToTheOneQuestion) {
  for (const char* index : {"", R"("index":null,)"}) {
    const Asked asked = ask_chat(fmt::format(R"({{"choices":[{{{}"text":" a"}}]}})", index), Dialect::completions);
    EXPECT_EQ(asked.completion.text, " a") << index;
  }
}

}  // namespace
