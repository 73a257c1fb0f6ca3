// SPDX-License-Identifier: MIT
// Recurrent and hybrid models: what they share of prefixes, and how they go back. Answers and drafts of theirs are compared
// by reference_test.cpp and draft_test.cpp, which are compiled for them too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "helpers.hpp"
#include "icpi/core/error.hpp"
#include "icpi/models/any_language_model.hpp"

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
using testing::HasSubstr;

class States : public testing::TestWithParam<std::string_view> {
 protected:
  /// With room for a few states alone.
  [[nodiscard]] static Options options(std::size_t kv_mib = 2) {
    Options options = icpi_test::small_options(GetParam());
    options.kv_type = icpi::llama::KvType::f32;
    options.batch_tokens = 63;
    options.context = 512;
    options.kv_mib = kv_mib;
    return options;
  }
};

/// Log-probabilities of fixed continuations: they tell whether the prompt in memory is the right one.
std::vector<double> score(LlamaLanguageModel& model, icpi::PromptPrefix prefix, std::string_view query) {
  const std::vector<std::string_view> continuations{"assert not done\n", "assert done\n", "state = left()\n", ""};
  const icpi::ScoreRequest request{prefix, query, continuations};
  icpi::Scores scores;
  model.score({&request, 1}, {&scores, 1});
  EXPECT_FALSE(scores.error) << scores.error.message;
  return scores.logprobs;
}

/// As a model says that has never been asked before.
std::vector<double> score_afresh(const Options& options, std::string_view prefix, std::string_view query) {
  LlamaLanguageModel model(options);
  return score(model, {0, prefix}, query);
}

void expect_near(const std::vector<double>& these, const std::vector<double>& those, double most) {
  ASSERT_EQ(these.size(), those.size());
  for (std::size_t i = 0; i < these.size(); ++i) EXPECT_NEAR(these[i], those[i], most) << "continuation " << i;
}

constexpr double last_bits = 2e-3;

TEST_P(States, AreDescribed) {
  const LlamaLanguageModel model(options());
  const icpi::llama::Capabilities& can = model.capabilities();
  EXPECT_GE(can.state_bytes, 2 * (16 + 3) * 512 * sizeof(float)) << "two layers of 512 channels";
  EXPECT_GE(can.states, 4U);
  EXPECT_LE(can.kv_bytes, 2U << 20U);
  EXPECT_EQ(can.kv_bytes_per_token > 0, GetParam() == "hybrid");
  EXPECT_THAT(describe(can), HasSubstr(fmt::format("each, {} in that memory", can.states)));
  EXPECT_EQ(describe(can).find("keys, values") != std::string::npos, GetParam() == "hybrid");
  const LlamaLanguageModel large(options(0));
  EXPECT_LE(large.capabilities().kv_bytes, 1024U << 20U);
  EXPECT_GT(large.capabilities().states, can.states);
}

TEST_P(States, NeedRoomForAFew) {
  Options small = options(1);
  small.context = 4096;
  if (GetParam() == "hybrid")
    EXPECT_THAT([&] { LlamaLanguageModel model(small); },
                testing::ThrowsMessage<icpi::InvalidArgument>(HasSubstr("kv_mib is 1; ")));
  else
    EXPECT_LT(LlamaLanguageModel(small).capabilities().states, 16U);
}

TEST_P(States, OfPrefixesAreSharedAndGrowInPlace) {
  LlamaLanguageModel model(options());
  const std::string prefix = records(1, 6);
  const std::string longer = records(1, 9);
  ASSERT_TRUE(longer.starts_with(prefix));
  expect_near(score(model, {7, prefix}, question(1)), score_afresh(options(), prefix, question(1)), last_bits);
  const auto first = model.statistics();
  EXPECT_GT(first.prefix_tokens_computed, 0U);
  expect_near(score(model, {7, prefix}, question(2)), score_afresh(options(), prefix, question(2)), last_bits);
  EXPECT_EQ(model.statistics().prefix_tokens_computed, first.prefix_tokens_computed) << "all of it was there";

  expect_near(score(model, {7, longer}, question(3)), score_afresh(options(), longer, question(3)), last_bits);
  const auto grown = model.statistics();
  EXPECT_EQ(grown.prefixes, 1U);
  EXPECT_LT(grown.prefix_tokens_computed, 2 * first.prefix_tokens_computed);
  const auto of_longer = score_afresh(options(), longer, question(4));
  EXPECT_GT(std::abs(of_longer[0] - score_afresh(options(), prefix, question(4))[0]), 10 * last_bits)
      << "or all are alike";
  // Back to the shorter one: its state is gone.
  expect_near(score(model, {7, prefix}, question(4)), score_afresh(options(), prefix, question(4)), last_bits);
  EXPECT_EQ(model.statistics().prefix_tokens_computed, grown.prefix_tokens_computed + first.prefix_tokens_computed);
}

TEST_P(States, OfAPrefixThatIsInUseStayAsTheyAre) {
  LlamaLanguageModel model(options());
  const std::string prefix = records(1, 6);
  const std::string longer = records(1, 9);
  std::vector<std::string> queries;
  std::vector<CompletionRequest> requests;
  for (std::uint64_t i = 0; i < 4; ++i) queries.push_back(question(10 + i));
  for (std::size_t i = 0; i < 4; ++i) {
    requests.push_back(greedy(i % 2 == 0 ? prefix : longer, queries[i], 6));
    requests.back().prefix.identity = 7;
    requests.back().want_logprobs = true;
  }
  const auto together = ask_all(model, requests);  // the second grows while the first waits for it
  for (std::size_t i = 0; i < requests.size(); ++i) {
    LlamaLanguageModel fresh(options());
    const Completion alone = ask(fresh, requests[i]);
    ASSERT_FALSE(together[i].error) << together[i].error.message;
    ASSERT_FALSE(alone.tokens.empty());
    ASSERT_FALSE(together[i].tokens.empty());
    EXPECT_NEAR(together[i].tokens[0].logprob, alone.tokens[0].logprob, last_bits) << "question " << i;
  }
}

/// Guesses something else than what is ever answered.
struct Wrong {
  [[nodiscard]] static std::string identity() { return "wrong"; }
  static void complete(std::span<const CompletionRequest>, std::span<Completion> completions) {
    for (Completion& each : completions) each.text = "~ wrong ~";
  }
};

TEST_P(States, AreTakenUpAgainAtThePrefixWhereAGuessWasWrong) {
  Options guessing = options();
  guessing.draft_model = std::make_shared<icpi::AnyLanguageModel>(Wrong());
  Options silent = options();
  silent.draft = icpi::llama::DraftSource::none;
  LlamaLanguageModel drafting(guessing);
  LlamaLanguageModel plain(silent);
  const std::string prefix = records(2, 3);
  for (std::uint64_t i = 0; i < 4; ++i) {
    const std::string query = question(20 + i);
    CompletionRequest request = greedy(prefix, query, 6);
    request.prefix.identity = 5;
    request.want_logprobs = true;
    const Completion guessed = ask(drafting, request);
    const Completion answered = ask(plain, request);
    EXPECT_EQ(guessed.text, answered.text) << i;
    ASSERT_EQ(guessed.tokens.size(), answered.tokens.size()) << i;
    for (std::size_t t = 0; t < guessed.tokens.size(); ++t)
      EXPECT_NEAR(guessed.tokens[t].logprob, answered.tokens[t].logprob, last_bits) << i << ", token " << t;
  }
  const auto counted = drafting.statistics();
  EXPECT_GT(counted.tokens_drafted, 0U);
  EXPECT_LE(counted.tokens_drafted, 4U * 5U) << "one guess a question";
  EXPECT_EQ(counted.tokens_accepted, 0U);
  EXPECT_EQ(counted.passes, plain.statistics().passes);
}

TEST_P(States, OfMoreTextsThanThereIsRoomForTakeTurns) {
  Options few = options();
  few.draft = icpi::llama::DraftSource::ngram;
  LlamaLanguageModel model(few);
  const std::size_t states = model.capabilities().states;
  std::vector<std::string> prefixes;
  std::vector<std::string> queries;
  for (std::size_t i = 0; i < states + 3; ++i) {
    prefixes.push_back(records(i, 3));
    queries.push_back(question(100 + i));
  }
  std::vector<CompletionRequest> requests;
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    requests.push_back(greedy(prefixes[i], queries[i], 4));
    requests.back().prefix.identity = 1 + i;
    requests.back().want_logprobs = true;
  }
  const auto together = ask_all(model, requests);
  EXPECT_GT(model.statistics().prefixes_forgotten, 0U);
  EXPECT_LE(model.statistics().most_kv_bytes, model.capabilities().kv_bytes);
  LlamaLanguageModel plain(options());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const Completion alone = ask(plain, requests[i]);
    ASSERT_FALSE(together[i].error) << together[i].error.message;
    ASSERT_FALSE(together[i].tokens.empty());
    EXPECT_NEAR(together[i].tokens[0].logprob, alone.tokens[0].logprob, last_bits) << "question " << i;
  }
}

TEST_P(States, GoThroughTreesAFewPathsAtATime) {
  LlamaLanguageModel model(options());
  const std::string prefix = records(3, 6);
  std::vector<std::string> texts;
  for (int i = 0; i < 30; ++i) texts.push_back(fmt::format("assert reward == {}\n", 7 * i));
  std::vector<std::string_view> many(texts.begin(), texts.end());
  many.push_back("assert reward");
  icpi::Scores together;
  const std::string query = question(5);
  const icpi::ScoreRequest request{{3, prefix}, query, many};
  model.score({&request, 1}, {&together, 1});
  ASSERT_FALSE(together.error) << together.error.message;
  for (std::size_t i = 0; i < many.size(); i += 5) {
    const icpi::ScoreRequest one{{3, prefix}, query, std::span(many).subspan(i, 1)};
    icpi::Scores alone;
    model.score({&one, 1}, {&alone, 1});
    EXPECT_NEAR(together.logprobs[i], alone.logprobs[0], last_bits) << many[i];
  }
  CompletionRequest choosing = greedy(prefix, query);
  choosing.prefix.identity = 3;
  choosing.choices = many;
  const Completion chosen = ask(model, choosing);
  EXPECT_THAT(many, testing::Contains(chosen.text));
  EXPECT_LE(model.statistics().most_kv_bytes, model.capabilities().kv_bytes);
}

INSTANTIATE_TEST_SUITE_P(OfModels, States, testing::Values("recurrent", "hybrid"));

}  // namespace
