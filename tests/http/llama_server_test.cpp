// SPDX-License-Identifier: MIT
// The real llama-server with random weights. Skipped unless the environment names how to start one:
// ICPI_LLAMA_RUN (the wrapper that scripts/llama-from-debian makes) and ICPI_LLAMA_GGUF (tests/support/random_gguf.py).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <fcntl.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "helpers.hpp"
#include "icpi/core/error.hpp"
#include "icpi/domains/chain_formatter.hpp"
#include "icpi/icpi.hpp"

namespace {

using namespace std::chrono_literals;
using icpi::Completion;
using icpi::CompletionRequest;
using icpi::ErrorCategory;
using icpi::http::Dialect;
using icpi::http::HttpLanguageModel;
using icpi::http::Options;
using icpi_test::ask;
using icpi_test::plain_request;

std::uint16_t free_port() {
  const icpi_test::ScriptedServer probe([](const icpi_test::HttpRequest&) { return icpi_test::HttpReply{}; });
  return probe.port();
}

/// A llama-server of our own, stopped by its process id.
class LlamaServer {
 public:
  explicit LlamaServer(std::vector<std::string> arguments = {}) : port_(free_port()), arguments_(std::move(arguments)) {
    start();
    wait_until_ready();
  }
  LlamaServer(const LlamaServer&) = delete;
  LlamaServer& operator=(const LlamaServer&) = delete;
  ~LlamaServer() { stop(SIGKILL); }

  [[nodiscard]] std::string url() const { return fmt::format("http://127.0.0.1:{}/v1", port_); }

  void start() {
    std::vector<std::string> words{std::getenv("ICPI_LLAMA_RUN"),
                                   "llama-server",
                                   "-m",
                                   std::getenv("ICPI_LLAMA_GGUF"),
                                   "--host",
                                   "127.0.0.1",
                                   "--port",
                                   std::to_string(port_),
                                   "-t",
                                   "2"};
    words.insert(words.end(), arguments_.begin(), arguments_.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    process_ = fork();
    if (process_ != 0) return;
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(nothing, STDOUT_FILENO);
    dup2(nothing, STDERR_FILENO);
    execv(pointers[0], pointers.data());
    _exit(127);
  }
  void stop(int signal) {
    if (process_ <= 0) return;
    kill(process_, signal);
    waitpid(process_, nullptr, 0);
    process_ = -1;
  }

 private:
  void wait_until_ready() {
    Options options;
    options.base_urls = {url()};
    for (int attempt = 0; attempt < 300; ++attempt) {
      try {
        const HttpLanguageModel model(options);
        return;
      } catch (const icpi::Error& error) {
        if (std::string_view(error.what()).find("wants a key") != std::string_view::npos) return;
        std::this_thread::sleep_for(100ms);
      }
    }
    throw std::runtime_error("llama-server does not come up");
  }

  std::uint16_t port_;
  std::vector<std::string> arguments_;
  pid_t process_ = -1;
};

class RealServer : public testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("ICPI_LLAMA_RUN") == nullptr || std::getenv("ICPI_LLAMA_GGUF") == nullptr) {
      GTEST_SKIP() << "ICPI_LLAMA_RUN and ICPI_LLAMA_GGUF are not set";
    }
  }
  static Options options_for(const LlamaServer& server) {
    Options options;
    options.base_urls = {server.url()};
    return options;
  }
};

CompletionRequest greedy(std::string_view query, int max_tokens = 8) {
  CompletionRequest request = plain_request(query);
  request.sampling = {.temperature = 0, .top_p = 1, .max_tokens = max_tokens};
  return request;
}

TEST_F(RealServer, AnswersInBothDialectsWithStopsLogprobsAndChoices) {
  const LlamaServer server({"-np", "2", "-c", "4096"});
  HttpLanguageModel model(options_for(server));
  EXPECT_EQ(model.capabilities().servers[0].kind, icpi::http::ServerKind::llama_server);
  EXPECT_EQ(model.capabilities().servers[0].slots, 2U);
  EXPECT_EQ(model.context_limit(), 2048U);
  const Completion plain = ask(model, greedy("the cat sat on the mat"));
  ASSERT_FALSE(plain.error) << plain.error.message;
  EXPECT_EQ(plain.finish, icpi::FinishReason::length);
  EXPECT_EQ(plain.usage.completion_tokens, 8U);
  EXPECT_GT(plain.usage.prompt_tokens, 5U);

  Options native_options = options_for(server);
  native_options.dialect = Dialect::llama_native;
  HttpLanguageModel native(native_options);
  EXPECT_EQ(ask(native, greedy("the cat sat on the mat")).text, plain.text);

  for (HttpLanguageModel* each : {&model, &native}) {
    CompletionRequest request = greedy("the cat sat on the mat");
    request.want_logprobs = true;
    const Completion scored = ask(*each, request);
    ASSERT_EQ(scored.tokens.size(), 8U) << scored.error.message;
    EXPECT_LT(scored.tokens[0].logprob, 0);
    EXPECT_EQ(scored.text, plain.text);

    const std::string stop_text = plain.text.substr(plain.text.size() / 2, 2);
    const std::string_view stop = stop_text;
    CompletionRequest stopped = greedy("the cat sat on the mat");
    stopped.stop = {&stop, 1};
    const Completion cut = ask(*each, stopped);
    EXPECT_EQ(cut.text, plain.text.substr(0, plain.text.find(stop_text)));
    EXPECT_EQ(cut.finish, icpi::FinishReason::stop);

    const std::vector<std::string_view> choices{"true", "false \"quoted\"", "\xC3\xA9"};
    CompletionRequest chosen = greedy("is it?", 30);
    chosen.choices = choices;
    const Completion choice = ask(*each, chosen);
    EXPECT_THAT(choices, testing::Contains(choice.text)) << choice.error.message;
  }
}

TEST_F(RealServer, ArraysGiveTheSameTextsAsSingleRequests) {
  const LlamaServer server({"-np", "1", "-c", "2048"});
  Options options = options_for(server);
  options.prompts_per_request = 4;
  HttpLanguageModel arrays(options);
  HttpLanguageModel single(options_for(server));
  std::vector<CompletionRequest> requests;
  for (const char* text : {"one two", "three", "red green blue", "the end is", "a b c", "state 5"}) {
    requests.push_back(greedy(text));
  }
  std::vector<Completion> together(requests.size());
  arrays.complete(requests, together);
  std::size_t equal = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    ASSERT_FALSE(together[i].error) << together[i].error.message;
    equal += together[i].text == ask(single, requests[i]).text ? 1U : 0U;
  }
  EXPECT_GE(equal + 1, requests.size()) << "near-ties of random logits may fall the other way";
  EXPECT_LT(arrays.statistics().requests, requests.size());
}

TEST_F(RealServer, TooLongPromptsAndWrongKeysAreNamed) {
  setenv("ICPI_TEST_KEY", "sk-right-key-0123", 1);
  setenv("ICPI_TEST_WRONG_KEY", "sk-wrong-key-0123", 1);
  const auto key_file = std::filesystem::temp_directory_path() / fmt::format("icpi-key-{}", getpid());
  std::ofstream(key_file) << "sk-right-key-0123\n";
  const LlamaServer server({"-np", "1", "-c", "512", "--api-key-file", key_file.string()});
  Options options = options_for(server);
  options.api_key_env = "ICPI_TEST_KEY";
  HttpLanguageModel model(options);
  EXPECT_FALSE(ask(model, greedy("hello")).error);
  std::string text;
  for (int i = 0; i < 600; ++i) text += "the cat sat ";
  const Completion overflow = ask(model, greedy(text));
  EXPECT_EQ(overflow.error.category, ErrorCategory::context_overflow) << overflow.error.message;
  options.api_key_env = "ICPI_TEST_WRONG_KEY";
  options.probe = false;
  options.model = "m";
  HttpLanguageModel wrong(options);
  const Completion refused = ask(wrong, greedy("hello"));
  EXPECT_EQ(refused.error.category, ErrorCategory::authentication);
  EXPECT_THAT(refused.error.message, testing::Not(testing::HasSubstr("sk-wrong")));
  std::filesystem::remove(key_file);
}

/// Questions with long shared prefixes, ordered by prefix or mixed.
struct Trace {
  explicit Trace(std::size_t prefix_count, std::size_t per_prefix) {
    for (std::size_t p = 0; p < prefix_count; ++p) {
      std::string text = fmt::format("world {}\n", p);
      for (int i = 0; i < 70; ++i)
        text += fmt::format("state {} action {} next {}\n", (i * 7 + static_cast<int>(p)) % 50, i % 3, i % 9);
      prefixes.push_back(text);
    }
    for (std::size_t q = 0; q < prefix_count * per_prefix; ++q) queries.push_back(fmt::format("state {} action", q));
    for (std::size_t q = 0; q < queries.size(); ++q) {
      CompletionRequest request = greedy(queries[q], 4);
      request.prefix = {q % prefix_count + 1, prefixes[q % prefix_count]};
      requests.push_back(request);
    }
    completions.resize(requests.size());
  }
  std::vector<std::string> prefixes;
  std::vector<std::string> queries;
  std::vector<CompletionRequest> requests;
  std::vector<Completion> completions;
};

TEST_F(RealServer, ComputesEachPrefixOnce) {
  const LlamaServer server({"-np", "8", "-c", "16384"});
  HttpLanguageModel model(options_for(server));
  Trace trace(8, 12);
  const auto start = std::chrono::steady_clock::now();
  model.complete(trace.requests, trace.completions);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::uint64_t computed = 0;
  std::uint64_t bound = 0;
  for (std::size_t i = 0; i < trace.requests.size(); ++i) {
    ASSERT_FALSE(trace.completions[i].error) << trace.completions[i].error.message;
    const icpi::Usage& usage = trace.completions[i].usage;
    computed += usage.prompt_tokens - usage.cached_tokens;
    const std::uint64_t query = ask(model, greedy(trace.queries[i], 1)).usage.prompt_tokens;
    bound += i < trace.prefixes.size() ? usage.prompt_tokens : query;
  }
  std::printf("prompt tokens computed %llu, bound %llu, ratio %.3f; %.1f requests/s\n",
              static_cast<unsigned long long>(computed), static_cast<unsigned long long>(bound),
              static_cast<double>(computed) / static_cast<double>(bound),
              static_cast<double>(trace.requests.size()) / seconds);
  EXPECT_LE(static_cast<double>(computed), 1.2 * static_cast<double>(bound));
}

TEST_F(RealServer, KilledAndRestartedInTheMiddleLosesNothing) {
  LlamaServer server({"-np", "1", "-c", "2048", "--no-cache-prompt"});
  Options options = options_for(server);
  options.concurrency = 1;
  options.retries.longest_backoff = 1s;
  std::vector<std::string> notices;
  options.notice = [&](std::string_view line) { notices.emplace_back(line); };
  HttpLanguageModel model(options);
  Trace trace(2, 15);
  for (auto& request : trace.requests) request.prefix = {};
  for (std::size_t i = 0; i < trace.requests.size(); ++i) trace.requests[i].sampling.max_tokens = 40;
  std::vector<Completion> expected(trace.requests.size());
  model.complete(trace.requests, expected);
  std::thread killer([&] {
    std::this_thread::sleep_for(300ms);
    server.stop(SIGKILL);
    std::this_thread::sleep_for(std::getenv("ICPI_LONG_TESTS") != nullptr ? 10s : 2s);
    server.start();
  });
  model.complete(trace.requests, trace.completions);
  killer.join();
  std::size_t equal = 0;
  for (std::size_t i = 0; i < trace.requests.size(); ++i) {
    EXPECT_FALSE(trace.completions[i].error) << trace.completions[i].error.message;
    equal += trace.completions[i].text == expected[i].text ? 1U : 0U;
  }
  EXPECT_EQ(equal, trace.requests.size());
  EXPECT_THAT(notices, testing::Contains(testing::HasSubstr("pausing")));
  EXPECT_THAT(notices, testing::Contains(testing::HasSubstr("is back")));
  EXPECT_GT(model.statistics().lost_connections, 0U);
}

struct Decisions {
  icpi::Costs costs;
  double seconds = 0;
};

Decisions play_chain(const LlamaServer& server, icpi::PromptMode mode) {
  Options options;
  options.base_urls = {server.url()};
  HttpLanguageModel model(options);
  icpi::Chain env;
  icpi::PolicyIterationOptions agent_options;
  agent_options.seed = 3;
  agent_options.prompts.mode = mode;
  agent_options.prompts.context_tokens = 1500;
  agent_options.queries.sampling.max_tokens = 12;
  agent_options.queries.prime_prefixes = true;
  agent_options.decisions.rollouts.step_limit = 4;
  icpi::PolicyIteration<icpi::Chain, HttpLanguageModel> agent(env, model, agent_options);
  const auto start = std::chrono::steady_clock::now();
  agent.train(env, {.steps = 25});
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_EQ(agent.costs().failures, 0U);
  return {agent.costs(), seconds};
}

TEST_F(RealServer, TrainsOnTheChainAndStablePromptsAreServedFromTheCache) {
  const LlamaServer server({"-np", "8", "-c", "16384"});
  const Decisions stable = play_chain(server, icpi::PromptMode::stable);
  const Decisions per_query = play_chain(server, icpi::PromptMode::per_query);
  for (const auto& [name, run] : {std::pair{"stable", stable}, {"per_query", per_query}}) {
    std::printf("%s: %llu calls in %.1f s, %llu prompt tokens, %llu computed\n", name,
                static_cast<unsigned long long>(run.costs.lm_calls), run.seconds,
                static_cast<unsigned long long>(run.costs.prompt_tokens),
                static_cast<unsigned long long>(run.costs.computed_tokens()));
  }
  ASSERT_GT(stable.costs.lm_calls, 20U);
  EXPECT_GT(stable.costs.cached_tokens * 2, stable.costs.prompt_tokens);
  EXPECT_LT(static_cast<double>(stable.costs.computed_tokens()) / static_cast<double>(stable.costs.lm_calls),
            static_cast<double>(per_query.costs.computed_tokens()) / static_cast<double>(per_query.costs.lm_calls));
}

}  // namespace
