// SPDX-License-Identifier: MIT
// Pretrained models, which scripts/pretrained gets into the folder that ICPI_LLAMA_PRETRAINED names; skipped without.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/icpi.hpp"
#include "icpi/models/any_language_model.hpp"
#include "recorded_questions.hpp"

namespace {

using icpi::Completion;
using icpi::CompletionRequest;
using icpi::llama::DraftSource;
using icpi::llama::LlamaLanguageModel;
using icpi::llama::Options;
using icpi_test::answers;
using icpi_test::Differences;
using icpi_test::Recorded;

/// Who guesses.
const std::vector<DraftSource> sources =
    ICPI_LLAMA_LONG ? std::vector{DraftSource::induction, DraftSource::ngram} : std::vector{DraftSource::induction};
constexpr std::string_view smollm2 = "SmolLM2-135M-Instruct.Q4_1.gguf";
[[maybe_unused]] constexpr std::string_view gemma3 = "gemma-3-270m-q4_k_m.gguf";

class Pretrained : public testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("ICPI_LLAMA_PRETRAINED");
    if (folder == nullptr) GTEST_SKIP() << "ICPI_LLAMA_PRETRAINED names no folder; scripts/pretrained makes one";
    file_ = (std::filesystem::path(folder) / GetParam()).string();
    ASSERT_TRUE(std::filesystem::exists(file_)) << file_;
  }

  [[nodiscard]] Options options(DraftSource draft) const {
    Options options;
    options.model_path = file_;
    options.backend_directory = icpi_test::backend_directory();
    options.context = 2048;
    options.kv_type = icpi::llama::KvType::f32;  // f16 is summed up in f16, in the order of the cells
    options.kv_mib = 256;
    options.batch_tokens = 63;
    options.draft = draft;
    return options;
  }

 private:
  std::string file_;
};

/// What it took to answer since `before`.
void print_costs(std::string_view how, const LlamaLanguageModel& model) {
  const icpi::llama::Statistics now = model.statistics();
  const auto each = [&](std::uint64_t count) { return static_cast<double>(count) / static_cast<double>(now.answers); };
  std::printf(
      "%s: %.2f computations a question takes part in, %.1f tokens computed, %.1f of them drafted, %.1f accepted; "
      "%.1f uncached prompt tokens, %.1f written; tokens computed over these %.3f\n",
      std::string(how).c_str(), each(now.passes), each(now.tokens_computed), each(now.tokens_drafted),
      each(now.tokens_accepted), each(now.usage.prompt_tokens - now.usage.cached_tokens),
      each(now.usage.completion_tokens),
      static_cast<double>(now.tokens_computed) /
          static_cast<double>(now.usage.prompt_tokens - now.usage.cached_tokens + now.usage.completion_tokens));
}

/// The differences that come of company alone, and those of drafts by who guesses.
struct Measured {
  Differences control;
  std::vector<Differences> drafts;
};

/// Asks alone and together without drafts, and together with them.
Measured measure(const std::function<Options(DraftSource)>& options, std::string_view name, double temperature) {
  auto requests = Recorded::instance().requests(temperature);
  if (temperature > 0 && !ICPI_LLAMA_LONG) requests.resize(10);  // what is drawn is longer
  LlamaLanguageModel plain(options(DraftSource::none));
  const auto alone = answers(plain, requests, 1);
  print_costs(fmt::format("{} temperature {} alone", name, temperature), plain);
  LlamaLanguageModel plain_together(options(DraftSource::none));
  Measured measured;
  measured.control = Differences::between(answers(plain_together, requests, 16), alone);
  for (const DraftSource source : sources) {
    LlamaLanguageModel drafting(options(source));
    const auto found = Differences::between(answers(drafting, requests, 16), alone);
    print_costs(fmt::format("{} temperature {} drafts {}", name, temperature, icpi::llama::name(source)), drafting);
    std::printf(
        "  %zu of %zu texts differ, control %zu; log-probabilities within %.3g, control %.3g; where texts part "
        "%.3g\n",
        found.texts, requests.size(), measured.control.texts, found.worst, measured.control.worst, found.farthest);
    EXPECT_LT(4 * drafting.statistics().passes, 3 * plain.statistics().passes);
    EXPECT_GT(drafting.statistics().tokens_accepted, drafting.statistics().tokens_drafted / 4);
    measured.drafts.push_back(found);
  }
  return measured;
}

// Company moves the last bits of logits; with quantized weights a last bit may move a rounding of activations. A control
// without drafts says how far; drafts may do no more than that, or than .25, since a control of few questions says little.
TEST_P(Pretrained, GreedyAnswersAreTheSameWithDrafts) {
  const auto measured = measure([this](DraftSource draft) { return options(draft); }, GetParam(), 0);
  for (const Differences& found : measured.drafts) {
    EXPECT_LE(found.texts, std::max(2 * measured.control.texts, std::size_t{1}));
    EXPECT_LE(found.worst, std::max(2 * measured.control.worst, 0.25));
    EXPECT_LE(found.farthest, std::max(measured.control.worst, 0.25));
  }
}

TEST_P(Pretrained, DrawnAnswersAreTheSameWithDrafts) {
  const auto measured = measure([this](DraftSource draft) { return options(draft); }, GetParam(), 1);
  for (const Differences& found : measured.drafts) {
    EXPECT_LE(4 * found.texts, 8 * measured.control.texts + found.answers);  // a moved logit may move a draw
    EXPECT_LE(found.worst, std::max(2 * measured.control.worst, 0.25));
  }
}

TEST_P(Pretrained, GuessesThatAreRightTakeOneComputation) {
  auto requests = Recorded::instance().requests(0);
  requests.resize(std::min<std::size_t>(requests.size(), 16));
  Options with_itself = options(DraftSource::none);
  with_itself.draft_model = std::make_shared<icpi::AnyLanguageModel>(LlamaLanguageModel(options(DraftSource::none)));
  LlamaLanguageModel drafting(with_itself);
  answers(drafting, requests, 4);
  const icpi::llama::Statistics counted = drafting.statistics();
  EXPECT_LE(static_cast<double>(counted.passes), 1.3 * static_cast<double>(counted.answers));
  EXPECT_GE(static_cast<double>(counted.tokens_accepted), 0.9 * static_cast<double>(counted.tokens_drafted));
}

TEST_P(Pretrained, AnswersAreTheSameWithSharedPrefixes) {
  auto requests = Recorded::instance().requests(0);
  requests.resize(std::min<std::size_t>(requests.size(), ICPI_LLAMA_LONG ? 64 : 8));
  LlamaLanguageModel sharing(options(DraftSource::none));
  const auto shared = answers(sharing, requests, 16);
  EXPECT_GT(sharing.statistics().usage.cached_tokens, sharing.statistics().usage.prompt_tokens / 16);
  std::vector<Completion> apart;
  for (const CompletionRequest& request : requests) {
    LlamaLanguageModel fresh(options(DraftSource::none));
    apart.push_back(icpi_test::ask(fresh, request));
  }
  const auto found = Differences::between(shared, apart);
  EXPECT_LE(found.texts, 1U);
  EXPECT_LE(found.worst, 0.1);
}

// Gemma looks back 512 tokens in most of its layers.
TEST_P(Pretrained, LongPromptsHaveTheSameAnswersWithSharedPrefixes) {
  if (!ICPI_LLAMA_LONG) GTEST_SKIP() << "prompts of 1,500 tokens";
  const std::string prefix = icpi_test::records(1, 70);
  LlamaLanguageModel sharing(options(DraftSource::none));
  ASSERT_GT(sharing.count_tokens(prefix), 1024U);
  std::vector<std::string> texts;
  std::vector<CompletionRequest> with_prefix;
  for (std::uint64_t i = 0; i < 6; ++i) texts.push_back(prefix + icpi_test::question(i));
  for (const std::string& text : texts) {
    with_prefix.push_back(icpi_test::greedy(prefix, std::string_view(text).substr(prefix.size()), 12));
    with_prefix.back().prefix.identity = 1;
    with_prefix.back().want_logprobs = true;
  }
  std::vector<CompletionRequest> without;
  for (const std::string& text : texts) {
    without.push_back(icpi_test::greedy("", text, 12));
    without.back().want_logprobs = true;
  }
  const auto shared = answers(sharing, with_prefix, 6);
  EXPECT_LT(sharing.statistics().prefix_tokens_computed, 2 * sharing.count_tokens(prefix));
  LlamaLanguageModel plain(options(DraftSource::none));
  const auto apart = answers(plain, without, 1);
  EXPECT_EQ(plain.statistics().prefix_tokens_requested, 0U);
  const auto found = Differences::between(shared, apart);
  std::printf(
      "%s, prompts of %zu tokens: %zu of %zu texts differ, log-probabilities within %.3g, where texts part %.3g\n",
      std::string(GetParam()).c_str(), sharing.count_tokens(texts[0]), found.texts, found.answers, found.worst,
      found.farthest);
  EXPECT_LE(found.texts, 1U);
  EXPECT_LE(found.worst, 0.25);
}

TEST_P(Pretrained, ChoosesAmongChoicesWhatItWouldWrite) {
  constexpr std::string_view records =
      "state 3\ngo left\nstate 2\n\nstate 5\ngo right\nstate 6\n\nstate 2\ngo right\nstate 3\n\n";
  const std::string prefix = std::string(records) + std::string(records);
  constexpr std::array<std::string_view, 1> stop{"\n"};
  constexpr std::array<std::string_view, 3> states{"state 2", "state 6", "state 3"};
  constexpr std::array<std::string_view, 3> asked{"state 3\ngo left\n", "state 5\ngo right\n", "state 2\ngo right\n"};
  LlamaLanguageModel model(options(DraftSource::induction));
  for (std::size_t i = 0; i < asked.size(); ++i) {
    CompletionRequest request = icpi_test::greedy(prefix, asked[i], 12);
    request.stop = stop;
    EXPECT_EQ(icpi_test::ask(model, request).text, states[i]);
    request.choices = states;
    EXPECT_EQ(icpi_test::ask(model, request).text, states[i]);
  }
}

TEST_P(Pretrained, DecidesInTheChain) {
  icpi::Chain env;
  LlamaLanguageModel model(options(DraftSource::induction));
  icpi::PolicyIterationOptions agent_options;
  agent_options.seed = 2;
  agent_options.prompts.context_tokens = 1500;
  agent_options.queries.sampling.max_tokens = 24;
  icpi::PolicyIteration<icpi::Chain, LlamaLanguageModel> agent(env, model, agent_options);
  agent.train(env, {.steps = 12});
  const icpi::Costs costs = agent.costs();
  EXPECT_GT(costs.lm_calls, 10U);
  EXPECT_EQ(costs.failures, 0U);
  EXPECT_LT(costs.invalid, costs.lm_calls / 4);
  EXPECT_EQ(model.statistics().errors, 0U);
  print_costs(fmt::format("{} in the chain", GetParam()), model);
}

INSTANTIATE_TEST_SUITE_P(SmolLM2, Pretrained, testing::Values(smollm2));
#if ICPI_LLAMA_LONG
INSTANTIATE_TEST_SUITE_P(Gemma3, Pretrained, testing::Values(gemma3));
#endif

}  // namespace
