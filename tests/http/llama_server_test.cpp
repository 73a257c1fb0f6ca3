// SPDX-License-Identifier: MIT
// The real llama-server with random weights. Skipped unless the environment names how to start one:
// see llama_server.hpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "helpers.hpp"
#include "icpi/core/error.hpp"
#include "icpi/domains/chain_formatter.hpp"
#include "icpi/icpi.hpp"
#include "icpi/models/oracle.hpp"
#include "llama_server.hpp"
#include "support/agent_options.hpp"

namespace {

using namespace std::chrono_literals;
using icpi::Completion;
using icpi::CompletionRequest;
using icpi::ErrorCategory;
using icpi::http::Dialect;
using icpi::http::HttpLanguageModel;
using icpi::http::Options;
using icpi_test::ask;
using icpi_test::LlamaServer;
using icpi_test::plain_request;

class RealServer : public testing::Test {
 protected:
  void SetUp() override {
    if (!icpi_test::llama_server_is_there()) GTEST_SKIP() << "ICPI_LLAMA_RUN and ICPI_LLAMA_GGUF are not set";
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

/// A question of an agent, for asking it again.
struct Question {
  std::uint64_t identity = 0;
  std::string prefix;
  std::string query;
  std::string stop;
};
using Round = std::vector<Question>;  ///< asked together

/// The oracle of the chain; writes down what it is asked.
class QuestionRecorder {
 public:
  explicit QuestionRecorder(std::vector<Round>* rounds) : rounds_(rounds) {}
  [[nodiscard]] std::string identity() const { return oracle_.identity(); }
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    Round& round = rounds_->emplace_back();
    for (const CompletionRequest& each : requests) {
      round.push_back({each.prefix.identity, std::string(each.prefix.text), std::string(each.query),
                       std::string(each.stop.front())});
    }
    oracle_.complete(requests, completions);
  }

 private:
  icpi::OracleModel<icpi::Chain> oracle_;
  std::vector<Round>* rounds_;
};

/// What some decisions asked, after 60 steps of learning.
struct OracleTrace {
  OracleTrace(icpi_test::PromptMode mode, std::size_t wanted) {
    icpi::Chain env;
    icpi::PolicyIterationOptions options = icpi::paper_options();
    options.seed = 3;
    options.prompts.examples = icpi_test::examples_of(mode);
    options.prompts.context_tokens = 560;
    options.decisions.explorations = {icpi::WarmUp{.successes = -1000}};
    QuestionRecorder model(&rounds);
    icpi::PolicyIteration<icpi::Chain, QuestionRecorder> agent(env, model, options);
    agent.train(env, {.steps = 60});
    rounds.clear();
    decisions = agent.train(env, {.steps = wanted});
  }
  std::vector<Round> rounds;
  std::size_t decisions = 0;
};

/// What a server made of a trace.
struct Replay {
  std::vector<icpi::Usage> usage;  ///< of all questions in their order
  std::uint64_t asked = 0;         ///< prompt tokens
  std::uint64_t computed = 0;      ///< prompt tokens
  double seconds = 0;
};

Replay replay(HttpLanguageModel& model, const OracleTrace& trace) {
  Replay result;
  const auto start = std::chrono::steady_clock::now();
  for (const Round& round : trace.rounds) {
    std::vector<CompletionRequest> requests;
    std::vector<std::array<std::string_view, 1>> stops(round.size());
    for (std::size_t i = 0; i < round.size(); ++i) {
      stops[i] = {round[i].stop};
      CompletionRequest& request = requests.emplace_back(greedy(round[i].query, 8));
      request.prefix = {round[i].identity, round[i].prefix};
      request.stop = stops[i];
    }
    std::vector<Completion> completions(requests.size());
    model.complete(requests, completions);
    for (const Completion& each : completions) {
      EXPECT_FALSE(each.error) << each.error.message;
      result.usage.push_back(each.usage);
      result.asked += each.usage.prompt_tokens;
      result.computed += each.usage.prompt_tokens - each.usage.cached_tokens;
    }
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

/// Prompt tokens that cannot be avoided: every query, and every prefix once, at its longest.
std::uint64_t bound(HttpLanguageModel& model, const OracleTrace& trace, const std::vector<icpi::Usage>& usage) {
  std::uint64_t tokens = 0;
  std::map<std::uint64_t, std::uint64_t> longest;
  std::map<std::string, std::uint64_t> known;
  auto prompt = usage.begin();
  for (const Round& round : trace.rounds) {
    for (const Question& question : round) {
      auto [found, is_new] = known.try_emplace(question.query, 0);
      if (is_new) found->second = ask(model, greedy(question.query, 1)).usage.prompt_tokens;
      tokens += found->second;
      std::uint64_t& prefix = longest[question.identity];
      prefix = std::max(prefix, (prompt++)->prompt_tokens - found->second);
    }
  }
  std::printf("%zu prefixes of at most", longest.size());
  for (const auto& [identity, prefix] : longest) {
    std::printf(" %llu", static_cast<unsigned long long>(prefix));
    tokens += prefix;
  }
  std::printf(" tokens\n");
  return tokens;
}

TEST_F(RealServer, AnOraclesQuestionsComputeEachPrefixOnce) {
  const LlamaServer server({"-np", "8", "-c", "16384"});
  HttpLanguageModel model(options_for(server));
  const OracleTrace stable(icpi_test::PromptMode::stable, 4);
  const OracleTrace per_query(icpi_test::PromptMode::per_query, 1);
  const Replay kept = replay(model, stable);
  const Replay fresh = replay(model, per_query);
  for (const auto& [name, trace, result] : {std::tuple{"stable", &stable, &kept}, {"per_query", &per_query, &fresh}}) {
    const auto decisions = static_cast<double>(trace->decisions);
    std::printf(
        "%-9s  %zu decisions, %zu questions, %llu prompt tokens asked, %llu computed; a decision: %.0f computed, "
        "%.3f s\n",
        name, trace->decisions, result->usage.size(), static_cast<unsigned long long>(result->asked),
        static_cast<unsigned long long>(result->computed), static_cast<double>(result->computed) / decisions,
        result->seconds / decisions);
  }
  const auto least = static_cast<double>(bound(model, stable, kept.usage));
  std::printf("computed %.3f of the bound\n", static_cast<double>(kept.computed) / least);
  EXPECT_LE(static_cast<double>(kept.computed), 1.2 * least);
  EXPECT_GT(fresh.computed * stable.decisions, 3 * kept.computed * per_query.decisions);
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

Decisions play_chain(const LlamaServer& server, icpi_test::PromptMode mode) {
  Options options;
  options.base_urls = {server.url()};
  HttpLanguageModel model(options);
  icpi::Chain env;
  icpi::PolicyIterationOptions agent_options = icpi::paper_options();
  agent_options.seed = 3;
  agent_options.prompts.examples = icpi_test::examples_of(mode);
  agent_options.prompts.context_tokens = 1500;
  agent_options.queries.sampling.max_tokens = 12;
  agent_options.queries.prime_prefixes = true;
  icpi_test::rollouts_of(agent_options).step_limit = 4;
  icpi::PolicyIteration<icpi::Chain, HttpLanguageModel> agent(env, model, agent_options);
  const auto start = std::chrono::steady_clock::now();
  agent.train(env, {.steps = 25});
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_EQ(agent.costs().failures, 0U);
  return {agent.costs(), seconds};
}

TEST_F(RealServer, TrainsOnTheChainAndStablePromptsAreServedFromTheCache) {
  const LlamaServer server({"-np", "8", "-c", "16384"});
  const Decisions stable = play_chain(server, icpi_test::PromptMode::stable);
  const Decisions per_query = play_chain(server, icpi_test::PromptMode::per_query);
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
