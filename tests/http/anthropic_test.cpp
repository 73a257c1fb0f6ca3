// SPDX-License-Identifier: MIT
// Anthropic's messages: what is sent, what is kept, what is read, how it fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <vector>

#include "borders.hpp"
#include "helpers.hpp"
#include "icpi/core/error.hpp"
#include "icpi/http/service.hpp"

namespace {

using icpi::Completion;
using icpi::CompletionRequest;
using icpi::ErrorCategory;
using icpi::FinishReason;
using icpi::http::ChatStyle;
using icpi::http::Dialect;
using icpi::http::HttpLanguageModel;
using icpi::http::Options;
using icpi_test::ask;
using icpi_test::BorderedPrompt;
using icpi_test::HttpReply;
using icpi_test::HttpRequest;
using icpi_test::plain_request;
using icpi_test::quick_options;
using icpi_test::Recorder;
using icpi_test::ScriptedServer;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

std::string answer(const json& content, const char* reason = "end_turn") {
  return json{{"id", "msg_1"},
              {"type", "message"},
              {"role", "assistant"},
              {"content", content},
              {"stop_reason", reason},
              {"usage",
               {{"input_tokens", 12},
                {"cache_read_input_tokens", 2000},
                {"cache_creation_input_tokens", 300},
                {"output_tokens", 7}}}}
      .dump();
}

std::string text_answer(const std::string& text) { return answer({{{"type", "text"}, {"text", text}}}); }

Options anthropic(const std::string& url) {
  Options options = quick_options({url});
  options.dialect = Dialect::anthropic;
  return options;
}

/// The texts whose ends are marked, in the order of the body.
std::vector<std::string> marked(const json& value) {
  std::vector<std::string> texts;
  if (value.is_object() && value.contains("cache_control")) {
    EXPECT_EQ(value.at("cache_control"), (json{{"type", "ephemeral"}}));
    texts.push_back(value.at("text"));
    return texts;
  }
  if (!value.is_structured()) return texts;
  for (const json& each : value) {
    for (std::string& text : marked(each)) texts.push_back(std::move(text));
  }
  return texts;
}

TEST(Anthropic, SendsNothingButItsOwnFields) {
  Recorder recorder(text_answer("yes"));
  setenv("ICPI_TEST_ANTHROPIC_KEY", "key-of-the-service", 1);
  Options options = anthropic(recorder.server.url());
  options.api_key_env = "ICPI_TEST_ANTHROPIC_KEY";
  HttpLanguageModel model(options);
  unsetenv("ICPI_TEST_ANTHROPIC_KEY");
  CompletionRequest request = plain_request("go on\n");
  const std::vector<std::string_view> stops{"\n", "END"};
  request.stop = stops;
  request.sampling = {0.5, 0.9, 17};
  EXPECT_EQ(ask(model, request).text, "yes");
  EXPECT_EQ(recorder.path, "/v1/messages");
  EXPECT_THAT(recorder.headers, HasSubstr("\r\nx-api-key: key-of-the-service\r\n"));
  EXPECT_THAT(recorder.headers, HasSubstr("\r\nanthropic-version: 2023-06-01\r\n"));
  EXPECT_THAT(recorder.headers, Not(HasSubstr("authorization")));
  const json system{{{"type", "text"}, {"text", std::string(icpi::http::default_system_message)}}};
  EXPECT_EQ(recorder.sent, (json{{"model", "scripted"},
                                 {"max_tokens", 17},
                                 {"system", system},
                                 {"messages", {{{"role", "user"}, {"content", "go on\n"}}}},
                                 {"temperature", 0.5},
                                 {"top_p", 0.9},
                                 {"stop_sequences", {"END"}}}))
      << "blank stop strings are refused there";
}

TEST(Anthropic, LetsUsersNameVersionAndKeyHeader) {
  Recorder recorder(text_answer("yes"));
  setenv("ICPI_TEST_ANTHROPIC_KEY", "key-of-the-service", 1);
  Options options = anthropic(recorder.server.url());
  options.api_key_env = "ICPI_TEST_ANTHROPIC_KEY";
  options.request.api_key_header = "X-Gateway-Key";
  options.request.headers = {{"Anthropic-Version", "2027-01-01", "", ""}};
  HttpLanguageModel model(options);
  unsetenv("ICPI_TEST_ANTHROPIC_KEY");
  EXPECT_EQ(ask(model, plain_request()).text, "yes");
  EXPECT_THAT(recorder.headers, HasSubstr("\r\nx-gateway-key: key-of-the-service\r\n"));
  EXPECT_THAT(recorder.headers, HasSubstr("\r\nanthropic-version: 2027-01-01\r\n"));
  EXPECT_THAT(recorder.headers, Not(HasSubstr("2023-06-01")));
}

TEST(Anthropic, MarksWhatIsWantedAgainTheLongestLivedFirst) {
  Recorder recorder(text_answer("yes"));
  Options options = anthropic(recorder.server.url());
  options.chat_style = ChatStyle::turns;
  HttpLanguageModel model(options);
  BorderedPrompt prompt;
  prompt.add_numbered(150);
  ASSERT_FALSE(ask(model, prompt.request("state 8\ngo\n", 3)).error);
  EXPECT_THAT(marked(recorder.sent.at("system")), testing::ElementsAre(std::string(icpi::http::default_instruction)));
  EXPECT_THAT(marked(recorder.sent.at("messages")), testing::ElementsAre("then 127", "then 143", "then 149"));
  ASSERT_FALSE(ask(model, prompt.request("state 8\ngo\n", 0)).error);
  EXPECT_THAT(marked(recorder.sent), testing::IsEmpty()) << "a prompt that nobody asks for again";
  options.mark_prefixes = false;
  HttpLanguageModel plain(options);
  ASSERT_FALSE(ask(plain, prompt.request("state 8\ngo\n", 3)).error);
  EXPECT_THAT(marked(recorder.sent), testing::IsEmpty());
}

/// The blocks before every mark, as one text.
std::vector<std::string> kept(const json& body) {
  std::vector<std::string> result;
  std::string so_far = body.at("system").dump();
  for (const json& message : body.at("messages")) {
    const json& content = message.at("content");
    if (content.is_string()) so_far += json{{"type", "text"}, {"text", content}}.dump();
    if (content.is_string()) continue;
    for (json block : content) {
      const bool mark = block.erase("cache_control") > 0;
      so_far += message.at("role").get<std::string>() + block.dump();
      if (mark) result.push_back(so_far);
    }
  }
  return result;
}

class AnthropicPrefixes : public testing::TestWithParam<ChatStyle> {};
INSTANTIATE_TEST_SUITE_P(Styles, AnthropicPrefixes, testing::Values(ChatStyle::continuation, ChatStyle::turns),
                         [](const auto& test) { return std::string(name(test.param)); });

TEST_P(AnthropicPrefixes, ThatWereKeptAreFoundAgainHoweverMuchIsAppended) {
  Recorder recorder(text_answer("yes"));
  Options options = anthropic(recorder.server.url());
  options.chat_style = GetParam();
  HttpLanguageModel model(options);
  BorderedPrompt prompt;
  prompt.add_numbered(70);
  std::vector<std::string> before;
  for (int round = 0; round < 12; ++round) {
    ASSERT_FALSE(ask(model, prompt.request("state 8\ngo\n", 3)).error);
    const std::vector<std::string> now = kept(recorder.sent);
    ASSERT_LE(marked(recorder.sent).size(), 4U);
    ASSERT_FALSE(now.empty());
    for (std::size_t i = 1; i < now.size(); ++i) EXPECT_LT(now[i - 1].size(), now[i].size());
    const auto known = [&](const std::string& text) {
      return std::find(before.begin(), before.end(), text) != before.end();
    };
    if (round > 0) {
      EXPECT_TRUE(std::any_of(now.begin(), now.end(), known)) << round;
    }
    before = now;
    prompt.add_numbered(round % 4 == 2 ? 1 : 5);
  }
}

TEST(Anthropic, ContinuesAPromptThatStaysOneText) {
  Recorder recorder(text_answer("yes"));
  HttpLanguageModel model(anthropic(recorder.server.url()));
  for (const int examples : {0, 1, 16, 17, 33, 90}) {
    BorderedPrompt prompt;
    prompt.add_numbered(examples);
    const CompletionRequest request = prompt.request("state 8\ngo\n", 3);
    ASSERT_FALSE(ask(model, request).error);
    const json& content = recorder.sent.at("messages").at(0).at("content");
    std::string whole = content.is_string() ? content.get<std::string>() : "";
    if (content.is_array()) {
      for (const json& block : content) whole += block.at("text").get<std::string>();
    }
    EXPECT_EQ(whole, std::string(request.prefix.text) + std::string(request.query));
    EXPECT_EQ(content.is_string(), examples == 0);
  }
}

TEST(Anthropic, CountsWhatWasKeptAndWhatIsKeptNow) {
  Recorder recorder(text_answer("yes"));
  HttpLanguageModel model(anthropic(recorder.server.url()));
  const Completion completion = ask(model, plain_request());
  EXPECT_EQ(completion.usage, (icpi::Usage{2312, 2000, 7, 300}));
  EXPECT_EQ(model.statistics().usage, completion.usage);
}

TEST(Anthropic, KeepsThoughtsApart) {
  Recorder recorder(answer({{{"type", "thinking"}, {"thinking", "hm"}, {"signature", "x"}},
                            {{"type", "redacted_thinking"}, {"data", "secret"}},
                            {{"type", "text"}, {"text", "yes"}}}));
  HttpLanguageModel model(anthropic(recorder.server.url()));
  const Completion completion = ask(model, plain_request());
  EXPECT_EQ(completion.text, "yes");
  EXPECT_EQ(completion.thought, "hm");
}

TEST(Anthropic, SaysHowAnAnswerEnds) {
  struct Case {
    std::string body;
    FinishReason finish;
    std::string problem;  ///< empty: it is an answer
  };
  const json text{{{"type", "text"}, {"text", "yes"}}};
  const json thought{{{"type", "thinking"}, {"thinking", "hm"}}};
  for (const Case& each :
       {Case{answer(text, "stop_sequence"), FinishReason::stop, ""},
        {answer(text, "max_tokens"), FinishReason::length, ""},
        {answer(text, "model_context_window_exceeded"), FinishReason::length, ""},
        {answer(text, "refusal"), FinishReason::error, "refuses to answer"},
        {answer(thought, "max_tokens"), FinishReason::error, "thought used up"},
        {answer({{{"type", "thinking"}, {"thinking", ""}}}, "max_tokens"), FinishReason::error, "raise max_tokens"},
        {answer(json::array(), "end_turn"), FinishReason::error, "no text"}}) {
    Recorder recorder(each.body);
    HttpLanguageModel model(anthropic(recorder.server.url()));
    const Completion completion = ask(model, plain_request());
    EXPECT_EQ(completion.finish, each.finish) << each.body;
    EXPECT_THAT(completion.error.message, HasSubstr(each.problem));
    EXPECT_EQ(completion.error.category, each.problem.empty() ? ErrorCategory::none : ErrorCategory::invalid_request);
    EXPECT_EQ(recorder.server.requests(), 1) << "it came in whole";
    EXPECT_EQ(model.statistics().usage.completion_tokens, 7U) << "and was paid for";
  }
}

TEST(Anthropic, SwitchesThinkingOffOrBoundsIt) {
  Recorder recorder(text_answer("yes"));
  Options options = anthropic(recorder.server.url());
  CompletionRequest request = plain_request();
  request.sampling.max_tokens = 50;
  options.thinking_tokens = 0;
  HttpLanguageModel quiet(options);
  static_cast<void>(ask(quiet, request));
  EXPECT_EQ(recorder.sent.at("thinking"), (json{{"type", "disabled"}}));
  EXPECT_EQ(recorder.sent.at("max_tokens"), 50);
  options.thinking_tokens = 2000;
  std::vector<std::string> notices;
  options.notice = [&](std::string_view line) { notices.emplace_back(line); };
  options.learned = icpi::http::new_learned_request();
  HttpLanguageModel bounded(options);
  static_cast<void>(ask(bounded, request));
  const HttpLanguageModel again(options);
  EXPECT_THAT(notices, testing::ElementsAre(HasSubstr("neither temperature"))) << "told once";
  EXPECT_EQ(recorder.sent.at("thinking"), (json{{"type", "enabled"}, {"budget_tokens", 2000}}));
  EXPECT_EQ(recorder.sent.at("max_tokens"), 2050);
  EXPECT_FALSE(recorder.sent.contains("temperature")) << "the service refuses it beside a thought";
  options.effort = "low";
  HttpLanguageModel low(options);
  static_cast<void>(ask(low, request));
  EXPECT_FALSE(recorder.sent.contains("thinking"));
  EXPECT_EQ(recorder.sent.at("output_config"), (json{{"effort", "low"}}));
  options.thinking_tokens = 0;
  EXPECT_THROW(HttpLanguageModel{options}, icpi::InvalidArgument) << "an effort of what is switched off";
  options.effort.clear();
  options.thinking_tokens = 100;
  EXPECT_THROW(HttpLanguageModel{options}, icpi::InvalidArgument);
  options.thinking_tokens.reset();
  EXPECT_FALSE(HttpLanguageModel(options).capabilities().gives_logprobs);
  options.logprobs = true;
  EXPECT_THROW(HttpLanguageModel{options}, icpi::InvalidArgument) << "the dialect has none";
}

TEST(Anthropic, WaitsWhereItIsOverloadedAndNotWhereMoneyIsOut) {
  const auto error = [](const char* type, const char* message, json details = nullptr) {
    return json{{"type", "error"}, {"error", {{"type", type}, {"message", message}, {"details", details}}}}.dump();
  };
  std::atomic<int> asked{0};
  ScriptedServer server([&](const HttpRequest&) {
    HttpReply reply;
    const int number = ++asked;
    if (number == 1) {
      reply.status = 529;
      reply.body = error("overloaded_error", "Overloaded");
      return reply;
    }
    if (number == 2) {
      reply.status = 429;
      reply.body = error("rate_limit_error", "slow down");
      reply.headers =
          "anthropic-ratelimit-input-tokens-remaining: 0\r\n"
          "anthropic-ratelimit-input-tokens-reset: 2020-01-01T00:00:00Z\r\n";
      return reply;
    }
    reply.body = text_answer("yes");
    return reply;
  });
  HttpLanguageModel model(anthropic(server.url()));
  EXPECT_EQ(ask(model, plain_request()).text, "yes");
  EXPECT_EQ(asked, 3);
  Recorder spent(error("rate_limit_error", "no", {{"error_code", "enforced_spend_limit_reached"}}));
  HttpLanguageModel poor(anthropic(spent.server.url()));
  EXPECT_EQ(ask(poor, plain_request()).error.category, ErrorCategory::budget_exhausted);
  EXPECT_EQ(spent.server.requests(), 1);
  Recorder broken(error("overloaded_error", "Overloaded"));
  HttpLanguageModel patient(anthropic(broken.server.url()));
  EXPECT_THAT(ask(patient, plain_request()).error.message, HasSubstr("Overloaded"));
  EXPECT_GT(broken.server.requests(), 1) << "an error within a 200 is judged as such";
}

TEST(Anthropic, HasNoLogProbabilities) {
  Recorder recorder(text_answer("yes"));
  HttpLanguageModel model(anthropic(recorder.server.url()));
  CompletionRequest request = plain_request();
  request.want_logprobs = true;
  EXPECT_THAT(ask(model, request).error.message, HasSubstr("anthropic has no log-probabilities"));
  EXPECT_EQ(recorder.server.requests(), 0) << "nothing is paid for it";
}

TEST(Anthropic, IsAKnownService) {
  Recorder recorder(text_answer("yes"));
  Options options = for_service(icpi::http::find_service("anthropic"), quick_options({}));
  EXPECT_EQ(options.base_urls, std::vector<std::string>{"https://api.anthropic.com/v1"});
  options.base_urls = {recorder.server.url()};
  options.api_key_env.clear();
  HttpLanguageModel model(options);
  EXPECT_EQ(ask(model, plain_request()).text, "yes");
  std::vector<std::string> fields;
  for (const auto& [field, value] : recorder.sent.items()) fields.push_back(field);
  EXPECT_THAT(fields, testing::UnorderedElementsAre("model", "max_tokens", "system", "messages", "thinking"));
}

}  // namespace
