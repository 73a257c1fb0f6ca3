// SPDX-License-Identifier: MIT
// Pretrained models, which scripts/pretrained gets into the folder that ICPI_LLAMA_PRETRAINED names; skipped without.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/icpi.hpp"
#include "icpi/models/any_language_model.hpp"
#include "llama/loaded_model.hpp"
#include "llama/prompt_tokens.hpp"
#include "llama/sampler.hpp"
#include "recorded_questions.hpp"
#include "support/agent_options.hpp"

namespace {

using icpi::Completion;
using icpi::CompletionRequest;
using icpi::llama::BatchToken;
using icpi::llama::DraftSource;
using icpi::llama::LlamaLanguageModel;
using icpi::llama::LoadedModel;
using icpi::llama::Options;
using icpi::llama::Token;
using icpi_test::answers;
using icpi_test::Differences;
using icpi_test::expect_near_ties;
using icpi_test::Recorded;
using icpi_test::Referee;

/// Who guesses.
const std::vector<DraftSource> sources =
    ICPI_LLAMA_LONG ? std::vector{DraftSource::induction, DraftSource::ngram} : std::vector{DraftSource::induction};
constexpr std::string_view smollm2 = "SmolLM2-135M-Instruct.Q4_1.gguf";
constexpr std::string_view gemma3 = "gemma-3-270m-q4_k_m.gguf";

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
    options.context = 4096;
    options.kv_type = icpi::llama::KvType::f32;  // f16 is summed up in f16, in the order of the cells
    options.kv_mib = 768;                        // all prefixes of a thousand questions stay
    options.batch_tokens = 60;                   // ggml's attention for 64 tokens and more is another one
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
  std::fflush(stdout);
}

/// That answers with drafts, asked together, are those of questions asked alone and without. A control is asked together
/// without drafts. A tenth of the questions is guessed by others than the first source.
void compare_with_drafts(const std::function<Options(DraftSource)>& options, std::string_view name,
                         double temperature) {
  const auto requests = Recorded::instance().requests(temperature);
  LlamaLanguageModel plain(options(DraftSource::none));
  const auto alone = answers(plain, requests, 1);
  print_costs(fmt::format("{} temperature {} alone", name, temperature), plain);
  for (const DraftSource source : sources) {
    const std::size_t count = source == sources.front() ? requests.size() : icpi_test::whole_prompt_count();
    const auto asked = std::span(requests).first(count);
    const std::vector<Completion> expected(alone.begin(), alone.begin() + static_cast<std::ptrdiff_t>(count));
    LlamaLanguageModel drafting(options(source));
    const auto drafted = answers(drafting, asked, 16);
    const std::string how = fmt::format("{} temperature {} drafts {}", name, temperature, icpi::llama::name(source));
    print_costs(how, drafting);
    const auto control = [&] {
      LlamaLanguageModel together(options(DraftSource::none));
      return Differences::between(answers(together, asked, 16), expected);
    };
    Referee referee(options(DraftSource::none));
    expect_near_ties(how, Differences::between(drafted, expected), control, asked, drafted, expected, referee);
    EXPECT_EQ(drafting.statistics().disorders, 0U);
    EXPECT_LT(4 * drafting.statistics().passes * requests.size(), 3 * plain.statistics().passes * count);
    EXPECT_GT(drafting.statistics().tokens_accepted,
              drafting.statistics().tokens_drafted / (source == sources.front() ? 4 : 8));
  }
}

TEST_P(Pretrained, GreedyAnswersAreTheSameWithDrafts) {
  compare_with_drafts([this](DraftSource draft) { return options(draft); }, GetParam(), 0);
}

TEST_P(Pretrained, DrawnAnswersAreTheSameWithDrafts) {
  compare_with_drafts([this](DraftSource draft) { return options(draft); }, GetParam(), 1);
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
  EXPECT_LE(found.texts.size(), 1U);
  EXPECT_LE(found.worst, 0.1);
}

/// Log-probabilities behind a text that is computed in pieces of so many tokens.
std::vector<double> logprobs_behind(LoadedModel& model, std::span<const Token> tokens, std::size_t piece) {
  constexpr std::array<icpi::llama::Sequence, 1> sequence{0};
  model.forget_all();
  std::vector<BatchToken> batch;
  for (std::size_t at = 0; at < tokens.size(); ++at) {
    const bool last = at + 1 == tokens.size();
    batch.push_back({tokens[at], static_cast<std::int32_t>(at), sequence, last});
    if (batch.size() < piece && !last) continue;
    EXPECT_EQ(model.compute(batch), LoadedModel::Outcome::done);
    if (!last) batch.clear();
  }
  const auto logits = model.logits(batch.size() - 1);
  const double all = icpi::llama::log_sum_exp(logits);
  std::vector<double> logprobs;
  for (const float each : logits) logprobs.push_back(static_cast<double>(each) - all);
  return logprobs;
}

TEST_P(Pretrained, TokensAreThoseOfTheWholeText) {
  LoadedModel model(options(DraftSource::none));
  const icpi::llama::PromptTokenizer tokenizer(model);
  const std::string text = icpi_test::records(1, 7) + icpi_test::question(3);
  icpi::llama::TextTokens grown;
  tokenizer.tokenize(icpi_test::records(1, 7), grown);
  tokenizer.extend(text, grown);
  std::vector<Token> whole;
  if (const auto beginning = model.beginning()) whole.push_back(*beginning);
  model.tokenize(text, whole);
  EXPECT_EQ(grown.tokens, whole);
}

TEST_P(Pretrained, LogitsDoNotDependOnThePiecesOfAPrompt) {
  LoadedModel model(options(DraftSource::none));
  icpi::llama::TextTokens text;
  icpi::llama::PromptTokenizer(model).tokenize(icpi_test::records(1, 7) + icpi_test::question(3), text);
  const auto some = logprobs_behind(model, text.tokens, 37);
  const auto more = logprobs_behind(model, text.tokens, 50);
  double worst = 0;
  for (std::size_t i = 0; i < some.size(); ++i)
    if (more[i] > -8) worst = std::max(worst, std::abs(some[i] - more[i]));
  EXPECT_LT(worst, 1e-3);
}

// Gemma looks back 512 tokens in most of its layers.
TEST_P(Pretrained, LongPromptsHaveTheSameAnswersWithSharedPrefixes) {
  if (GetParam() != gemma3) GTEST_SKIP() << "looks back over everything";
  const std::string prefix = icpi_test::records(1, 70);
  std::vector<std::string> texts;
  std::vector<CompletionRequest> sharing_requests;
  std::vector<CompletionRequest> requests;
  for (std::uint64_t i = 0; i < icpi_test::whole_prompt_count(); ++i)
    texts.push_back(prefix + icpi_test::records(100 + i, 1) + icpi_test::question(i));
  for (const std::string& text : texts) {
    sharing_requests.push_back(icpi_test::greedy(prefix, std::string_view(text).substr(prefix.size()), 12));
    sharing_requests.back().prefix.identity = 1;
    sharing_requests.back().want_logprobs = true;
    requests.push_back(icpi_test::greedy("", text, 12));
    requests.back().want_logprobs = true;
  }
  LlamaLanguageModel sharing(options(DraftSource::none));
  ASSERT_GT(sharing.count_tokens(prefix), 1024U);
  const auto shared = answers(sharing, sharing_requests, 16);
  EXPECT_LT(sharing.statistics().prefix_tokens_computed, 2 * sharing.count_tokens(prefix));

  const auto ask_whole = [&](std::size_t together) {
    LlamaLanguageModel model(options(DraftSource::none));
    auto completions = answers(model, requests, together);
    EXPECT_EQ(model.statistics().prefix_tokens_requested, requests.size()) << "what begins every text";
    EXPECT_EQ(model.statistics().usage.cached_tokens, 0U);
    return completions;
  };
  const auto alone = ask_whole(1);
  const auto control = [&] { return Differences::between(ask_whole(16), alone); };
  Referee referee(options(DraftSource::none));
  expect_near_ties(fmt::format("{}, {} tokens, shared prefixes", GetParam(), sharing.count_tokens(texts[0])),
                   Differences::between(shared, alone), control, requests, shared, alone, referee);
}

TEST_P(Pretrained, ChoosesAmongChoicesWhatItWouldWrite) {
  constexpr std::string_view records =
      "state 3\ngo left\nstate 2\n\nstate 5\ngo right\nstate 6\n\nstate 2\ngo right\nstate 3\n\n";
  const std::string prefix = std::string(records) + std::string(records);
  constexpr std::array<std::string_view, 1> stop{"\n"};
  constexpr std::array<std::string_view, 4> states{"state 2", "state 3", "state 5", "state 6"};
  constexpr std::array<std::string_view, 3> asked{"state 3\ngo left\n", "state 5\ngo right\n", "state 2\ngo right\n"};
  LlamaLanguageModel model(options(DraftSource::induction));
  for (const std::string_view query : asked) {
    CompletionRequest request = icpi_test::greedy(prefix, query, 12);
    request.stop = stop;
    const std::string written = icpi_test::ask(model, request).text;
    EXPECT_EQ(std::count(states.begin(), states.end(), written), 1) << written;
    const bool is_hard = query == (GetParam() == smollm2 ? asked[0] : asked[2]);
    if (!is_hard) {
      EXPECT_EQ(written, query == asked[0] ? "state 2" : query == asked[1] ? "state 6" : "state 3");
    }
    request.choices = states;
    EXPECT_EQ(icpi_test::ask(model, request).text, written);
  }
}

TEST_P(Pretrained, DecidesInTheChain) {
  icpi::Chain env;
  LlamaLanguageModel model(options(DraftSource::induction));
  icpi::PolicyIterationOptions agent_options = icpi_test::much_asking_options(2);
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
