// SPDX-License-Identifier: MIT
// Answers that are one of a list.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "helpers.hpp"

namespace {

using icpi::Completion;
using icpi::CompletionRequest;
using icpi::llama::LlamaLanguageModel;
using icpi_test::ask;
using icpi_test::greedy;
using icpi_test::question;
using icpi_test::records;

class Choices : public testing::Test {
 protected:
  Choices() : model_(icpi_test::small_options()), prefix_(records(3, 12)), query_(question(4)) {}

  CompletionRequest request(std::span<const std::string_view> choices, double temperature = 0,
                            std::uint64_t seed = 0) const {
    CompletionRequest request = greedy(prefix_, query_);
    request.prefix.identity = 5;
    request.stop = stop_;
    request.choices = choices;
    request.sampling.temperature = temperature;
    request.seed = seed;
    return request;
  }

  LlamaLanguageModel model_;
  std::string prefix_;
  std::string query_;
  std::array<std::string_view, 1> stop_{"\n"};
};

TEST_F(Choices, AnswersAreAllValidAndCostOneComputationEach) {
  const std::vector<std::vector<std::string_view>> sets{
      {"assert done", "assert not done"},
      {"state = left()", "state = right()"},
      {"left", "right", "stay"},
      {"assert reward == 0", "assert reward == 1", "assert reward == -1", "assert reward == 10"}};
  ASSERT_FALSE(ask(model_, request(sets[0])).error);  // the prefix is known from here on
  const auto before = model_.statistics();
  constexpr std::size_t rounds = ICPI_LLAMA_LONG ? 10'000 : 400;
  std::size_t invalid = 0;
  std::vector<std::string> queries;
  for (std::size_t i = 0; i < rounds; ++i) queries.push_back(question(i % 40));
  for (std::size_t i = 0; i < rounds; ++i) {
    const auto& choices = sets[i % sets.size()];
    CompletionRequest each = request(choices, 0.5 * static_cast<double>(i % 3), i);
    each.query = queries[i];
    const Completion completion = ask(model_, each);
    if (completion.error || std::find(choices.begin(), choices.end(), completion.text) == choices.end()) ++invalid;
  }
  const auto after = model_.statistics();
  EXPECT_EQ(invalid, 0U);
  EXPECT_EQ(after.computations - before.computations, rounds);
  EXPECT_EQ(after.prefix_tokens_computed, before.prefix_tokens_computed);
  std::printf("%zu constrained answers, %zu invalid, %llu computations\n", rounds, invalid,
              static_cast<unsigned long long>(after.computations - before.computations));
}

TEST_F(Choices, AreDrawnByTheirProbabilities) {
  const std::vector<std::string_view> choices{"up", "down"};
  const std::vector<std::string_view> continuations{"up\n", "down\n"};
  CompletionRequest with_logprobs = request(choices);
  with_logprobs.want_logprobs = true;
  const Completion best = ask(model_, with_logprobs);
  ASSERT_FALSE(best.tokens.empty());
  std::string text;
  double sum = 0;
  for (const auto& token : best.tokens) text += token.token, sum += token.logprob;
  EXPECT_EQ(text, best.text);
  EXPECT_LT(sum, 0);

  std::map<std::string, int> counts;
  std::vector<CompletionRequest> requests;
  for (std::uint64_t seed = 0; seed < 500; ++seed) requests.push_back(request(choices, 1, seed));
  for (const Completion& each : icpi_test::ask_all(model_, requests)) ++counts[each.text];
  EXPECT_EQ(counts.size(), 2U);
  EXPECT_GT(counts[best.text], 250);
}

TEST_F(Choices, MayBeginLikeOthersAndNeedNoStop) {
  const std::vector<std::string_view> choices{"1", "10", "100", ""};
  std::map<std::string, int> counts;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    CompletionRequest open = request(choices, 3, seed);
    open.stop = {};
    const Completion completion = ask(model_, open);
    ASSERT_FALSE(completion.error);
    ++counts[completion.text];
  }
  for (const auto& [text, count] : counts) EXPECT_THAT(choices, testing::Contains(text));
  EXPECT_GT(counts.size(), 1U);
}

TEST_F(Choices, OfOneNeedNoComputation) {
  const std::vector<std::string_view> one{"the only one"};
  const auto before = model_.statistics().computations;
  const Completion completion = ask(model_, request(one));
  EXPECT_EQ(completion.text, "the only one");
  EXPECT_EQ(model_.statistics().computations, before);
}

TEST_F(Choices, InGreatNumbersAreComputedInParts) {
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) texts.push_back(fmt::format("{}{} item", static_cast<char>('A' + i % 26), i / 26));
  const std::vector<std::string_view> choices(texts.begin(), texts.end());
  const icpi::ScoreRequest all{{5, prefix_}, query_, choices};
  icpi::Scores scores;
  model_.score({&all, 1}, {&scores, 1});
  ASSERT_FALSE(scores.error) << scores.error.message;
  ASSERT_EQ(scores.logprobs.size(), 300U);
  const icpi::ScoreRequest few{{5, prefix_}, query_, std::span(choices).subspan(260, 5)};
  icpi::Scores again;
  model_.score({&few, 1}, {&again, 1});
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(again.logprobs[i], scores.logprobs[260 + i], 2e-2);

  CompletionRequest any = request(choices);  // the likeliest at every fork of the tree
  const Completion best = ask(model_, any);
  ASSERT_FALSE(best.error) << best.error.message;
  EXPECT_THAT(choices, testing::Contains(best.text));
  any.want_logprobs = true;
  const Completion known = ask(model_, any);
  EXPECT_EQ(known.text, best.text);
  const auto chosen = static_cast<std::size_t>(std::find(choices.begin(), choices.end(), known.text) - choices.begin());
  double sum = 0;
  for (const auto& token : known.tokens) sum += token.logprob;
  EXPECT_NEAR(sum, scores.logprobs[chosen], 2e-2);
}

}  // namespace
