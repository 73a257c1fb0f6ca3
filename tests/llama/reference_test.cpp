// SPDX-License-Identifier: MIT
// The same answers as a plain loop over libllama.
#include <gtest/gtest.h>

#include "helpers.hpp"
#include "plain_loop.hpp"

namespace {

using icpi::Completion;
using icpi::CompletionRequest;
using icpi::llama::KvType;
using icpi::llama::LlamaLanguageModel;
using icpi::llama::Options;
using icpi_test::greedy;
using icpi_test::PlainLoop;

constexpr std::size_t prompt_count = 64;
constexpr int max_tokens = 20;

struct Prompts {
  Prompts() {
    for (std::size_t i = 0; i < prompt_count; ++i) {
      prefixes.push_back(icpi_test::records(i / 8, 8 + static_cast<int>(i) / 8));
      queries.push_back(icpi_test::question(100 + i));
    }
  }
  std::vector<CompletionRequest> requests() const {
    std::vector<CompletionRequest> all;
    for (std::size_t i = 0; i < prompt_count; ++i) {
      all.push_back(greedy(prefixes[i], queries[i], max_tokens));
      all.back().want_logprobs = true;
      all.back().prefix.identity = 1 + i / 8;
    }
    return all;
  }
  std::vector<std::string> prefixes;
  std::vector<std::string> queries;
};

Options exact_options() {
  Options options = icpi_test::small_options(ICPI_LLAMA_SIZE);
  options.kv_type = KvType::f32;
  return options;
}

/// Compares up to the first near-tie (of a lead below `near_tie`) that fell differently; returns whether there was one.
bool expect_same(const Completion& ours, const std::vector<PlainLoop::Step>& plain, double tolerance, double near_tie) {
  EXPECT_FALSE(ours.error) << ours.error.message;
  for (std::size_t i = 0; i < std::min(plain.size(), ours.tokens.size()); ++i) {
    if (ours.tokens[i].token != plain[i].piece) {
      EXPECT_LT(plain[i].lead, near_tie) << "token " << i;
      return true;
    }
    EXPECT_NEAR(ours.tokens[i].logprob, plain[i].logprob, tolerance) << "token " << i;
  }
  EXPECT_EQ(ours.tokens.size(), plain.size());
  return false;
}

TEST(Greedy, CompletionsAreThoseOfAPlainLoop) {
  const Prompts prompts;
  LlamaLanguageModel model(exact_options());  // first: it loads the backends
  PlainLoop plain(icpi_test::model_file(ICPI_LLAMA_SIZE));
  const auto requests = prompts.requests();
  std::vector<std::vector<PlainLoop::Step>> expected;
  std::size_t ties = 0;
  for (std::size_t i = 0; i < prompt_count; ++i) {
    expected.push_back(plain.complete(prompts.prefixes[i], prompts.queries[i], max_tokens));
    ties += expect_same(icpi_test::ask(model, requests[i]), expected.back(), 1e-3, 1e-3) ? 1U : 0U;
  }
  const auto together = icpi_test::ask_all(model, requests);
  std::size_t ties_together = 0;
  for (std::size_t i = 0; i < prompt_count; ++i)
    ties_together += expect_same(together[i], expected[i], 1e-2, 2e-2) ? 1U : 0U;
  std::printf("near-ties that fell differently, of %zu completions: %zu one at a time, %zu together\n", prompt_count,
              ties, ties_together);
  EXPECT_LT(ties, prompt_count / 4);
  EXPECT_LT(ties_together, prompt_count / 4);
}

TEST(Scores, AreThoseOfAPlainLoop) {
  LlamaLanguageModel model(exact_options());
  PlainLoop plain(icpi_test::model_file(ICPI_LLAMA_SIZE));
  const std::string prefix = icpi_test::records(5, 12);
  const std::string query = icpi_test::question(6);
  const std::vector<std::string_view> continuations{"assert done\n", "assert not done\n", "assert", "x == 10\n",
                                                    "x == 1\n",      "x == 100\n",        ""};
  const icpi::ScoreRequest request{{3, prefix}, query, continuations};
  icpi::Scores scores;
  model.score({&request, 1}, {&scores, 1});
  ASSERT_FALSE(scores.error) << scores.error.message;
  ASSERT_EQ(scores.logprobs.size(), continuations.size());
  for (std::size_t i = 0; i < continuations.size(); ++i)
    EXPECT_NEAR(scores.logprobs[i], plain.score(prefix, query, continuations[i]), 1e-2) << continuations[i];
  EXPECT_EQ(scores.logprobs.back(), 0);
}

TEST(Tokens, AreThoseOfTheWholeText) {
  LlamaLanguageModel model(exact_options());
  const PlainLoop plain(icpi_test::model_file(ICPI_LLAMA_SIZE));
  const std::string text = icpi_test::records(1, 20) + "for a in aliens:\n    a.descend()\n\n\n  tail  end: 3.14\n";
  EXPECT_EQ(model.count_tokens(text), plain.tokenize(text).size());
  EXPECT_EQ(model.count_tokens("<|begin|>"), plain.tokenize("<|begin|>").size());
  EXPECT_GT(model.count_tokens("<|begin|>"), 1U) << "control tokens in texts are text";
  EXPECT_EQ(model.count_tokens(""), 0U);
}

}  // namespace
