// SPDX-License-Identifier: MIT
// What is kept of prefixes, and for how long.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helpers.hpp"

namespace {

using icpi::Completion;
using icpi::CompletionRequest;
using icpi::llama::LlamaLanguageModel;
using icpi::llama::Options;
using icpi_test::ask;
using icpi_test::ask_all;
using icpi_test::greedy;
using icpi_test::question;
using icpi_test::records;

Options options_with(std::size_t context, std::size_t kv_mib) {
  Options options = icpi_test::small_options();
  options.context = context;
  options.kv_mib = kv_mib;
  return options;
}

TEST(Prefixes, AreComputedOnceForAllWhoBeginWithThem) {
  LlamaLanguageModel model(icpi_test::small_options());
  const std::string prefix = records(1, 40);
  const std::size_t size = model.count_tokens(prefix);
  std::vector<std::string> queries;
  for (std::uint64_t i = 0; i < 20; ++i) queries.push_back(question(i));
  std::vector<CompletionRequest> requests;
  for (const std::string& query : queries) {
    requests.push_back(greedy(prefix, query, 3));
    requests.back().prefix.identity = 9;
  }
  const auto together = ask_all(model, requests);
  EXPECT_EQ(model.statistics().prefix_tokens_computed, size);
  EXPECT_EQ(model.statistics().prefix_tokens_requested, 20 * size);
  std::size_t payers = 0;
  for (const Completion& each : together) payers += each.usage.cached_tokens < size ? 1U : 0U;
  EXPECT_EQ(payers, 1U);

  const Completion later = ask(model, requests[0]);
  EXPECT_EQ(later.usage.cached_tokens, size);
  EXPECT_EQ(later.text, together[0].text);
  EXPECT_EQ(model.statistics().prefixes, 1U);
}

/// Log-probability of a fixed continuation: it tells whether the prompt in memory is the right one, and unlike a text it
/// does not hang on near-ties of random weights.
double score(LlamaLanguageModel& model, icpi::PromptPrefix prefix, std::string_view query) {
  const std::string_view continuation = "assert not done\n";
  const icpi::ScoreRequest request{prefix, query, {&continuation, 1}};
  icpi::Scores scores;
  model.score({&request, 1}, {&scores, 1});
  EXPECT_FALSE(scores.error) << scores.error.message;
  return scores.logprobs.at(0);
}

TEST(Prefixes, GrowInPlace) {
  LlamaLanguageModel model(icpi_test::small_options());
  LlamaLanguageModel fresh(icpi_test::small_options());
  std::string prefix;
  for (std::uint64_t i = 0; i < 12; ++i) {
    prefix += records(i, 5);
    EXPECT_NEAR(score(model, {77, prefix}, question(i)), score(fresh, {0, prefix}, question(i)), 2e-2);
    EXPECT_EQ(model.statistics().prefixes, 1U);
    EXPECT_EQ(model.statistics().prefix_tokens_computed, model.count_tokens(prefix));
  }
  // An older, shorter one of the same identity is still answered.
  const std::string_view shorter = std::string_view(prefix).substr(0, records(0, 5).size());
  EXPECT_NEAR(score(model, {77, shorter}, question(0)), score(fresh, {0, shorter}, question(0)), 2e-2);
  EXPECT_EQ(model.statistics().prefix_tokens_computed, model.count_tokens(prefix));
}

/// Prompts that break off in the middle of a line change their last tokens when they grow.
TEST(Prefixes, MayBreakOffAnywhere) {
  LlamaLanguageModel model(icpi_test::small_options());
  LlamaLanguageModel fresh(icpi_test::small_options());
  const std::string whole = records(7, 12);
  for (std::size_t size = 90; size < whole.size(); size += 53) {
    const std::string_view prefix = std::string_view(whole).substr(0, size);
    EXPECT_NEAR(score(model, {78, prefix}, "x\n"), score(fresh, {0, prefix}, "x\n"), 2e-2) << size;
  }
  EXPECT_EQ(model.statistics().prefixes, 1U);
  EXPECT_LT(model.statistics().prefix_tokens_computed, 2 * model.count_tokens(whole));
}

TEST(Prefixes, GrowWhileOthersUseThem) {
  LlamaLanguageModel model(icpi_test::small_options());
  const std::string longer = records(1, 20);
  const std::string shorter = longer.substr(0, longer.find("\n\n", longer.size() / 2) + 2);
  const std::string query = question(2);
  CompletionRequest first = greedy(shorter, query, 10);
  CompletionRequest second = greedy(longer, query, 6);
  const Completion first_alone = ask(model, first);
  const Completion second_alone = ask(model, second);
  first.prefix.identity = second.prefix.identity = 3;
  std::vector<icpi::FinishedCompletion> finished(2);
  model.submit(first, 1);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(model.collect(finished, std::chrono::milliseconds(0)), 0U);
  EXPECT_EQ(ask(model, second).text, second_alone.text);
  ASSERT_EQ(model.collect(finished, std::chrono::seconds(60)), 1U);
  EXPECT_EQ(finished[0].completion.text, first_alone.text);
}

TEST(Prefixes, ThatBeginAlikeShareWhatIsCommon) {
  LlamaLanguageModel model(icpi_test::small_options());
  const std::string common = records(1, 30);
  const std::size_t size = model.count_tokens(common);
  for (std::uint64_t i = 0; i < 5; ++i) {
    const std::string prefix = common + records(100 + i, 3);
    CompletionRequest request = greedy(prefix, question(1), 2);
    request.prefix.identity = 10 + i;
    ASSERT_FALSE(ask(model, request).error);
  }
  EXPECT_LT(model.statistics().prefix_tokens_computed, 2 * size);
  EXPECT_EQ(model.statistics().prefixes, 5U);
}

/// One is used again and again between others that are forgotten in the order of their coming: below those that stay.
TEST(Prefixes, MoveTogetherWhereOthersWereForgotten) {
  Options options = options_with(1024, 4);
  options.kv_type = icpi::llama::KvType::f32;  // 2048 tokens
  options.batch_tokens = 63;
  LlamaLanguageModel model(options);
  std::string growing = records(0, 4);
  std::size_t others = 0;
  for (std::uint64_t i = 1; i < 24; ++i) {
    if (i % 3 == 0) growing += records(i, 1);
    const std::string other = records(100 + i, 8);
    others += model.count_tokens(other);
    for (const icpi::PromptPrefix prefix : {icpi::PromptPrefix{1, growing}, icpi::PromptPrefix{1 + i, other}}) {
      LlamaLanguageModel fresh(options);
      EXPECT_EQ(score(model, prefix, question(i)), score(fresh, {0, prefix.text}, question(i))) << i;
    }
  }
  const icpi::llama::Statistics now = model.statistics();
  ASSERT_GT(others, 4096U) << "so many never fit";
  EXPECT_LE(now.prefix_tokens_computed, model.count_tokens(growing) + others);
  EXPECT_GT(now.prefixes_forgotten, 10U);
  EXPECT_EQ(now.disorders, 0U);
}

TEST(Prefixes, LeastRecentlyUsedLeaveWhenMemoryIsFull) {
  LlamaLanguageModel model(options_with(1024, 4));  // 4096 tokens
  std::vector<std::string> prefixes;
  for (std::uint64_t i = 0; i < 8; ++i) prefixes.push_back(records(i, 20));
  const auto request = [&](std::size_t i) {
    CompletionRequest each = greedy(prefixes[i], "assert", 2);
    each.prefix.identity = 1 + i;
    return each;
  };
  const auto is_kept = [&](std::size_t i) {
    const Completion completion = ask(model, request(i));
    EXPECT_FALSE(completion.error) << completion.error.message;
    return 2 * completion.usage.cached_tokens > completion.usage.prompt_tokens;
  };
  const std::size_t fit = 4096 / model.count_tokens(prefixes[0]);
  ASSERT_LT(fit, 7U);
  for (std::size_t i = 0; i + 1 < fit; ++i) EXPECT_FALSE(is_kept(i));
  EXPECT_TRUE(is_kept(0));
  for (std::size_t i = fit - 1; i < fit + 1; ++i) EXPECT_FALSE(is_kept(i));
  EXPECT_TRUE(is_kept(0)) << "used again meanwhile";
  EXPECT_FALSE(is_kept(1)) << "the oldest";
  EXPECT_GT(model.statistics().prefixes_forgotten, 0U);
  EXPECT_LE(model.statistics().most_kv_bytes, model.capabilities().kv_bytes);
}

TEST(Budgets, AreKeptWhateverComes) {
  LlamaLanguageModel model(options_with(1024, 2));
  std::vector<std::string> prefixes;
  std::vector<std::string> queries;
  for (std::uint64_t i = 0; i < 60; ++i) {
    prefixes.push_back(records(i % 11, 2 + static_cast<int>(i % 19)));
    queries.push_back(question(i));
  }
  const std::vector<std::string_view> choices{"left", "right", "a longer one", "a longer two"};
  std::vector<CompletionRequest> requests;
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    requests.push_back(greedy(prefixes[i], queries[i], 1 + static_cast<int>(i % 30)));
    requests.back().prefix.identity = i % 3 == 0 ? 0 : 1 + i;
    if (i % 4 == 0) requests.back().choices = choices;
  }
  for (const Completion& each : ask_all(model, requests)) EXPECT_FALSE(each.error) << each.error.message;
  const auto now = model.statistics();
  EXPECT_LE(now.most_kv_bytes, model.capabilities().kv_bytes);
  EXPECT_EQ(now.in_flight + now.queued, 0U);
  EXPECT_GT(now.prefixes_forgotten, 0U);
}

TEST(Prefixes, NestedInOneAnotherDoNotBlockMemory) {
  LlamaLanguageModel model(options_with(1024, 1));  // exactly one context
  std::string prefix;
  std::vector<std::string> nested;
  for (std::uint64_t i = 0; i < 9; ++i) nested.push_back(prefix += records(i, 2));
  for (std::size_t i = 0; i < nested.size(); ++i) {
    CompletionRequest request = greedy(nested[i], "x", 200);
    request.prefix.identity = 1 + i;
    const Completion completion = ask(model, request);
    EXPECT_FALSE(completion.error) << completion.error.message;
  }
  const std::string other = records(50, 20);
  CompletionRequest last = greedy(other, "x", 1);
  last.sampling.max_tokens = static_cast<int>(1024 - model.count_tokens(other + "x"));
  const Completion completion = ask(model, last);
  EXPECT_FALSE(completion.error) << completion.error.message;
  EXPECT_LE(model.statistics().most_kv_bytes, model.capabilities().kv_bytes);
}

}  // namespace
