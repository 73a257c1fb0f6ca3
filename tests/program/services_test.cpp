// SPDX-License-Identifier: MIT
// Every known service against a server that refuses what the real one refuses, with an oracle of the chain behind it.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "http/oracle_server.hpp"
#include "icpi/core/error.hpp"
#include "icpi/experiment/episode_record.hpp"
#include "icpi/http/service.hpp"
#include "program/command_line.hpp"

namespace icpi::program {
namespace {

using icpi_test::ChainOracle;
using icpi_test::HttpReply;
using icpi_test::HttpRequest;
using icpi_test::ScriptedServer;
using nlohmann::json;
using ::testing::HasSubstr;
using Fields = std::set<std::string>;

/// What a real service takes.
struct Real {
  Fields fields;                                                   ///< every other one is refused
  std::string path = "/v1/chat/completions";                       ///< of questions
  std::string header = "authorization: bearer service-key-12345";  ///< that must be there; empty: none
  bool (*fault)(const json& body) = nullptr;                       ///< a value out of its range
};

const Fields chat_fields{"model", "messages", "temperature", "top_p", "stop"};

Fields with(Fields fields, const Fields& more) {
  fields.insert(more.begin(), more.end());
  return fields;
}

Fields completion_fields(const Fields& more) {
  return with({"model", "prompt", "max_tokens", "temperature", "top_p", "stop", "seed", "presence_penalty",
               "frequency_penalty"},
              more);
}

double temperature(const json& body) { return body.value("temperature", 1.0); }

Real real(const std::string& service) {
  const Fields bounded = with(chat_fields, {"max_tokens"});
  Real real{bounded};
  if (service == "openai") {
    real.fields = with(chat_fields, {"max_tokens", "max_completion_tokens", "seed"});
    real.fault = [](const json& body) { return temperature(body) > 2; };
    return real;
  }
  if (service == "openai-reasoning") {
    real.fields = {"model", "messages", "max_completion_tokens", "reasoning_effort"};
    return real;
  }
  if (service == "anthropic") {
    return {{"model", "system", "messages", "max_tokens", "stop_sequences", "thinking", "output_config"},
            "/v1/messages",
            "x-api-key: service-key-12345",
            [](const json& body) { return body.at("messages").back().at("role") != "user"; }};
  }
  if (service == "gemini" || service == "litellm") return real;
  if (service == "mistral") {
    real.fields.insert("random_seed");
    real.fault = [](const json& body) { return temperature(body) > 1.5; };
    return real;
  }
  if (service == "deepseek") {
    real.fields.insert("thinking");
    real.fault = [](const json& body) { return body.at("thinking").at("type") != "disabled"; };
    return real;
  }
  if (service == "azure") {
    real.fields = with(chat_fields, {"max_completion_tokens", "seed"});
    real.header = "api-key: service-key-12345";
    return real;
  }
  if (service == "openrouter") {
    real.fields.insert("provider");
    real.fault = [](const json& body) { return body.at("provider").at("require_parameters") != true; };
    return real;
  }
  if (service == "tgi") {
    real.fields.insert("seed");
    real.header.clear();
    real.fault = [](const json& body) { return temperature(body) <= 0 || body.value("top_p", 0.5) >= 1; };
    return real;
  }
  const Fields llama{"top_k",          "min_p",         "typical_p",      "top_n_sigma",
                     "repeat_penalty", "repeat_last_n", "dynatemp_range", "xtc_probability",
                     "dry_multiplier", "mirostat",      "cache_prompt"};
  const std::string path = "/v1/completions";
  if (service == "llama-server") return {completion_fields(llama), path, ""};
  if (service == "vllm" || service == "sglang") {
    return {completion_fields({"top_k", "min_p", "repetition_penalty"}), path, "",
            [](const json& b) { return b.at("stop").size() > 4; }};
  }
  return {completion_fields({}), path, ""};  // ollama, generic
}

/// Anthropic's message as the request of chat with the same last message.
HttpRequest as_chat(HttpRequest request) {
  const json asked = json::parse(request.body);
  const json& content = asked.at("messages").back().at("content");
  std::string text = content.is_string() ? content.get<std::string>() : "";
  if (content.is_array()) {
    for (const json& block : content) text += block.at("text").get<std::string>();
  }
  request.body = json{{"messages", {{{"role", "user"}, {"content", text}}}}}.dump();
  return request;
}

/// The answer of chat as Anthropic's; half of the prompt was kept.
std::string as_message(const std::string& chat) {
  const json answer = json::parse(chat);
  const auto prompt = answer.at("usage").at("prompt_tokens").get<std::uint64_t>();
  const json text{{"type", "text"}, {"text", answer.at("choices").at(0).at("message").at("content")}};
  return json{{"type", "message"},
              {"content", json::array({text})},
              {"stop_reason", "end_turn"},
              {"usage",
               {{"input_tokens", prompt - prompt / 2},
                {"cache_read_input_tokens", prompt / 2},
                {"cache_creation_input_tokens", 0},
                {"output_tokens", answer.at("usage").at("completion_tokens")}}}}
      .dump();
}

/// The service: refuses, counts what it is asked and what it counts as used.
class ServiceServer {
 public:
  explicit ServiceServer(Real real)
      : real_(std::move(real)), server_([this](const HttpRequest& request) { return answer(request); }) {}
  [[nodiscard]] std::string url() const { return server_.url(); }
  [[nodiscard]] std::string refusals() const {
    const std::lock_guard lock(mutex_);
    return refusals_;
  }
  [[nodiscard]] std::uint64_t prompt_tokens() const { return prompt_tokens_; }
  [[nodiscard]] std::uint64_t completion_tokens() const { return completion_tokens_; }

 private:
  std::string fault_of(const HttpRequest& request, const json& body) const {
    if (request.path != real_.path) return "no route " + request.path;
    if (request.headers.find("\r\n" + real_.header) == std::string::npos) return "no key";
    for (const auto& [field, value] : body.items()) {
      if (!real_.fields.contains(field)) return "unknown field " + field;
    }
    return real_.fault != nullptr && real_.fault(body) ? "a value is out of range: " + body.dump().substr(0, 200) : "";
  }

  HttpReply answer(const HttpRequest& request) {
    if (request.method == "GET") return oracle_(request);
    const json body = json::parse(request.body);
    if (const std::string fault = fault_of(request, body); !fault.empty()) {
      const std::lock_guard lock(mutex_);
      refusals_ += fault + "\n";
      HttpReply reply;
      reply.status = 400;
      reply.body = json{{"error", {{"message", fault}}}}.dump();
      return reply;
    }
    const bool message = request.path == "/v1/messages";
    HttpReply reply = oracle_(message ? as_chat(request) : request);
    const json usage = json::parse(reply.body).at("usage");
    prompt_tokens_ += usage.at("prompt_tokens").get<std::uint64_t>();
    completion_tokens_ += usage.at("completion_tokens").get<std::uint64_t>();
    if (message) reply.body = as_message(reply.body);
    return reply;
  }

  const Real real_;
  ChainOracle oracle_;
  mutable std::mutex mutex_;
  std::string refusals_;
  std::atomic<std::uint64_t> prompt_tokens_{0};
  std::atomic<std::uint64_t> completion_tokens_{0};
  ScriptedServer server_;
};

class KnownServices : public CommandLineTest, public testing::WithParamInterface<http::Service> {
 protected:
  KnownServices() {
    unsetenv("OPENAI_BASE_URL");
    unsetenv("OPENAI_API_KEY");
    const std::string variable(GetParam().key_variable);
    if (!variable.empty()) setenv(variable.c_str(), "service-key-12345", 1);
  }
  ~KnownServices() override {
    const std::string variable(GetParam().key_variable);
    if (!variable.empty()) unsetenv(variable.c_str());
  }
  /// The words of a run that learns from this server.
  [[nodiscard]] std::vector<std::string> train(const ServiceServer& server) const {
    return {"train",
            "--domain",
            "chain",
            "--model",
            "http",
            "--service",
            std::string(GetParam().name),
            "--base-url",
            server.url(),
            "--model-name",
            "chain-oracle",
            "--seeds",
            "0:1",
            "--set",
            "mode=stable",
            "--set",
            "temperature=0",
            "--steps",
            "60",
            "--out",
            path("out")};
  }
};

TEST_P(KnownServices, GetNothingThatTheyRefuseAndAreBookedToTheToken) {
  ServiceServer server(real(std::string(GetParam().name)));
  const CommandResult result = icpi(train(server));
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(server.refusals(), "");
  EXPECT_THAT(result.out, HasSubstr(" " + std::to_string(server.prompt_tokens()) + " prompt tokens"));
  EXPECT_THAT(result.out, HasSubstr(" " + std::to_string(server.completion_tokens()) + " completion tokens"));
  std::vector<double> regrets;
  std::istringstream lines(read(path("out/episodes.jsonl")));
  for (std::string line; std::getline(lines, line);) regrets.push_back(parse_episode_record(line).regret);
  ASSERT_GT(regrets.size(), 8U);
  const auto late = std::count_if(regrets.end() - 4, regrets.end(), [](double regret) { return regret < 0.01; });
  EXPECT_GE(late, 3) << "it learned";
}

TEST_P(KnownServices, LearnFromTurnsToo) {
  if (GetParam().dialect == http::Dialect::completions) GTEST_SKIP() << "it is asked to complete texts";
  ServiceServer server(real(std::string(GetParam().name)));
  std::vector<std::string> words = train(server);
  words.insert(words.end(), {"--chat-style", "turns", "--instruction", "Go on."});
  const CommandResult result = icpi(words);
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(server.refusals(), "");
  EXPECT_THAT(result.out, HasSubstr(" " + std::to_string(server.prompt_tokens()) + " prompt tokens"));
}

TEST_P(KnownServices, WouldRefuseAnotherField) {
  ServiceServer server(real(std::string(GetParam().name)));
  std::vector<std::string> words = train(server);
  words.insert(words.end(),
               {"--extra", R"({"planted":1,"thinking":{"type":"disabled"},"provider":{"require_parameters":true}})"});
  EXPECT_EQ(icpi(words).code, 1);
  EXPECT_THAT(server.refusals(), HasSubstr("unknown field planted"));
}

INSTANTIATE_TEST_SUITE_P(All, KnownServices, testing::ValuesIn(http::services()), [](const auto& test) {
  std::string name(test.param.name);
  std::erase(name, '-');
  return name;
});

TEST(Services, AreFoundByName) {
  EXPECT_EQ(http::find_service("mistral").key_variable, "MISTRAL_API_KEY");
  try {
    static_cast<void>(http::find_service("misral"));
    ADD_FAILURE() << "there is no such service";
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(), HasSubstr("openai, openai-reasoning, anthropic"));
  }
}

class ServiceOption : public CommandLineTest {};

TEST_F(ServiceOption, WantsTheServicesOwnKey) {
  unsetenv("MISTRAL_API_KEY");
  setenv("OPENAI_API_KEY", "key-of-another-service", 1);
  const CommandResult result = icpi({"models", "--model", "http", "--service", "mistral", "--model-name", "m"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.error, HasSubstr("MISTRAL_API_KEY"));
  EXPECT_EQ(icpi({"models", "--model", "http", "--service", "nobody"}).code, 2);
  unsetenv("OPENAI_API_KEY");
}

}  // namespace
}  // namespace icpi::program
