// SPDX-License-Identifier: MIT
// The parts that need no model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "icpi/core/error.hpp"
#include "icpi/llama/options.hpp"
#include "llama/loaded_model.hpp"
#include "llama/prompt_tokens.hpp"
#include "llama/sampler.hpp"
#include "llama/token_trie.hpp"

namespace {

using icpi::InvalidArgument;
using icpi::RandomKey;
using icpi::RandomStream;
using icpi::llama::Options;
using icpi::llama::Sampler;
using icpi::llama::TokenTrie;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(Borders, LieBehindNewlinesBeforeVisibleCharacters) {
  using icpi::llama::last_border;
  using icpi::llama::next_border;
  const std::string_view text = "a\nb\n\nc\n  d\n";
  EXPECT_EQ(next_border(text, 0), 2U);
  EXPECT_EQ(next_border(text, 2), 5U);
  EXPECT_EQ(next_border(text, 5), text.size());
  EXPECT_EQ(last_border(text), 5U);
  EXPECT_EQ(last_border("a\n"), 0U);
  EXPECT_EQ(last_border(""), 0U);
}

TEST(Sampling, IsGreedyAtTemperatureZeroAndFollowsTheProbabilities) {
  const std::vector<float> logits{1.F, 3.F, 3.F, 2.F};
  Sampler sampler;
  RandomStream stream{RandomKey(1)};
  EXPECT_EQ(sampler.draw(logits, 0, 1, stream), 1U);
  constexpr int draws = 40000;
  std::array<int, 4> counts{};
  for (int i = 0; i < draws; ++i) ++counts[sampler.draw(logits, 0.5, 1, stream)];
  const double all = icpi::llama::log_sum_exp(std::vector<float>{2.F, 6.F, 6.F, 4.F});
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_NEAR(counts[i] / static_cast<double>(draws), std::exp(2.0 * static_cast<double>(logits[i]) - all), 0.01);
}

TEST(Sampling, TopPKeepsTheSmallestSetThatHoldsIt) {
  const std::vector<float> logits{0.F, std::log(6.F), std::log(3.F)};  // 0.1, 0.6, 0.3
  Sampler sampler;
  RandomStream stream{RandomKey(2)};
  std::array<int, 3> counts{};
  for (int i = 0; i < 20000; ++i) ++counts[sampler.draw(logits, 1, 0.85, stream)];
  EXPECT_EQ(counts[0], 0);
  EXPECT_NEAR(counts[1] / 20000.0, 2.0 / 3.0, 0.01);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(sampler.draw(logits, 1, 0.5, stream), 1U);
}

TEST(Tries, AskForLogitsWhereWaysPartAndShareWhatIsCommon) {
  const std::vector<std::vector<icpi::llama::Token>> continuations{{1, 2, 3, 9}, {1, 2, 4, 9}, {5, 9}};
  const TokenTrie trie(continuations, false);
  EXPECT_EQ(trie.paths(), 1U);
  ASSERT_EQ(trie.order().size(), 2U) << "the two tokens before the second fork";
  EXPECT_EQ(trie.nodes()[trie.order()[0]].token, 1);
  EXPECT_TRUE(trie.nodes()[trie.order()[1]].wanted);
  EXPECT_FALSE(trie.nodes()[trie.order()[0]].wanted);
  EXPECT_EQ(trie.depth(), 4U);

  const TokenTrie all(continuations, true);
  EXPECT_EQ(all.paths(), 3U);
  EXPECT_EQ(all.order().size(), 5U) << "all but the last tokens";
  const TokenTrie::Node& shared = all.nodes()[all.order()[0]];
  EXPECT_EQ(shared.first_path, 0U);
  EXPECT_EQ(shared.last_path, 2U);
}

TEST(Tries, KnowOneWayFromNoneAndEndsFromPrefixes) {
  const std::vector<std::vector<icpi::llama::Token>> one{{7, 8}};
  EXPECT_FALSE(TokenTrie(one, false).nodes()[0].needed);
  const std::vector<std::vector<icpi::llama::Token>> nested{{7}, {7, 8}, {7}};
  const TokenTrie trie(nested, false);
  EXPECT_TRUE(trie.nodes()[trie.end_of(0)].wanted);
  EXPECT_EQ(trie.nodes()[trie.end_of(2)].continuation, 0U) << "the first of equal ones";
}

TEST(Versions, OthersAreRefusedByName) {
  EXPECT_THAT([] { icpi::llama::check_library_version("0.9.1"); },
              ThrowsMessage<icpi::Error>(HasSubstr("but libllama 0.9.1 was loaded")));
}

TEST(OptionFields, AreNamedWhenTheyCannotBeUsed) {
  const auto refusal = [](auto&& change) {
    Options options;
    options.model_path = "m.gguf";
    change(options);
    try {
      validate(options);
    } catch (const InvalidArgument& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(refusal([](Options&) {}), "");
  EXPECT_THAT(refusal([](Options& o) { o.model_path = ""; }), HasSubstr("model_path"));
  EXPECT_THAT(refusal([](Options& o) { o.context = 3; }), HasSubstr("context is 3"));
  EXPECT_THAT(refusal([](Options& o) { o.kv_mib = std::size_t{1} << 40U; }), HasSubstr("kv_mib"));
  EXPECT_THAT(refusal([](Options& o) { o.kv_type = static_cast<icpi::llama::KvType>(9); }), HasSubstr("kv_type"));
  EXPECT_THAT(refusal([](Options& o) { o.concurrency = 0; }), HasSubstr("concurrency"));
  EXPECT_THAT(refusal([](Options& o) { o.batch_tokens = 1; }), HasSubstr("batch_tokens"));
  EXPECT_THAT(refusal([](Options& o) { o.threads = -1; }), HasSubstr("threads"));
}

}  // namespace
