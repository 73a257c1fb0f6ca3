// SPDX-License-Identifier: MIT
// A whole run with cache and recording: what it leaves behind holds no key, and a second one asks nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "helpers.hpp"
#include "icpi/domains/chain_formatter.hpp"
#include "icpi/icpi.hpp"
#include "icpi/models/budget.hpp"
#include "icpi/models/recording.hpp"
#include "icpi/store/completion_cache.hpp"
#include "support/agent_options.hpp"

namespace {

using icpi::http::HttpLanguageModel;
using icpi_test::HttpReply;
using icpi_test::HttpRequest;
using icpi_test::ScriptedServer;
using Budgeted = icpi::BudgetedModel<HttpLanguageModel>;
using Cached = icpi::store::CompletionCache<Budgeted>;
using Recorded = icpi::RecordingModel<Cached>;

const std::string key = "sk-artefact-key-55501";

/// Continues a prompt with the last line that followed the same line before: enough to play with.
std::string continuation(const std::string& prompt) {
  std::vector<std::string> lines;
  std::size_t start = 0;
  for (std::size_t end = prompt.find('\n'); end != std::string::npos; end = prompt.find('\n', start)) {
    lines.push_back(prompt.substr(start, end - start));
    start = end + 1;
  }
  if (lines.empty()) return "\n";
  for (std::size_t i = lines.size() - 1; i-- > 0;) {
    if (lines[i] == lines.back()) return lines[i + 1] + "\n";
  }
  return lines.front() + "\n";
}

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Artefacts : public testing::Test {
 protected:
  Artefacts() {
    std::string pattern = (std::filesystem::temp_directory_path() / "icpi-artefacts-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    setenv("ICPI_TEST_KEY", key.c_str(), 1);
  }
  ~Artefacts() override { std::filesystem::remove_all(folder_); }

  /// Plays 40 steps; what they cost.
  icpi::Costs play(const ScriptedServer& server, const char* recording, bool require = false) {
    icpi::http::Options options = icpi_test::quick_options({server.url()});
    options.api_key_env = "ICPI_TEST_KEY";
    options.retries.attempts = 20;
    options.notice = [this](std::string_view line) { said_ += line; };
    icpi::store::CacheOptions cache;
    cache.file = folder_ / "answers.db";
    cache.require = require;
    cache.notice = options.notice;
    Recorded model(Cached(Budgeted(HttpLanguageModel(options), {.calls = 100000}), cache), folder_ / recording);
    icpi::Chain env;
    icpi::PolicyIterationOptions agent_options = icpi::paper_options();
    agent_options.seed = 5;
    agent_options.prompts.examples = icpi_test::examples_of(icpi_test::PromptMode::stable);
    icpi::PolicyIteration<icpi::Chain, Recorded> agent(env, model, agent_options);
    agent.train(env, {.steps = 40});
    said_ += model.identity();
    return agent.costs();
  }

  std::filesystem::path folder_;
  std::string said_;
};

TEST_F(Artefacts, HoldNoKeyAndASecondRunAsksNothing) {
  std::atomic<int> asked{0};
  const auto serve = [&](bool faults) {
    return [&asked, faults](const HttpRequest& request) {
      HttpReply reply;
      const int number = asked++;
      if (faults && number % 5 == 3) {
        reply.status = number % 2 == 0 ? 500 : 503;
        reply.body = R"({"error":{"message":"not with key )" + key + R"("}})";
        return reply;
      }
      if (request.headers.find(key) == std::string::npos) {
        reply.status = 401;
        return reply;
      }
      reply.body = icpi_test::completion_body(continuation(nlohmann::json::parse(request.body).at("prompt")));
      return reply;
    };
  };
  std::uint16_t port = 0;
  icpi::Costs first;
  {
    ScriptedServer stormy(serve(true));
    port = stormy.port();
    first = play(stormy, "first.jsonl");
  }
  EXPECT_GT(first.lm_calls, 50U);
  EXPECT_EQ(first.failures, 0U);
  asked = 0;
  ScriptedServer calm(serve(false), port);
  const icpi::Costs second = play(calm, "second.jsonl");
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(first, second);
  EXPECT_EQ(content(folder_ / "first.jsonl"), content(folder_ / "second.jsonl"));
  const icpi::Costs replay = play(calm, "third.jsonl", true);
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(first, replay);

  // Without the cache and without faults: equal records.
  for (const char* file : {"answers.db", "answers.db-wal", "answers.db-shm"}) std::filesystem::remove(folder_ / file);
  EXPECT_EQ(play(calm, "fourth.jsonl"), first);
  EXPECT_GT(asked, 0);
  EXPECT_EQ(content(folder_ / "first.jsonl"), content(folder_ / "fourth.jsonl"));

  EXPECT_THAT(said_, testing::Not(testing::HasSubstr(key)));
  EXPECT_THAT(content("/proc/self/cmdline"), testing::Not(testing::HasSubstr(key)));
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    ++files;
    EXPECT_THAT(content(entry.path()), testing::Not(testing::HasSubstr(key))) << entry.path();
    EXPECT_THAT(content(entry.path()), testing::Not(testing::HasSubstr("artefact-key")));
  }
  EXPECT_GE(files, 5);
}

}  // namespace
