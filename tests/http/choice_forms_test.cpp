// SPDX-License-Identifier: MIT
// Answers that must be one of given texts: how every service is told, and what comes of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "helpers.hpp"
#include "icpi/core/error.hpp"
#include "icpi/http/service.hpp"
#include "icpi/models/recording.hpp"

namespace {

using icpi::Completion;
using icpi::CompletionRequest;
using icpi::ErrorCategory;
using icpi::FinishReason;
using icpi::http::ChoiceForm;
using icpi::http::Dialect;
using icpi::http::HttpLanguageModel;
using icpi::http::Options;
using icpi_test::ask;
using icpi_test::plain_request;
using icpi_test::quick_options;
using icpi_test::Recorder;
using nlohmann::json;
using testing::HasSubstr;

const std::vector<std::string_view> choices{"left (1)", "say \"hi\""};

CompletionRequest choosing() {
  CompletionRequest request = plain_request("what now?\n");
  request.choices = choices;
  return request;
}

json schema() {
  return {{"type", "object"},
          {"properties", {{"answer", {{"type", "string"}, {"enum", {"left (1)", "say \"hi\""}}}}}},
          {"required", {"answer"}},
          {"additionalProperties", false}};
}

json openai_format() {
  return {{"type", "json_schema"}, {"json_schema", {{"name", "answer"}, {"strict", true}, {"schema", schema()}}}};
}

std::string chat_answer(const json& message, const char* finish = "stop") {
  return json{{"choices", {{{"index", 0}, {"finish_reason", finish}, {"message", message}}}},
              {"usage", {{"prompt_tokens", 9}, {"completion_tokens", 5}}}}
      .dump();
}

const std::string wrapped = R"({"answer": "say \"hi\""})";

/// What a service answers with a choice in its own wrapping.
std::string answer_of(const Options& options) {
  if (options.dialect == Dialect::anthropic)
    return json{{"content", {{{"type", "text"}, {"text", wrapped}}}}, {"stop_reason", "end_turn"}}.dump();
  if (options.dialect == Dialect::completions) return icpi_test::completion_body("say \"hi\"");
  const bool plain = options.choice_form == ChoiceForm::response_regex || options.choice_form == ChoiceForm::automatic;
  return chat_answer({{"content", plain ? "say \"hi\"" : wrapped}});
}

/// Where its body restricts the answer.
json restriction_of(const std::string& service) {
  if (service == "anthropic") return {{"output_config", {{"format", {{"type", "json_schema"}, {"schema", schema()}}}}}};
  if (service == "deepseek") return {{"response_format", {{"type", "json_object"}}}};
  if (service == "tgi") return {{"response_format", {{"type", "regex"}, {"value", "(left \\(1\\)|say \"hi\")"}}}};
  if (service == "vllm") return {{"structured_outputs", {{"choice", {"left (1)", "say \"hi\""}}}}};
  if (service == "sglang") return {{"regex", "(left \\(1\\)|say \"hi\")"}};
  if (service == "llama-server") return {{"grammar", R"x(root ::= "left (1)" | "say \"hi\"")x"}};
  return {{"response_format", openai_format()}};
}

class ServiceChoices : public testing::TestWithParam<icpi::http::Service> {};
INSTANTIATE_TEST_SUITE_P(All, ServiceChoices, testing::ValuesIn(icpi::http::services()), [](const auto& test) {
  std::string name(test.param.name);
  std::erase(name, '-');
  return name;
});

TEST_P(ServiceChoices, AreToldInItsWordsOrRefusedAtTheStart) {
  const std::string service(GetParam().name);
  Options options = for_service(GetParam(), quick_options({}));
  options.api_key_env.clear();
  Recorder recorder(answer_of(options));
  options.base_urls = {recorder.server.url()};
  HttpLanguageModel model(options);
  if (service == "generic" || service == "ollama") {  // over completions
    EXPECT_FALSE(model.capabilities().constrains_choices);
    EXPECT_FALSE(icpi::capabilities_of(model).constrains_choices);
    EXPECT_THAT(describe(model.capabilities()), HasSubstr("choices        no: "));
    EXPECT_EQ(ask(model, choosing()).error.category, ErrorCategory::invalid_request);
    EXPECT_EQ(recorder.server.requests(), 0);
    try {
      const icpi::http::ChoiceConstrainedHttpModel constrained(options);
      ADD_FAILURE() << "it cannot be told";
    } catch (const icpi::Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("'scripted'"));
    }
    return;
  }
  const json restriction = restriction_of(service);
  EXPECT_TRUE(icpi::capabilities_of(model).constrains_choices);
  const Completion completion = ask(model, choosing());
  EXPECT_EQ(completion.text, "say \"hi\"") << completion.error.message;
  EXPECT_EQ(completion.finish, FinishReason::stop);
  for (const auto& [field, value] : restriction.items()) EXPECT_EQ(recorder.sent.value(field, json()), value);
  EXPECT_EQ(model.statistics().ignored_choices, 0U);
  static_cast<void>(ask(model, plain_request()));
  for (const auto& [field, value] : restriction.items()) EXPECT_FALSE(recorder.sent.contains(field));
}

Options chat(const Recorder& recorder, ChoiceForm form) {
  Options options = quick_options({recorder.server.url()});
  options.dialect = Dialect::chat;
  options.choice_form = form;
  return options;
}

TEST(ChoiceForms, OllamaTakesThemOverChat) {
  Recorder recorder(chat_answer({{"content", wrapped}}));
  Options options = for_service(icpi::http::find_service("ollama"), quick_options({}));
  options.base_urls = {recorder.server.url()};
  options.dialect = Dialect::chat;
  HttpLanguageModel model(options);
  EXPECT_EQ(ask(model, choosing()).text, "say \"hi\"");
  EXPECT_EQ(recorder.sent.at("response_format"), openai_format());
  EXPECT_EQ(recorder.sent.at("reasoning_effort"), "none") << "a thought would have to be one of the choices";
  static_cast<void>(ask(model, plain_request()));
  EXPECT_FALSE(recorder.sent.contains("reasoning_effort"));
}

TEST(ChoiceForms, JsonObjectsAreToldOfInThePrompt) {
  Recorder recorder(chat_answer({{"content", "```json\n" + wrapped + "\n```"}}));
  HttpLanguageModel model(chat(recorder, ChoiceForm::json_object));
  EXPECT_EQ(ask(model, choosing()).text, "say \"hi\"");
  EXPECT_THAT(recorder.sent.at("messages").back().at("content"),
              HasSubstr(R"x(JSON, as {"answer": TEXT}, where TEXT is one of ["left (1)","say \"hi\""])x"));
  static_cast<void>(ask(model, plain_request("x")));
  EXPECT_EQ(recorder.sent.at("messages").back().at("content"), "x");
}

TEST(ChoiceForms, ToolsMustBeCalled) {
  const json call{{"id", "1"}, {"type", "function"}, {"function", {{"name", "answer"}, {"arguments", wrapped}}}};
  Recorder recorder(chat_answer({{"content", nullptr}, {"tool_calls", {call}}}, "tool_calls"));
  HttpLanguageModel model(chat(recorder, ChoiceForm::tool));
  EXPECT_EQ(ask(model, choosing()).text, "say \"hi\"");
  EXPECT_EQ(recorder.sent.at("tools"),
            (json{{{"type", "function"}, {"function", {{"name", "answer"}, {"parameters", schema()}}}}}));
  EXPECT_EQ(recorder.sent.at("tool_choice"), (json{{"type", "function"}, {"function", {{"name", "answer"}}}}));

  Recorder anthropic(json{
      {"content", {{{"type", "tool_use"}, {"name", "answer"}, {"input", json::parse(wrapped)}}}},
      {"stop_reason",
       "tool_use"}}.dump());
  Options options = chat(anthropic, ChoiceForm::tool);
  options.dialect = Dialect::anthropic;
  HttpLanguageModel forced(options);
  EXPECT_EQ(ask(forced, choosing()).text, "say \"hi\"");
  EXPECT_EQ(anthropic.sent.at("tools"), (json{{{"name", "answer"}, {"input_schema", schema()}}}));
  EXPECT_EQ(anthropic.sent.at("tool_choice"), (json{{"type", "tool"}, {"name", "answer"}}));
  options.thinking_tokens = 2000;
  EXPECT_THAT(HttpLanguageModel(options).capabilities().choices_problem, HasSubstr("while it thinks"));
}

TEST(ChoiceForms, ResponsesHaveAFormatOfTheirOwn) {
  Recorder recorder(
      json{{"status", "completed"},
           {"output", {{{"type", "message"}, {"content", {{{"type", "output_text"}, {"text", wrapped}}}}}}}}
          .dump());
  Options options = quick_options({recorder.server.url()});
  options.dialect = Dialect::responses;
  HttpLanguageModel model(options);
  EXPECT_EQ(ask(model, choosing()).text, "say \"hi\"");
  json format{{"type", "json_schema"}, {"name", "answer"}, {"strict", true}, {"schema", schema()}};
  EXPECT_EQ(recorder.sent.at("text"), (json{{"format", format}}));
}

TEST(ChoiceForms, AThoughtGoesFirstOrNotAtAll) {
  Recorder recorder(chat_answer({{"reasoning_content", "hm"}, {"content", wrapped}}));
  Options options = chat(recorder, ChoiceForm::json_schema);
  options.thinking_tokens = 300;
  HttpLanguageModel after(options);
  const Completion completion = ask(after, choosing());
  EXPECT_EQ(completion.text, "say \"hi\"");
  EXPECT_EQ(completion.thought, "hm");
  EXPECT_EQ(recorder.sent.at("max_tokens"), 400);
  options.choices_after_thought = false;
  HttpLanguageModel refused(options);
  EXPECT_THAT(refused.capabilities().choices_problem, HasSubstr("while it thinks"));
  EXPECT_THAT(ask(refused, choosing()).error.message, HasSubstr("while it thinks"));
  options.thinking_tokens.reset();
  options.request.thinking_off = R"({"think":false})";
  HttpLanguageModel off(options);
  EXPECT_EQ(ask(off, choosing()).text, "say \"hi\"");
  EXPECT_EQ(recorder.sent.at("think"), false);
}

TEST(ChoiceForms, WhatIsNoneOfThemIsHandedOutAndCounted) {
  for (const char* text : {R"x({"answer": "right"})x", R"x({"reply": "left (1)"})x", R"x({"answer": 1})x", "right",
                           "I would say left (1)"}) {
    Recorder recorder(chat_answer({{"content", text}}));
    HttpLanguageModel model(chat(recorder, ChoiceForm::json_schema));
    const Completion completion = ask(model, choosing());
    EXPECT_FALSE(completion.error) << text;
    EXPECT_EQ(std::find(choices.begin(), choices.end(), completion.text), choices.end());
    EXPECT_EQ(model.statistics().ignored_choices, 1U) << text;
    EXPECT_EQ(recorder.server.requests(), 1) << "it is not asked for again";
  }
  Recorder plain(chat_answer({{"content", "\nleft (1)\n"}}));
  HttpLanguageModel model(chat(plain, ChoiceForm::json_schema));
  EXPECT_EQ(ask(model, choosing()).text, "left (1)") << "one that ignores the form may still choose";
  EXPECT_EQ(model.statistics().ignored_choices, 0U);
}

TEST(ChoiceForms, TooManyForASchemaAreRefusedUnsent) {
  Recorder recorder(chat_answer({{"content", wrapped}}));
  HttpLanguageModel model(chat(recorder, ChoiceForm::json_schema));
  std::vector<std::string> texts;
  for (int i = 0; i < 1001; ++i) texts.push_back(std::to_string(i));
  const std::vector<std::string_view> many(texts.begin(), texts.end());
  CompletionRequest request = choosing();
  request.choices = many;
  EXPECT_THAT(ask(model, request).error.message, HasSubstr("1001 choices"));
  request.choices = std::span(many).first(1000);
  EXPECT_FALSE(ask(model, request).error);
  const std::vector<std::string> long_texts(251, std::string(60, 'x'));
  const std::vector<std::string_view> long_ones(long_texts.begin(), long_texts.end());
  request.choices = long_ones;
  EXPECT_THAT(ask(model, request).error.message, HasSubstr("15060 bytes"));
  EXPECT_EQ(recorder.server.requests(), 1);
}

TEST(ChoiceForms, ReachThroughDecorators) {
  Recorder recorder(chat_answer({{"content", wrapped}}));
  icpi::RecordingModel<HttpLanguageModel> model(HttpLanguageModel(chat(recorder, ChoiceForm::json_schema)),
                                                testing::TempDir() + "/choice_forms.jsonl");
  EXPECT_TRUE(icpi::capabilities_of(model).constrains_choices);
}

}  // namespace
