// SPDX-License-Identifier: MIT
// Requests of another shape: by options, and because a server refuses a field.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <set>

#include "helpers.hpp"
#include "icpi/core/error.hpp"

namespace {

using icpi::Completion;
using icpi::ErrorCategory;
using icpi::http::Dialect;
using icpi::http::HttpLanguageModel;
using icpi::http::Options;
using icpi::http::RequestShape;
using icpi_test::ask;
using icpi_test::HttpReply;
using icpi_test::HttpRequest;
using icpi_test::plain_request;
using icpi_test::quick_options;
using icpi_test::ScriptedServer;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Refuses bodies with certain fields, in certain words; keeps what it is sent.
class StrictServer {
 public:
  using Judge = std::function<std::string(const json& body)>;  ///< empty: accepted
  explicit StrictServer(Judge judge = {}, int status = 400)
      : judge_(std::move(judge)),
        status_(status),
        server_([this](const HttpRequest& request) { return answer(request); }) {}

  [[nodiscard]] Options options() const {
    Options options = quick_options({server_.url()});
    options.dialect = Dialect::chat;
    return options;
  }
  [[nodiscard]] int requests() const { return server_.requests(); }
  HttpRequest last;
  json sent;

 private:
  HttpReply answer(const HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    last = request;
    sent = request.body.empty() ? json() : json::parse(request.body);
    HttpReply reply;
    const std::string refusal = judge_ ? judge_(sent) : "";
    if (!refusal.empty()) {
      reply.status = status_;
      reply.body = refusal;
      return reply;
    }
    reply.body = R"({"choices":[{"index":0,"message":{"content":"yes"}}],)"
                 R"("usage":{"prompt_tokens":5,"completion_tokens":1}})";
    return reply;
  }

  std::mutex mutex_;
  Judge judge_;
  int status_;
  ScriptedServer server_;
};

std::string refused_parameter(const std::string& field, const std::string& words) {
  return json{{"error", {{"message", words}, {"param", field}, {"code", "unsupported_parameter"}}}}.dump();
}

TEST(RequestShape, FieldsAreLeftOutRenamedAndAdded) {
  StrictServer server;
  Options options = server.options();
  options.request.omit = {"temperature", "seed"};
  options.request.rename = {{"max_tokens", "max_completion_tokens"}};
  options.request.extra = R"({"reasoning_effort":"none","top_p":0.7,"provider":{"sort":["a"]}})";
  HttpLanguageModel model(options);
  icpi::CompletionRequest request = plain_request();
  request.sampling.top_p = 0.5;
  EXPECT_EQ(ask(model, request).text, "yes");
  const json& sent = server.sent;
  EXPECT_EQ(sent.at("max_completion_tokens"), 100);
  EXPECT_EQ(sent.at("reasoning_effort"), "none");
  EXPECT_EQ(sent.at("top_p"), 0.7) << "what is added replaces";
  EXPECT_EQ(sent.at("provider").at("sort")[0], "a");
  EXPECT_EQ(sent.size(), 6U) << sent;
  EXPECT_THAT(model.identity(), AllOf(HasSubstr("without temperature,seed"), HasSubstr("reasoning_effort")));
}

/// Names of the fields that a model sends for a question of which all that can be is left open.
std::set<std::string> fields_left_open(Options options) {
  const bool native = options.dialect == Dialect::llama_native;
  const std::string usage = R"(,"usage":{"prompt_tokens":5,"completion_tokens":1,"input_tokens":5,"output_tokens":1}})";
  icpi_test::Recorder recorder(
      native ? R"({"content":"yes","stop":true,"tokens_evaluated":5,"tokens_predicted":1})"
             : R"({"status":"completed","stop_reason":"end_turn","content":[{"type":"text","text":"yes"}],)"
               R"("output":[{"type":"message","content":[{"type":"output_text","text":"yes"}]}],)"
               R"("choices":[{"index":0,"text":"yes","message":{"content":"yes"}}])" +
                   usage);
  options.base_urls = {recorder.server.url()};
  HttpLanguageModel model(options);
  icpi::CompletionRequest request = plain_request();
  request.sampling = {.temperature = {}, .top_p = {}, .max_tokens = {}};
  request.seed.reset();
  if (options.dialect == Dialect::anthropic) {
    EXPECT_THAT(ask(model, request).error.message, HasSubstr("the dialect anthropic needs max_tokens"));
    request.sampling.max_tokens = 10;
  }
  const Completion completion = ask(model, request);
  EXPECT_EQ(completion.text, "yes") << completion.error.message;
  std::set<std::string> fields;
  for (const auto& [field, value] : recorder.sent.items()) fields.insert(field);
  return fields;
}

TEST(RequestShape, WhatIsLeftOpenIsNotSent) {
  using testing::Contains;
  using testing::UnorderedElementsAre;
  Options options = quick_options({});
  EXPECT_THAT(fields_left_open(options), UnorderedElementsAre("model", "prompt"));
  options.dialect = Dialect::chat;
  EXPECT_THAT(fields_left_open(options), UnorderedElementsAre("model", "messages"));
  options.dialect = Dialect::responses;
  EXPECT_THAT(fields_left_open(options), UnorderedElementsAre("model", "instructions", "input"));
  options.dialect = Dialect::anthropic;
  EXPECT_THAT(fields_left_open(options), UnorderedElementsAre("model", "max_tokens", "system", "messages"));
  options.dialect = Dialect::llama_native;
  for (const char* field : {"temperature", "top_p", "n_predict", "seed"})
    EXPECT_THAT(fields_left_open(options), Not(Contains(field)));
}

TEST(RequestShape, NeutralValuesAreNotSentEither) {
  StrictServer server;
  HttpLanguageModel model(server.options());
  icpi::CompletionRequest request = plain_request();
  request.sampling.top_p = 1;
  EXPECT_EQ(ask(model, request).text, "yes");
  for (const char* field : {"top_p", "presence_penalty", "frequency_penalty"})
    EXPECT_FALSE(server.sent.contains(field)) << field;
}

TEST(RequestShape, HeadersQueryAndKeyGoWhereTheServiceWantsThem) {
  setenv("ICPI_TEST_KEY", "sk-secret0123456789", 1);
  setenv("ICPI_TEST_HEADER", "another-secret-value", 1);
  const std::string file = testing::TempDir() + "icpi-header-" + std::to_string(getpid());
  std::ofstream(file) << "third secret value\n";
  StrictServer server([](const json& body) {
    return body.is_null() ? "" : refused_parameter("x", "another-secret-value and third secret value: bad");
  });
  Options options = server.options();
  options.probe = true;
  options.api_key_env = "ICPI_TEST_KEY";
  options.request.api_key_header = "api-key";
  options.request.headers = {
      {"X-Plain", "a b", "", ""}, {"X-Token", "", "ICPI_TEST_HEADER", ""}, {"X-File", "", "", file}};
  options.request.query = {{"api-version", "2026 &1", "", ""}};
  HttpLanguageModel model(options);
  EXPECT_EQ(server.last.path, "/v1/models?api-version=2026%20%261");
  const Completion completion = ask(model, plain_request());
  EXPECT_EQ(server.last.path, "/v1/chat/completions?api-version=2026%20%261");
  EXPECT_THAT(server.last.headers,
              AllOf(HasSubstr("\r\napi-key: sk-secret0123456789\r\n"), HasSubstr("\r\nx-plain: a b\r\n"),
                    HasSubstr("\r\nx-token: another-secret-value\r\n"), HasSubstr("\r\nx-file: third secret value\r\n"),
                    Not(HasSubstr("authorization"))));
  EXPECT_THAT(completion.error.message, AllOf(HasSubstr("[key] and [key]: bad"), Not(HasSubstr("secret"))));
  std::remove(file.c_str());
}

TEST(RequestShape, NonsenseIsNamed) {
  const auto message = [](auto change) -> std::string {
    Options options = quick_options({"http://127.0.0.1:1/v1"});
    change(options.request);
    try {
      const HttpLanguageModel model(options);
    } catch (const icpi::InvalidArgument& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message([](RequestShape& r) { r.extra = "[1]"; }), HasSubstr("JSON object"));
  EXPECT_THAT(message([](RequestShape& r) { r.extra = "{"; }), HasSubstr("JSON object"));
  EXPECT_THAT(message([](RequestShape& r) { r.omit = {"messages"}; }), HasSubstr("omit"));
  EXPECT_THAT(message([](RequestShape& r) { r.rename = {{"a", ""}}; }), HasSubstr("rename"));
  EXPECT_THAT(message([](RequestShape& r) { r.headers = {{"a b", "c", "", ""}}; }), HasSubstr("headers"));
  EXPECT_THAT(message([](RequestShape& r) { r.headers = {{"a", "b\r\nc: d", "", ""}}; }), HasSubstr("control"));
  EXPECT_THAT(message([](RequestShape& r) {
                r.headers = {{"X-Api-Key", "sk-123", "", ""}};
              }),
              AllOf(HasSubstr("environment"), Not(HasSubstr("sk-123"))));
  EXPECT_THAT(message([](RequestShape& r) { r.headers = {{"a", "", "ICPI_TEST_NOT_SET", ""}}; }), HasSubstr("not set"));
  EXPECT_THAT(message([](RequestShape& r) {
                r.headers = {{"a", "", "", "/nowhere/at/all"}};
              }),
              HasSubstr("cannot be read"));
  EXPECT_THAT(message([](RequestShape& r) {
                r.headers = {{"a", "b", "HOME", ""}};
              }),
              HasSubstr("a variable or a file"));
  EXPECT_THAT(message([](RequestShape& r) { r.api_key_header = "a:b"; }), HasSubstr("api_key_header"));
  EXPECT_THAT(message([](RequestShape& r) { r.lowest_temperature = -1; }), HasSubstr("lowest_temperature"));
}

TEST(RequestShape, TemperaturesAndStopsStayInTheServicesRange) {
  std::mutex mutex;
  json sent;
  ScriptedServer server([&](const HttpRequest& request) {
    const std::lock_guard lock(mutex);
    sent = json::parse(request.body);
    return icpi_test::echo_reply(request);
  });
  std::vector<std::string> notices;
  Options options = quick_options({server.url()});
  options.request.lowest_temperature = 0.01;
  options.request.most_stops = 1;
  options.request.blank_stops = false;
  options.notice = [&](std::string_view line) { notices.emplace_back(line); };
  HttpLanguageModel model(options);
  const std::vector<std::string_view> stops{"\n", "end", "more"};
  icpi::CompletionRequest request = plain_request();
  request.sampling.temperature = 0;
  request.stop = stops;
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(ask(model, request).error);
  EXPECT_EQ(sent.at("temperature"), 0.01);
  EXPECT_EQ(sent.at("stop"), json::array({"end"}));
  EXPECT_THAT(notices, testing::ElementsAre(HasSubstr("temperature 0 is sent as 0.01")));
}

struct RefusedField {
  const char* name;    ///< of the test
  const char* field;   ///< that is refused
  std::string answer;  ///< the refusal
  int status;
  const char* instead;  ///< by which name it is sent then; empty: by none
};

class Adaptation : public testing::TestWithParam<RefusedField> {};

TEST_P(Adaptation, HappensOnceAndIsRemembered) {
  const RefusedField& refused = GetParam();
  StrictServer server([&](const json& body) { return body.contains(refused.field) ? refused.answer : ""; },
                      refused.status);
  std::vector<std::string> notices;
  Options options = server.options();
  options.learned = icpi::http::new_learned_request();
  options.notice = [&](std::string_view line) { notices.emplace_back(line); };
  HttpLanguageModel model(options);
  std::vector<icpi::CompletionRequest> requests(6, plain_request());
  std::vector<Completion> completions(6);
  model.complete(requests, completions);
  for (const Completion& completion : completions) EXPECT_EQ(completion.text, "yes") << completion.error.message;
  EXPECT_LE(server.requests(), 12);
  if (*refused.instead != '\0') {
    EXPECT_TRUE(server.sent.contains(refused.instead));
  }
  HttpLanguageModel second(options);
  const int before = server.requests();
  EXPECT_EQ(ask(second, plain_request()).text, "yes");
  EXPECT_EQ(server.requests(), before + 1);
  EXPECT_THAT(notices, testing::ElementsAre(HasSubstr(std::string("'") + refused.field + "'"))) << "told once";
}

INSTANTIATE_TEST_SUITE_P(
    All, Adaptation,
    testing::Values(
        RefusedField{
            "OpenAi", "max_tokens",
            refused_parameter("max_tokens", "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'"), 400,
            "max_completion_tokens"},
        RefusedField{
            "Gemini", "seed",
            R"([{"error":{"code":400,"message":"Invalid JSON payload received. Unknown name \"seed\": Cannot find"}}])",
            400, ""},
        RefusedField{
            "Mistral", "seed",
            R"({"message":{"detail":[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs"}]}})", 422,
            ""},
        RefusedField{"FastApi", "seed",
                     R"({"detail":[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs"}]})", 422, ""},
        RefusedField{"InWordsAlone", "seed", "seed is not a field of this route", 400, ""}),
    [](const auto& test) { return test.param.name; });

TEST(RefusedFields, OfSeveralFieldsTakesOneAfterTheOther) {
  StrictServer server([&](const json& body) -> std::string {
    if (body.contains("max_tokens")) return refused_parameter("max_tokens", "max_tokens is not supported");
    if (body.contains("seed")) return refused_parameter("seed", "no seeds");
    return "";
  });
  HttpLanguageModel model(server.options());
  EXPECT_EQ(ask(model, plain_request()).text, "yes");
  EXPECT_EQ(server.requests(), 3);
}

TEST(RefusedFields, NeverChangesWhatWasAsked) {
  for (const char* field : {"temperature", "top_p", "model"}) {
    StrictServer server([&](const json& body) { return body.contains(field) ? refused_parameter(field, "no") : ""; });
    HttpLanguageModel model(server.options());
    icpi::CompletionRequest request = plain_request();
    request.sampling.top_p = 0.5;
    const Completion completion = ask(model, request);
    EXPECT_EQ(completion.error.category, ErrorCategory::invalid_request) << field;
    EXPECT_EQ(server.requests(), 1) << field;
    if (std::string_view(field) == "model") continue;
    EXPECT_THAT(completion.error.message, HasSubstr(std::string("--omit ") + field));
  }
}

TEST(RefusedFields, LeavesWhatTheUserAddedAndEndsWhereNothingHelps) {
  StrictServer both([](const json&) { return refused_parameter("max_tokens", "max_tokens is not supported"); });
  HttpLanguageModel model(both.options());
  EXPECT_EQ(ask(model, plain_request()).error.category, ErrorCategory::invalid_request);
  EXPECT_LE(both.requests(), 3);
  StrictServer server([](const json& body) { return body.contains("top_k") ? refused_parameter("top_k", "no") : ""; });
  Options options = server.options();
  options.request.extra = R"({"top_k":5})";
  HttpLanguageModel added(options);
  EXPECT_THAT(ask(added, plain_request()).error.message, HasSubstr("'top_k' belongs to what was asked"));
  EXPECT_EQ(server.requests(), 1);
  Options off = server.options();
  off.request.adapt = false;
  off.request.extra = R"({"top_k":5})";
  HttpLanguageModel unadapted(off);
  EXPECT_THAT(ask(unadapted, plain_request()).error.message, Not(HasSubstr("belongs")));
}

}  // namespace
