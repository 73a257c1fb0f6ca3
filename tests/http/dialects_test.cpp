// SPDX-License-Identifier: MIT
// What is sent, and what is read from the answers that real servers send.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "helpers.hpp"
#include "icpi/core/error.hpp"
#include "icpi/http/service.hpp"

namespace {

using icpi::Completion;
using icpi::ErrorCategory;
using icpi::FinishReason;
using icpi::http::Dialect;
using icpi::http::HttpLanguageModel;
using icpi::http::Options;
using icpi::http::ServerKind;
using icpi_test::ask;
using icpi_test::HttpReply;
using icpi_test::HttpRequest;
using icpi_test::plain_request;
using icpi_test::quick_options;
using icpi_test::Recorder;
using icpi_test::ScriptedServer;
using nlohmann::json;
using testing::HasSubstr;

const std::string_view stop_line = "\n";

icpi::CompletionRequest full_request() {
  icpi::CompletionRequest request;
  request.prefix = {7, "first \"line\"\\\n\ttab \xC3\xA9 \x01"};
  request.query = "query:";
  request.stop = {&stop_line, 1};
  request.sampling = {0.5, 0.9, 17};
  request.seed = 0xFFFFFFFFFFFFFFFFU;
  return request;
}

TEST(Completions, WritesWhatWasAskedAndNothingNeutral) {
  Recorder recorder(icpi_test::completion_body(" x"));
  HttpLanguageModel model(quick_options({recorder.server.url()}));
  EXPECT_EQ(ask(model, full_request()).text, " x");
  EXPECT_EQ(recorder.path, "/v1/completions");
  const json& sent = recorder.sent;
  EXPECT_EQ(sent.at("prompt"), "first \"line\"\\\n\ttab \xC3\xA9 \x01query:");
  EXPECT_EQ(sent.at("model"), "scripted");
  EXPECT_EQ(sent.at("temperature"), 0.5);
  EXPECT_EQ(sent.at("top_p"), 0.9);
  EXPECT_EQ(sent.at("max_tokens"), 17);
  EXPECT_EQ(sent.at("stop"), json::array({"\n"}));
  EXPECT_EQ(sent.size(), 7U) << sent << ": unknown fields are an error at strict services";
  EXPECT_LT(sent.at("seed").get<std::uint64_t>(), 1U << 31U);
}

TEST(Completions, SeedDependsOnSeedAndSampleIndex) {
  Recorder recorder(icpi_test::completion_body(" x"));
  HttpLanguageModel model(quick_options({recorder.server.url()}));
  std::vector<json> seeds;
  for (const auto& [seed, sample] : {std::pair{1U, 0U}, {2U, 0U}, {1U, 1U}, {1U, 0U}}) {
    icpi::CompletionRequest request = full_request();
    request.seed = seed;
    request.sample_index = sample;
    static_cast<void>(ask(model, request));
    seeds.push_back(recorder.sent.at("seed"));
  }
  EXPECT_NE(seeds[0], seeds[1]);
  EXPECT_NE(seeds[0], seeds[2]);
  EXPECT_EQ(seeds[0], seeds[3]);
}

TEST(Completions, ServersWithMoreSamplersGetThemNeutral) {
  Recorder recorder(icpi_test::completion_body(" x"));
  Options options = quick_options({recorder.server.url()});
  options.server = ServerKind::llama_server;
  HttpLanguageModel llama(options);
  static_cast<void>(ask(llama, full_request()));
  EXPECT_EQ(recorder.sent.at("repeat_penalty"), 1);
  EXPECT_EQ(recorder.sent.at("top_k"), 0);
  EXPECT_EQ(recorder.sent.at("min_p"), 0);
  EXPECT_EQ(recorder.sent.at("cache_prompt"), true);
  EXPECT_EQ(recorder.sent.at("presence_penalty"), 0);
  options.server = ServerKind::vllm;
  HttpLanguageModel vllm(options);
  static_cast<void>(ask(vllm, full_request()));
  EXPECT_EQ(recorder.sent.at("repetition_penalty"), 1);
  EXPECT_EQ(recorder.sent.at("top_k"), -1);
}

TEST(Completions, ReadsALlamaServersAnswer) {
  Recorder recorder(
      R"({"choices":[{"text":"lem\fj","index":0,"logprobs":null,"finish_reason":"length"}],"model":"m.gguf",)"
      R"("object":"text_completion","usage":{"completion_tokens":8,"prompt_tokens":11,"total_tokens":19,)"
      R"("prompt_tokens_details":{"cached_tokens":10}},"timings":{"cache_n":10,"prompt_ms":5.161}})");
  HttpLanguageModel model(quick_options({recorder.server.url()}));
  const Completion completion = ask(model, plain_request());
  EXPECT_EQ(completion.text, "lem\fj");
  EXPECT_EQ(completion.finish, FinishReason::length);
  EXPECT_EQ(completion.usage, (icpi::Usage{11, 10, 8}));
  EXPECT_EQ(model.statistics().usage, (icpi::Usage{11, 10, 8}));
}

TEST(Completions, LogprobsInBothShapes) {
  const std::string chat_shape =
      R"({"choices":[{"text":" a\nb","index":0,"finish_reason":"stop","logprobs":{"content":[)"
      R"({"id":1,"token":" a","logprob":-0.5,"top_logprobs":[]},{"id":2,"token":"\n","logprob":-1},)"
      R"({"id":3,"token":"b","logprob":-2}]}}]})";
  const std::string legacy_shape =
      R"({"choices":[{"text":" a\nb","index":0,"finish_reason":"stop","logprobs":{"tokens":[" a","\n","b"],)"
      R"("token_logprobs":[-0.5,-1,-2],"text_offset":[0,2,3]}}]})";
  for (const std::string& answer : {chat_shape, legacy_shape}) {
    Recorder recorder(answer);
    HttpLanguageModel model(quick_options({recorder.server.url()}));
    icpi::CompletionRequest request = full_request();
    request.want_logprobs = true;
    const Completion completion = ask(model, request);
    EXPECT_EQ(recorder.sent.at("logprobs"), 1);
    EXPECT_EQ(completion.text, " a") << "a stop string that the server left in is cut off";
    EXPECT_EQ(completion.finish, FinishReason::stop);
    ASSERT_EQ(completion.tokens.size(), 1U) << completion.error.message;
    EXPECT_EQ(completion.tokens[0], (icpi::TokenLogprob{" a", -0.5}));
  }
}

TEST(Completions, MissingLogprobsAreAnError) {
  for (const char* logprobs :
       {"null", "{}", R"({"tokens":["a"],"token_logprobs":[null]})", R"({"content":[{"token":1}]})"}) {
    Recorder recorder(fmt::format(R"({{"choices":[{{"text":"a","index":0,"logprobs":{}}}]}})", logprobs));
    HttpLanguageModel model(quick_options({recorder.server.url()}));
    icpi::CompletionRequest request = plain_request();
    request.want_logprobs = true;
    EXPECT_EQ(ask(model, request).error.category, ErrorCategory::invalid_request) << logprobs;
    EXPECT_EQ(recorder.server.requests(), 1);
  }
}

TEST(Completions, OfNoTextHaveNoLogprobs) {
  Recorder recorder(R"({"choices":[{"text":"","index":0,"finish_reason":"stop","logprobs":null}]})");
  HttpLanguageModel model(quick_options({recorder.server.url()}));
  icpi::CompletionRequest request = plain_request();
  request.want_logprobs = true;
  const Completion completion = ask(model, request);
  EXPECT_FALSE(completion.error) << completion.error.message;
  EXPECT_TRUE(completion.tokens.empty());
}

TEST(Completions, ArraysComeBackByIndexAndOnlyGapsAreAskedAgain) {
  std::mutex mutex;
  std::vector<json> prompts;
  ScriptedServer server([&](const HttpRequest& request) {
    const json sent = json::parse(request.body);
    const std::lock_guard lock(mutex);
    prompts.push_back(sent.at("prompt"));
    if (sent.at("prompt").is_string()) return icpi_test::echo_reply(request);
    json choices = json::array();
    const auto& list = sent.at("prompt");
    for (std::size_t i = list.size(); i-- > 0;) {  // last first, and one is missing
      if (i == 1) continue;
      choices.push_back({{"index", i}, {"text", icpi_test::echo_text(list[i])}, {"finish_reason", "stop"}});
    }
    HttpReply reply;
    reply.body = json{{"choices", choices}, {"usage", {{"prompt_tokens", 30}, {"completion_tokens", 9}}}}.dump();
    return reply;
  });
  Options options = quick_options({server.url()});
  options.prompts_per_request = 4;
  options.concurrency = 1;
  HttpLanguageModel model(options);
  std::vector<std::string> queries;
  for (int i = 0; i < 5; ++i) queries.push_back(fmt::format("question {}", i));
  for (int i = 0; i < 5; ++i) {
    icpi::CompletionRequest request = plain_request(queries[static_cast<std::size_t>(i)]);
    request.sampling.temperature = 0;
    request.seed = static_cast<std::uint64_t>(i);
    model.submit(request, static_cast<icpi::Ticket>(i));
  }
  std::size_t left = 5;
  icpi::FinishedCompletion finished;
  while (left > 0) {
    ASSERT_EQ(model.collect({&finished, 1}, std::chrono::seconds(5)), 1U);
    EXPECT_EQ(finished.completion.text, icpi_test::echo_text(queries[finished.ticket]))
        << finished.completion.error.message;
    --left;
  }
  // Four together, the one that is left, and the gap once more.
  EXPECT_EQ(prompts, (std::vector<json>{{queries[0], queries[1], queries[2], queries[3]}, queries[4], queries[1]}));
}

TEST(Completions, TextsOfEveryKindSurvive) {
  ScriptedServer server([](const HttpRequest& request) {
    HttpReply reply;
    reply.body = icpi_test::completion_body(json::parse(request.body).at("prompt").get<std::string>());
    return reply;
  });
  HttpLanguageModel model(quick_options({server.url()}));
  for (const std::string text : {"\"quotes\" and \\ slashes/", "tabs\tand\r\nlines\b\f",
                                 "\xE2\x82\xAC \xF0\x9F\x98\x80 \xED\x9F\xBF", "\x7F\x1F", "</script>"}) {
    EXPECT_EQ(ask(model, plain_request(text)).text, text);
  }
}

TEST(Chat, SendsASystemMessageAndOneUserMessage) {
  Recorder recorder(
      R"({"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":" 3\nrest"}}],)"
      R"("usage":{"prompt_tokens":20,"completion_tokens":2}})");
  Options options = quick_options({recorder.server.url()});
  options.dialect = Dialect::chat;
  HttpLanguageModel model(options);
  const Completion completion = ask(model, full_request());
  EXPECT_EQ(completion.text, " 3");
  EXPECT_EQ(completion.finish, FinishReason::stop);
  EXPECT_EQ(recorder.path, "/v1/chat/completions");
  const json& messages = recorder.sent.at("messages");
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].at("role"), "system");
  EXPECT_EQ(messages[0].at("content"), std::string(icpi::http::default_system_message));
  EXPECT_EQ(messages[1].at("content"), "first \"line\"\\\n\ttab \xC3\xA9 \x01query:");
  EXPECT_FALSE(recorder.sent.contains("stop")) << "an answer may begin with a newline";
}

TEST(Chat, RefusalsAndEmptyMessages) {
  Options options = quick_options({});
  options.dialect = Dialect::chat;
  Recorder refusal(R"({"choices":[{"index":0,"message":{"content":null,"refusal":"I will not"}}]})");
  options.base_urls = {refusal.server.url()};
  HttpLanguageModel refusing(options);
  EXPECT_EQ(ask(refusing, plain_request()).error.category, ErrorCategory::invalid_request);
  Recorder nothing(R"({"choices":[{"index":0,"message":{"content":null}}]})");
  options.base_urls = {nothing.server.url()};
  HttpLanguageModel empty(options);
  EXPECT_EQ(ask(empty, plain_request()).error.category, ErrorCategory::invalid_request);
  EXPECT_EQ(nothing.server.requests(), 1) << "it came in whole";
}

TEST(Native, WritesAndReadsLlamaServersOwnRoute) {
  Recorder recorder(
      R"({"index":0,"content":"lwr","tokens":[],"id_slot":0,"stop":true,"tokens_predicted":4,"tokens_evaluated":4,)"
      R"("stop_type":"limit","timings":{"cache_n":3,"prompt_n":1},)"
      R"("completion_probabilities":[{"id":5,"token":"lwr","logprob":-1.5,"top_logprobs":[]}]})");
  Options options = quick_options({recorder.server.url()});
  options.dialect = Dialect::llama_native;
  HttpLanguageModel model(options);
  icpi::CompletionRequest request = full_request();
  request.want_logprobs = true;
  const Completion completion = ask(model, request);
  EXPECT_EQ(recorder.path, "/completion");
  EXPECT_EQ(recorder.sent.at("n_predict"), 17);
  EXPECT_EQ(recorder.sent.at("repeat_penalty"), 1);
  EXPECT_EQ(completion.text, "lwr");
  EXPECT_EQ(completion.finish, FinishReason::length);
  EXPECT_EQ(completion.usage, (icpi::Usage{4, 3, 4}));
  EXPECT_EQ(completion.tokens, (std::vector<icpi::TokenLogprob>{{"lwr", -1.5}}));
}

TEST(Choices, AreSentInEachServersWordsAndChecked) {
  const std::vector<std::string_view> choices{"left (1)", "say \"hi\"\n"};
  icpi::CompletionRequest request = plain_request();
  request.choices = choices;
  Recorder recorder(icpi_test::completion_body("left (1)"));
  Options options = quick_options({recorder.server.url()});

  options.server = ServerKind::llama_server;
  icpi::http::ChoiceConstrainedHttpModel llama(options);
  EXPECT_EQ(ask(llama, request).text, "left (1)");
  EXPECT_EQ(recorder.sent.at("grammar"), R"x(root ::= "left (1)" | "say \"hi\"\x0A")x");

  options.server = ServerKind::vllm;
  icpi::http::ChoiceConstrainedHttpModel vllm(options);
  EXPECT_EQ(ask(vllm, request).text, "left (1)");
  EXPECT_EQ(recorder.sent.at("structured_outputs").at("choice").size(), 2U);
  options.vllm_choice_field = icpi::http::VllmChoiceField::guided_choice;
  icpi::http::ChoiceConstrainedHttpModel older(options);
  EXPECT_EQ(ask(older, request).text, "left (1)");
  EXPECT_EQ(recorder.sent.at("guided_choice")[1], "say \"hi\"\n");

  options.server = ServerKind::sglang;
  icpi::http::ChoiceConstrainedHttpModel sglang(options);
  EXPECT_EQ(ask(sglang, request).text, "left (1)");
  EXPECT_EQ(recorder.sent.at("regex"), "(left \\(1\\)|say \"hi\"\n)");

  const std::vector<std::string_view> others{"x", "y"};
  request.choices = others;
  const Completion ignored = ask(sglang, request);
  EXPECT_FALSE(ignored.error);
  EXPECT_EQ(ignored.text, "left (1)") << "handed out as it came";
  EXPECT_EQ(sglang.statistics().ignored_choices, 1U);

  options.server = ServerKind::generic;
  EXPECT_THROW(icpi::http::ChoiceConstrainedHttpModel{options}, icpi::Error);
}

HttpReply json_reply(const json& body, std::string headers = "") {
  HttpReply reply;
  reply.body = body.dump();
  reply.headers = std::move(headers);
  return reply;
}

TEST(Probe, RecognisesALlamaServer) {
  ScriptedServer server([](const HttpRequest& request) {
    if (request.path == "/v1/models") return json_reply({{"data", {{{"id", "m.gguf"}, {"owned_by", "llamacpp"}}}}});
    if (request.path == "/props") {
      return json_reply({{"total_slots", 4}, {"build_info", "b1"}, {"default_generation_settings", {{"n_ctx", 2048}}}});
    }
    return icpi_test::echo_reply(request);
  });
  Options options = quick_options({server.url()});
  options.probe = true;
  options.model.clear();
  HttpLanguageModel model(options);
  EXPECT_EQ(model.capabilities().model, "m.gguf");
  EXPECT_TRUE(model.capabilities().choices);
  EXPECT_EQ(model.context_limit(), 2048U);
  const std::string text = describe(model.capabilities());
  EXPECT_THAT(text, testing::AllOf(HasSubstr("llama-server b1"), HasSubstr("4 slots"), HasSubstr("context 2048")));
  EXPECT_FALSE(ask(model, plain_request()).error);
}

TEST(Probe, KnowsVllmAndChecksTheModelsName) {
  ScriptedServer server([](const HttpRequest&) {
    return json_reply({{"data", {{{"id", "a"}, {"owned_by", "vllm"}, {"max_model_len", 4096}}, {{"id", "b:latest"}}}}});
  });
  std::vector<std::string> notices;
  Options options = quick_options({server.url()});
  options.probe = true;
  options.notice = [&](std::string_view line) { notices.emplace_back(line); };
  const auto probe = [&](const std::string& model) -> std::string {
    options.model = model;
    try {
      const HttpLanguageModel probed(options);
      EXPECT_EQ(probed.capabilities().servers[0].kind, ServerKind::vllm);
      return "found";
    } catch (const icpi::Error& error) {
      return error.what();
    }
  };
  EXPECT_EQ(probe("a"), "found");
  EXPECT_EQ(probe("b"), "found");
  EXPECT_TRUE(notices.empty());
  EXPECT_EQ(probe("c"), "found") << "a list is a hint";
  EXPECT_THAT(notices, testing::ElementsAre(testing::AllOf(HasSubstr("'c'"), HasSubstr("it lists: a, b:latest"))));
  EXPECT_THAT(probe(""), HasSubstr("lists 2 models"));
}

TEST(Probe, SaysWhatIsWrong) {
  const auto problem = [](int status) -> std::string {
    ScriptedServer server([&](const HttpRequest&) {
      HttpReply reply;
      reply.status = status;
      reply.body = R"({"error":{"message":"broken"}})";
      return reply;
    });
    Options options = quick_options({server.url()});
    options.probe = true;
    try {
      const HttpLanguageModel model(options);
    } catch (const icpi::Error& error) {
      return error.what();
    }
    return "fine";
  };
  EXPECT_THAT(problem(401), HasSubstr("wants a key"));
  EXPECT_THAT(problem(500), HasSubstr("broken"));
  EXPECT_EQ(problem(404), "fine") << "some servers list no models";
  Options options = quick_options({"127.0.0.1:1"});
  options.probe = true;
  EXPECT_THROW(HttpLanguageModel{options}, icpi::Error);
}

TEST(Probe, AsksAgainWhileTheServerIsBrokenOrBusy) {
  for (const int status : {500, 502, 503, 429, 408}) {
    std::atomic<int> asked{0};
    ScriptedServer server([&](const HttpRequest&) {
      HttpReply reply = json_reply({{"data", {{{"id", "m"}}}}});
      if (++asked < 3) reply.status = status;
      return reply;
    });
    Options options = quick_options({server.url()});
    options.probe = true;
    options.model.clear();
    EXPECT_EQ(HttpLanguageModel(options).capabilities().model, "m") << status;
    EXPECT_EQ(asked, 3) << status;
  }
}

TEST(Probe, GoesOnWithoutAServerThatIsAway) {
  ScriptedServer server([](const HttpRequest& request) {
    if (request.method == "GET") return json_reply({{"data", {{{"id", "m.gguf"}, {"owned_by", "llamacpp"}}}}});
    return icpi_test::echo_reply(request);
  });
  std::vector<std::string> notices;
  Options options = quick_options({"127.0.0.1:1", server.url()});
  options.probe = true;
  options.model.clear();
  options.notice = [&](std::string_view line) { notices.emplace_back(line); };
  HttpLanguageModel model(options);
  EXPECT_THAT(notices, testing::ElementsAre(HasSubstr("127.0.0.1:1/v1/models does not answer")));
  EXPECT_EQ(model.capabilities().model, "m.gguf");
  EXPECT_TRUE(model.capabilities().choices);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(ask(model, plain_request()).error);
}

TEST(Probe, AllServersMustHaveTheModelThatTheFirstOneLists) {
  const auto serving = [](const char* name) {
    return [name](const HttpRequest&) { return json_reply({{"data", {{{"id", name}, {"owned_by", "llamacpp"}}}}}); };
  };
  ScriptedServer first(serving("a"));
  ScriptedServer second(serving("b"));
  Options options = quick_options({first.url(), second.url()});
  options.probe = true;
  options.model.clear();
  EXPECT_THROW(HttpLanguageModel{options}, icpi::Error);
  options.model = "a";  // llama-server answers to every name
  EXPECT_EQ(HttpLanguageModel(options).capabilities().model, "a");
}

TEST(Environment, NamesServersAndTheKeysVariable) {
  setenv("OPENAI_BASE_URL", "http://a:1/v1,http://b:2", 1);
  setenv("OPENAI_API_KEY", "sk-from-the-environment", 1);
  const Options options = icpi::http::from_environment();
  EXPECT_EQ(options.base_urls, (std::vector<std::string>{"http://a:1/v1", "http://b:2"}));
  EXPECT_EQ(options.api_key_env, "OPENAI_API_KEY");
  unsetenv("OPENAI_BASE_URL");
  unsetenv("OPENAI_API_KEY");
  EXPECT_EQ(icpi::http::from_environment().base_urls, Options{}.base_urls);
  EXPECT_EQ(icpi::http::from_environment().api_key_env, "");
}

TEST(Identity, OfServersThatMovedIsThatOfTheirOldPlaces) {
  Options options = quick_options({"127.0.0.1:1"});
  const std::string identity = HttpLanguageModel(options).identity();
  options.base_urls = {"127.0.0.1:2"};
  EXPECT_NE(HttpLanguageModel(options).identity(), identity);
  options.moved_from = {"http://127.0.0.1:1/v1"};
  EXPECT_EQ(HttpLanguageModel(options).identity(), identity);
}

TEST(Identity, OfKnownServicesKeepsItsBytes) {
  const auto identity = [](const char* service) {
    Options options = for_service(icpi::http::find_service(service), quick_options({}));
    options.api_key_env.clear();
    return HttpLanguageModel(options).identity();
  };
  EXPECT_EQ(identity("deepseek"),
            "http chat scripted at https://api.deepseek.com:443/v1 without seed with "
            R"({"thinking":{"type":"disabled"}} to temperature 2)");
  EXPECT_EQ(identity("openai"), "http chat scripted at https://api.openai.com:443/v1 to temperature 2");
  EXPECT_EQ(identity("llama-server"), "http completions scripted at http://127.0.0.1:8080/v1");
}

TEST(Identity, DependsOnOptionsAloneAndCanBeSet) {
  Options options = quick_options({"127.0.0.1:1", "http://b:2/v1/"});
  const std::string identity = HttpLanguageModel(options).identity();
  std::swap(options.base_urls[0], options.base_urls[1]);
  options.concurrency = 3;
  EXPECT_EQ(HttpLanguageModel(options).identity(), identity);
  options.model = "other";
  EXPECT_NE(HttpLanguageModel(options).identity(), identity);
  options.identity = "mine";
  EXPECT_EQ(HttpLanguageModel(options).identity(), "mine");
}

}  // namespace
