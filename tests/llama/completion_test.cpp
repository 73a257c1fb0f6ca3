// SPDX-License-Identifier: MIT
// How completions are drawn, ended and handed over.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <thread>

#include "helpers.hpp"
#include "icpi/core/error.hpp"
#include "icpi/testing/check_language_model.hpp"

namespace {

using namespace std::chrono_literals;
using icpi::Completion;
using icpi::CompletionRequest;
using icpi::ErrorCategory;
using icpi::FinishedCompletion;
using icpi::FinishReason;
using icpi::llama::KvType;
using icpi::llama::LlamaLanguageModel;
using icpi::llama::Options;
using icpi_test::ask;
using icpi_test::ask_all;
using icpi_test::greedy;
using icpi_test::question;
using icpi_test::records;

class Completions : public testing::Test {
 protected:
  Completions() : model_(options()), prefix_(records(3, 12)), query_(question(4)) {}

  static Options options() {
    Options options = icpi_test::small_options();
    options.kv_type = KvType::f32;
    return options;
  }
  CompletionRequest plain(int max_tokens = 16) const { return greedy(prefix_, query_, max_tokens); }

  LlamaLanguageModel model_;
  std::string prefix_;
  std::string query_;
};

TEST_F(Completions, KeepTheLawsOfLanguageModels) {
  icpi::testing::LanguageModelCheck check;
  check.sampling = {.temperature = 1, .top_p = 1, .max_tokens = 4};  // longer or colder, random weights meet near-ties
  const auto report = icpi::testing::check_language_model(model_, check);
  EXPECT_TRUE(report.ok()) << report;
}

TEST_F(Completions, EndBeforeStopStringsWhereverTokensEnd) {
  const Completion whole = ask(model_, plain(24));
  ASSERT_GT(whole.text.size(), 12U);
  EXPECT_EQ(whole.finish, FinishReason::length);
  EXPECT_EQ(whole.usage.completion_tokens, 24U);
  for (std::size_t from = 0; from < 8; ++from)
    for (std::size_t size = 1; size < 5; ++size) {
      const std::string stop_text = whole.text.substr(from, size);
      const std::array<std::string_view, 2> stops{"no such text", stop_text};
      CompletionRequest request = plain(24);
      request.stop = stops;
      const Completion cut = ask(model_, request);
      EXPECT_EQ(cut.text, whole.text.substr(0, whole.text.find(stop_text)));
      EXPECT_EQ(cut.finish, FinishReason::stop);
      EXPECT_LT(cut.usage.completion_tokens, 24U);
    }
}

TEST_F(Completions, CarryTheirTokensWhenAsked) {
  CompletionRequest request = plain();
  request.want_logprobs = true;
  const Completion completion = ask(model_, request);
  std::string text;
  for (const auto& token : completion.tokens) text += token.token;
  EXPECT_EQ(text, completion.text);
  EXPECT_EQ(completion.tokens.size(), 16U);
  EXPECT_TRUE(ask(model_, plain()).tokens.empty());
}

TEST_F(Completions, DependOnSeedAndSampleIndexAndNothingElse) {
  std::vector<CompletionRequest> requests;
  for (std::uint64_t seed = 0; seed < 6; ++seed)
    for (std::uint32_t sample = 0; sample < 2; ++sample) {
      CompletionRequest request = plain(6);
      request.sampling.temperature = 1;
      request.seed = seed;
      request.sample_index = sample;
      requests.push_back(request);
    }
  std::map<std::string, int> texts;
  for (const CompletionRequest& request : requests) {
    const std::string text = ask(model_, request).text;
    EXPECT_EQ(ask(model_, request).text, text);
    ++texts[text];
  }
  EXPECT_EQ(texts.size(), requests.size());
}

TEST_F(Completions, FollowTheModelsProbabilities) {
  CompletionRequest request = plain(1);
  request.sampling.temperature = 0.2;
  request.want_logprobs = true;
  std::vector<CompletionRequest> requests(1000, request);
  for (std::size_t i = 0; i < requests.size(); ++i) requests[i].seed = i;
  std::map<std::string, int> counts;
  std::map<std::string, double> logprobs;
  for (const Completion& each : ask_all(model_, requests)) {
    if (each.tokens.empty()) continue;  // the model ended the text
    ++counts[each.tokens[0].token];
    logprobs[each.tokens[0].token] = each.tokens[0].logprob;
  }
  // Two frequent tokens stand to each other as their probabilities to the power of 1 / temperature.
  std::vector<std::pair<int, std::string>> ranked;
  for (const auto& [token, count] : counts) ranked.emplace_back(count, token);
  std::sort(ranked.rbegin(), ranked.rend());
  ASSERT_GE(ranked.size(), 2U);
  const double expected = std::exp((logprobs[ranked[0].second] - logprobs[ranked[1].second]) / 0.2);
  const double seen = static_cast<double>(ranked[0].first) / ranked[1].first;
  EXPECT_NEAR(seen / expected, 1, 6 * std::sqrt(1.0 / ranked[0].first + 1.0 / ranked[1].first));
}

TEST_F(Completions, AreTheSameWhereverThePromptIsSplit) {
  const std::string whole = prefix_ + query_;
  const Completion expected = ask(model_, plain(4));
  for (const std::size_t at : {std::size_t{0}, std::size_t{1}, std::size_t{37}, prefix_.size() - 2, prefix_.size() - 1,
                               whole.size() - 3, whole.size()}) {
    const Completion split = ask(model_, greedy(whole.substr(0, at), whole.substr(at), 4));
    EXPECT_EQ(split.text, expected.text) << at;
    EXPECT_EQ(split.usage.prompt_tokens, expected.usage.prompt_tokens) << at;
  }
}

TEST_F(Completions, JoinAndLeaveBetweenComputations) {
  const std::string other = question(9);
  model_.submit(plain(100), 1);
  std::vector<FinishedCompletion> finished(8);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(model_.collect(finished, 0ms), 0U);
  model_.submit(greedy(prefix_, other, 2), 2);
  ASSERT_EQ(model_.collect(finished, 60s), 1U);
  EXPECT_EQ(finished[0].ticket, 2U) << "nobody waits for the slowest";
  EXPECT_THROW(model_.submit(plain(), 1), icpi::InvalidArgument);
  const Completion between = ask(model_, plain(8));
  ASSERT_EQ(model_.collect(finished, 60s), 1U);
  EXPECT_EQ(finished[0].ticket, 1U);
  EXPECT_THAT(finished[0].completion.text, testing::StartsWith(between.text));
  EXPECT_EQ(model_.collect(finished, 60s), 0U) << "nothing left";
}

TEST_F(Completions, ThatWereCancelledAreCollectedOnce) {
  std::vector<FinishedCompletion> finished(8);
  model_.submit(plain(300), 1);
  model_.submit(plain(4), 2);
  EXPECT_EQ(model_.collect(finished, 0ms), 0U);
  model_.cancel(1);
  model_.cancel(99);
  std::size_t came = 0;
  while (came < 2) {
    const std::size_t count = model_.collect(finished, 60s);
    ASSERT_GT(count, 0U);
    for (std::size_t i = 0; i < count; ++i)
      EXPECT_EQ(finished[i].completion.error.category,
                finished[i].ticket == 1 ? ErrorCategory::cancelled : ErrorCategory::none);
    came += count;
  }
  EXPECT_EQ(model_.statistics().in_flight, 0U);
}

TEST_F(Completions, OfMoreRequestsThanWorkAtOnceAllCome) {
  std::vector<CompletionRequest> requests;
  std::vector<std::string> prefixes;
  for (std::uint64_t i = 0; i < 200; ++i) prefixes.push_back(records(i % 7, 4));
  for (std::size_t i = 0; i < 200; ++i) requests.push_back(greedy(prefixes[i], query_, 1 + static_cast<int>(i % 5)));
  const auto completions = ask_all(model_, requests);
  for (std::size_t i = 0; i < 200; ++i) {
    EXPECT_FALSE(completions[i].error) << completions[i].error.message;
    EXPECT_LE(completions[i].usage.completion_tokens, 1 + i % 5);
  }
}

TEST_F(Completions, ComeFromModelsInSeveralThreads) {
  const std::string expected = ask(model_, plain()).text;
  std::vector<std::string> texts(2);
  std::vector<std::thread> threads;
  for (std::string& text : texts)
    threads.emplace_back([&text, this] {
      LlamaLanguageModel own(options());
      text = ask(own, plain()).text;
    });
  for (auto& each : threads) each.join();
  EXPECT_THAT(texts, testing::Each(expected));
}

TEST_F(Completions, SurviveAMove) {
  model_.submit(plain(4), 7);
  LlamaLanguageModel moved(std::move(model_));
  std::vector<FinishedCompletion> finished(1);
  ASSERT_EQ(moved.collect(finished, 60s), 1U);
  EXPECT_EQ(finished[0].ticket, 7U);
  EXPECT_THAT(moved.identity(), testing::StartsWith("llama tiny.gguf "));
  EXPECT_THAT(describe(moved.capabilities()), testing::HasSubstr("vocabulary     512 tokens\n"));
}

}  // namespace
