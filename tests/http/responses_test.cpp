// SPDX-License-Identifier: MIT
// OpenAI's responses: what is sent, what is read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "helpers.hpp"
#include "icpi/http/service.hpp"

namespace {

using icpi::Completion;
using icpi::CompletionRequest;
using icpi::ErrorCategory;
using icpi::FinishReason;
using icpi::http::Dialect;
using icpi::http::HttpLanguageModel;
using icpi::http::Options;
using icpi_test::ask;
using icpi_test::plain_request;
using icpi_test::quick_options;
using icpi_test::Recorder;
using nlohmann::json;
using testing::HasSubstr;

const json text_item{{"type", "message"},
                     {"role", "assistant"},
                     {"content", {{{"type", "output_text"}, {"text", "yes"}, {"annotations", json::array()}}}}};

json response(const json& output, const char* status = "completed") {
  return {{"id", "resp_1"},
          {"object", "response"},
          {"status", status},
          {"error", nullptr},
          {"incomplete_details", nullptr},
          {"output", output},
          {"usage",
           {{"input_tokens", 40},
            {"input_tokens_details", {{"cached_tokens", 30}, {"cache_write_tokens", 4}}},
            {"output_tokens", 9},
            {"output_tokens_details", {{"reasoning_tokens", 5}}},
            {"total_tokens", 49}}}};
}

Options responses(const std::string& url) {
  Options options = quick_options({url});
  options.dialect = Dialect::responses;
  return options;
}

TEST(Responses, SendsInputAndNoFieldOfChat) {
  Recorder recorder(response(json::array({text_item})).dump());
  Options options = responses(recorder.server.url());
  options.effort = "low";
  options.thinking_tokens = 500;
  HttpLanguageModel model(options);
  CompletionRequest request = plain_request("go on\n");
  const std::string_view stop = "\n";
  request.stop = {&stop, 1};
  request.sampling = {0.5, 1, 17};
  EXPECT_EQ(ask(model, request).text, "yes");
  EXPECT_EQ(recorder.path, "/v1/responses");
  EXPECT_EQ(recorder.sent, (json{{"model", "scripted"},
                                 {"instructions", std::string(icpi::http::default_system_message)},
                                 {"input", {{{"role", "user"}, {"content", "go on\n"}}}},
                                 {"max_output_tokens", 517},
                                 {"temperature", 0.5},
                                 {"reasoning", {{"effort", "low"}}}}));
}

TEST(Responses, AreTakenByModelsThatRefuseATemperature) {
  Recorder recorder(response(json::array({text_item})).dump());
  Options options = for_service(icpi::http::find_service("openai-reasoning"), quick_options({}));
  options.base_urls = {recorder.server.url()};
  options.api_key_env.clear();
  options.dialect = Dialect::responses;
  options.thinking_tokens = 0;
  HttpLanguageModel model(options);
  EXPECT_EQ(ask(model, plain_request()).text, "yes");
  std::vector<std::string> fields;
  for (const auto& [field, value] : recorder.sent.items()) fields.push_back(field);
  EXPECT_THAT(fields,
              testing::UnorderedElementsAre("model", "instructions", "input", "max_output_tokens", "reasoning"));
  EXPECT_EQ(recorder.sent.at("reasoning"), (json{{"effort", "none"}}));
}

TEST(Responses, KeepThoughtsApartAndCountTokens) {
  const json thought{{"type", "reasoning"},
                     {"summary", {{{"type", "summary_text"}, {"text", "I think. "}}}},
                     {"content", {{{"type", "reasoning_text"}, {"text", "Much."}}}}};
  Recorder recorder(response({thought, text_item}).dump());
  HttpLanguageModel model(responses(recorder.server.url()));
  const Completion completion = ask(model, plain_request());
  EXPECT_EQ(completion.text, "yes");
  EXPECT_EQ(completion.thought, "I think. Much.");
  EXPECT_EQ(completion.usage, (icpi::Usage{40, 30, 9, 4}));
}

TEST(Responses, SayHowTheyEnd) {
  struct Case {
    json body;
    FinishReason finish;
    std::string problem;
    int requests = 1;
  };
  json cut = response(json::array({text_item}), "incomplete");
  cut["incomplete_details"] = {{"reason", "max_output_tokens"}};
  json filtered = cut;
  filtered["incomplete_details"] = {{"reason", "content_filter"}};
  json silent = cut;
  silent["output"] = {{{"type", "reasoning"}, {"summary", json::array()}}};
  const json refusal{{"type", "message"}, {"content", {{{"type", "refusal"}, {"refusal", "no"}}}}};
  json refusing = response(json::array({refusal}));
  json failed = response(json::array(), "failed");
  failed["error"] = {{"code", "server_error"}, {"message", "it broke"}};
  json invalid = failed;
  invalid["error"] = {{"code", "invalid_prompt"}, {"message", "no such prompt"}};
  for (const Case& each : {Case{cut, FinishReason::length, ""},
                           {filtered, FinishReason::error, "content filter"},
                           {silent, FinishReason::error, "raise max_tokens"},
                           {refusing, FinishReason::error, "refuses to answer"},
                           {response(json::array({text_item}), "in_progress"), FinishReason::error, "'in_progress'"},
                           {failed, FinishReason::error, "it broke", 3},
                           {invalid, FinishReason::error, "no such prompt"}}) {
    Recorder recorder(each.body.dump());
    HttpLanguageModel model(responses(recorder.server.url()));
    const Completion completion = ask(model, plain_request());
    EXPECT_EQ(completion.finish, each.finish) << each.body;
    EXPECT_THAT(completion.error.message, HasSubstr(each.problem));
    EXPECT_EQ(static_cast<bool>(completion.error), !each.problem.empty()) << each.body;
    EXPECT_EQ(recorder.server.requests(), each.requests) << each.body;
    EXPECT_EQ(model.statistics().usage.completion_tokens, 9U * static_cast<std::uint64_t>(each.requests));
  }
}

TEST(Responses, HaveNoLogProbabilities) {
  Recorder recorder(response(json::array({text_item})).dump());
  HttpLanguageModel model(responses(recorder.server.url()));
  CompletionRequest request = plain_request();
  request.want_logprobs = true;
  EXPECT_EQ(ask(model, request).error.category, ErrorCategory::invalid_request);
  EXPECT_EQ(recorder.server.requests(), 0);
}

}  // namespace
