// SPDX-License-Identifier: MIT
// What services are told about prompts that they may keep.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "borders.hpp"
#include "helpers.hpp"
#include "icpi/core/error.hpp"
#include "icpi/http/service.hpp"
#include "service_rules.hpp"

namespace {

using icpi::Completion;
using icpi::CompletionRequest;
using icpi::http::ChatStyle;
using icpi::http::Dialect;
using icpi::http::HttpLanguageModel;
using icpi::http::Options;
using icpi::http::PromptCache;
using icpi::http::Service;
using icpi_test::ask;
using icpi_test::BorderedPrompt;
using icpi_test::HttpReply;
using icpi_test::HttpRequest;
using icpi_test::quick_options;
using icpi_test::ScriptedServer;
using icpi_test::ServiceRules;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* query = "state 8\ngo\n";

/// What OpenAI's models of both generations take beyond what their rules name: marks are new.
enum class Generation { marks_refused, marks_taken };

/// A chat service that refuses what it does not know, also inside messages; keeps what it took.
class StrictService {
 public:
  StrictService(ServiceRules rules, Generation generation)
      : rules_(std::move(rules)),
        generation_(generation),
        server_([this](const HttpRequest& request) { return answer(json::parse(request.body)); }) {
    if (generation_ == Generation::marks_taken) rules_.fields.insert("prompt_cache_options");
  }

  [[nodiscard]] Options options(PromptCache cache) const {
    Options options = quick_options({server_.url()});
    options.dialect = Dialect::chat;
    options.request.prompt_cache = cache;
    options.request.omit = {"max_tokens", "seed"};
    return options;
  }

  std::vector<json> taken;
  int refused = 0;

 private:
  /// The first unknown member of a part of a message; empty: none.
  [[nodiscard]] std::string unknown_part(const json& body) const {
    for (const json& message : body.at("messages")) {
      if (message.at("content").is_string()) continue;
      for (const json& part : message.at("content")) {
        for (const auto& [name, value] : part.items()) {
          if (name == "type" || name == "text") continue;
          if (generation_ == Generation::marks_refused || value != json{{"mode", "explicit"}}) return name;
        }
      }
    }
    return {};
  }

  HttpReply answer(const json& body) {
    std::string unknown = rules_.refused_field(body);
    if (unknown.empty()) unknown = unknown_part(body);
    HttpReply reply;
    if (!unknown.empty()) {
      ++refused;
      reply.status = 400;
      reply.body = json{{"error",
                         {{"message", "Unknown parameter: '" + unknown + "'."},
                          {"type", "invalid_request_error"},
                          {"param", unknown},
                          {"code", "unknown_parameter"}}}}
                       .dump();
      return reply;
    }
    taken.push_back(body);
    reply.body = R"({"choices":[{"index":0,"message":{"content":"yes"}}],)"
                 R"("usage":{"prompt_tokens":5,"completion_tokens":1}})";
    return reply;
  }

  ServiceRules rules_;
  Generation generation_;
  ScriptedServer server_;
};

std::string key_of(const json& body) { return body.value("prompt_cache_key", std::string()); }

TEST(PromptCacheKey, IsThatOfThePrefixHoweverMuchIsAppended) {
  StrictService service(icpi_test::rules_of("openai"), Generation::marks_refused);
  HttpLanguageModel model(service.options(PromptCache::key));
  BorderedPrompt prompt;
  prompt.add_numbered(1);
  ASSERT_FALSE(ask(model, prompt.request(query, 3)).error);
  prompt.add_numbered(40);
  ASSERT_FALSE(ask(model, prompt.request(query, 3)).error);
  ASSERT_FALSE(ask(model, prompt.request(query, 4)).error);
  BorderedPrompt other;
  other.add("state 99\ngo\n", "then 1\n");
  ASSERT_FALSE(ask(model, other.request(query, 3)).error);
  ASSERT_FALSE(ask(model, prompt.request(query, 0)).error);
  ASSERT_EQ(service.taken.size(), 5U);
  const std::string key = key_of(service.taken[0]);
  EXPECT_THAT(key, testing::StartsWith("icpi-"));
  EXPECT_LE(key.size(), 64U) << "OpenAI takes no longer ones";
  EXPECT_EQ(key_of(service.taken[1]), key);
  EXPECT_NE(key_of(service.taken[2]), key) << "another prefix of this process";
  EXPECT_NE(key_of(service.taken[3]), key) << "a prefix of that identity in another process";
  EXPECT_FALSE(service.taken[4].contains("prompt_cache_key")) << "a prompt that nobody asks for again";
  for (const json& body : service.taken) EXPECT_TRUE(body.at("messages").back().at("content").is_string());
}

TEST(PromptCacheKey, GoesToTheServicesThatKnowItAndToNoOther) {
  for (const Service& each : icpi::http::services()) {
    const bool known =
        each.name == "openai" || each.name == "openai-reasoning" || each.name == "mistral" || each.name == "openrouter";
    EXPECT_EQ(each.prompt_cache, known ? PromptCache::key : PromptCache::none) << each.name;
    EXPECT_EQ(icpi::http::for_service(each).request.prompt_cache, each.prompt_cache) << each.name;
    const ServiceRules rules = icpi_test::rules_of(each.name);
    EXPECT_TRUE(!known || rules.fields.contains("prompt_cache_key")) << each.name;
    if (each.dialect != Dialect::chat) continue;
    StrictService service(rules, Generation::marks_refused);
    Options options = icpi::http::for_service(each, service.options(PromptCache::none));
    options.base_urls = service.options(PromptCache::none).base_urls;
    options.api_key_env.clear();
    HttpLanguageModel model(options);
    BorderedPrompt prompt;
    prompt.add_numbered(3);
    const Completion completion = ask(model, prompt.request(query, 3));
    EXPECT_FALSE(completion.error) << each.name << ": " << completion.error.message;
    EXPECT_EQ(service.refused, 0) << each.name;
    EXPECT_EQ(service.taken.at(0).contains("prompt_cache_key"), known) << each.name;
  }
}

TEST(PromptCacheKey, IsLeftOutOnceWhereItIsRefused) {
  StrictService service(icpi_test::rules_of("gemini"), Generation::marks_refused);
  HttpLanguageModel model(service.options(PromptCache::key));
  BorderedPrompt prompt;
  prompt.add_numbered(3);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(ask(model, prompt.request(query, 3)).error);
  EXPECT_EQ(service.refused, 1);
  EXPECT_EQ(service.taken.size(), 3U);
}

/// The texts that end with a mark, each with all that stands before it.
std::vector<std::string> breakpoints_of(const json& body) {
  std::vector<std::string> result;
  std::string so_far;
  for (const json& message : body.at("messages")) {
    const json& content = message.at("content");
    if (content.is_string()) so_far += message.at("role").get<std::string>() + content.get<std::string>();
    if (content.is_string()) continue;
    for (const json& part : content) {
      so_far += part.at("text").get<std::string>();
      if (part.contains("prompt_cache_breakpoint")) result.push_back(so_far);
    }
  }
  return result;
}

class PromptCacheBreakpoints : public testing::TestWithParam<ChatStyle> {};
INSTANTIATE_TEST_SUITE_P(Styles, PromptCacheBreakpoints, testing::Values(ChatStyle::continuation, ChatStyle::turns),
                         [](const auto& test) { return std::string(name(test.param)); });

TEST_P(PromptCacheBreakpoints, AreFoundAgainHoweverMuchIsAppended) {
  StrictService service(icpi_test::rules_of("openai"), Generation::marks_taken);
  Options options = service.options(PromptCache::breakpoints);
  options.chat_style = GetParam();
  HttpLanguageModel model(options);
  BorderedPrompt prompt;
  prompt.add_numbered(70);
  std::vector<std::string> before;
  for (int round = 0; round < 12; ++round) {
    ASSERT_FALSE(ask(model, prompt.request(query, 3)).error);
    const json& body = service.taken.back();
    EXPECT_EQ(body.at("prompt_cache_options"), (json{{"mode", "explicit"}, {"ttl", "30m"}}));
    EXPECT_FALSE(key_of(body).empty());
    const std::vector<std::string> now = breakpoints_of(body);
    EXPECT_GE(now.size(), 2U);
    EXPECT_LE(now.size(), 3U);
    const auto known = [&](const std::string& text) {
      return std::find(before.begin(), before.end(), text) != before.end();
    };
    EXPECT_TRUE(round == 0 || std::any_of(now.begin(), now.end(), known)) << round;
    before = now;
    prompt.add_numbered(round % 4 == 2 ? 1 : 5);
  }
}

TEST_P(PromptCacheBreakpoints, LeaveTheTextAsItIs) {
  StrictService service(icpi_test::rules_of("openai"), Generation::marks_taken);
  Options options = service.options(PromptCache::none);
  options.chat_style = GetParam();
  HttpLanguageModel plain(options);
  options.request.prompt_cache = PromptCache::breakpoints;
  HttpLanguageModel marking(options);
  const auto text_of = [](const json& content) {
    if (content.is_string()) return content.get<std::string>();
    std::string whole;
    for (const json& part : content) whole += part.at("text").get<std::string>();
    return whole;
  };
  for (const int examples : {0, 1, 16, 17, 90}) {
    BorderedPrompt prompt;
    prompt.add_numbered(examples);
    ASSERT_FALSE(ask(plain, prompt.request(query, 3)).error);
    ASSERT_FALSE(ask(marking, prompt.request(query, 3)).error);
    const json& without = service.taken[service.taken.size() - 2].at("messages");
    const json& with = service.taken.back().at("messages");
    ASSERT_EQ(with.size(), without.size());
    for (std::size_t i = 0; i < with.size(); ++i) {
      EXPECT_EQ(with[i].at("role"), without[i].at("role"));
      EXPECT_EQ(text_of(with[i].at("content")), text_of(without[i].at("content")));
    }
  }
}

TEST(PromptCacheBreakpoints, AreNotSetInPromptsThatNobodyAsksForAgain) {
  StrictService service(icpi_test::rules_of("openai"), Generation::marks_taken);
  HttpLanguageModel model(service.options(PromptCache::breakpoints));
  BorderedPrompt prompt;
  prompt.add_numbered(20);
  ASSERT_FALSE(ask(model, prompt.request(query, 0)).error);
  EXPECT_THAT(breakpoints_of(service.taken[0]), testing::IsEmpty());
  EXPECT_TRUE(service.taken[0].contains("prompt_cache_options")) << "else the service would keep what is not wanted";
  EXPECT_FALSE(service.taken[0].contains("prompt_cache_key"));
}

TEST(PromptCacheBreakpoints, AreAnErrorWhereTheModelDoesNotKnowThem) {
  StrictService service(icpi_test::rules_of("openai"), Generation::marks_refused);
  HttpLanguageModel model(service.options(PromptCache::breakpoints));
  BorderedPrompt prompt;
  prompt.add_numbered(3);
  EXPECT_THAT(ask(model, prompt.request(query, 3)).error.message, HasSubstr("prompt_cache_options"));
}

TEST(PromptCacheBreakpoints, AreKnownToChatAlone) {
  for (const Dialect dialect : {Dialect::completions, Dialect::anthropic, Dialect::responses, Dialect::llama_native}) {
    Options options = quick_options({"http://127.0.0.1:9/v1"});
    options.dialect = dialect;
    options.request.prompt_cache = PromptCache::breakpoints;
    EXPECT_THROW(HttpLanguageModel model(options), icpi::InvalidArgument);
  }
}

TEST(PromptCacheKey, GoesWithResponsesToo) {
  icpi_test::Recorder recorder(
      R"({"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"yes"}]}],)"
      R"("usage":{"input_tokens":5,"output_tokens":1}})");
  Options options = quick_options({recorder.server.url()});
  options.dialect = Dialect::responses;
  options.request.prompt_cache = PromptCache::key;
  HttpLanguageModel model(options);
  BorderedPrompt prompt;
  prompt.add_numbered(3);
  ASSERT_FALSE(ask(model, prompt.request(query, 3)).error);
  EXPECT_FALSE(key_of(recorder.sent).empty());
}

}  // namespace
