// SPDX-License-Identifier: MIT
// The whole of icpi on top of a model in this process. Random weights: what counts is that everything is answered.
#include <gtest/gtest.h>

#include <tuple>

#include "helpers.hpp"
#include "icpi/domains/chain_formatter.hpp"
#include "icpi/icpi.hpp"
#include "support/agent_options.hpp"

namespace {

using icpi::llama::LlamaLanguageModel;
using icpi::llama::Options;

icpi::PolicyIterationOptions stable_options(bool restricted) {
  icpi::PolicyIterationOptions options = icpi::paper_options();
  options.seed = 3;
  options.prompts.examples = icpi_test::examples_of(icpi_test::PromptMode::stable);
  options.prompts.context_tokens = 800;
  options.queries.sampling.max_tokens = 24;
  options.queries.restrict_answers = restricted;
  icpi_test::rollouts_of(options).step_limit = 4;
  return options;
}

Options small_memory() {
  Options options = icpi_test::small_options(ICPI_LLAMA_SIZE);
  options.context = 1024;
  options.kv_mib = std::string_view(ICPI_LLAMA_SIZE) == "tiny" ? 8 : 32;
  return options;
}

TEST(Chain, TrainsInStableModeWithinTheBudget) {
  LlamaLanguageModel model(small_memory());
  icpi::Chain env;
  icpi::PolicyIteration<icpi::Chain, LlamaLanguageModel> agent(env, model, stable_options(true));
  agent.train(env, {.steps = 40});
  const auto costs = agent.costs();
  const auto now = model.statistics();
  std::printf("%llu calls, prompt tokens %llu, computed %llu; prefix tokens %llu requested, %llu computed\n",
              static_cast<unsigned long long>(costs.lm_calls), static_cast<unsigned long long>(costs.prompt_tokens),
              static_cast<unsigned long long>(costs.computed_tokens()),
              static_cast<unsigned long long>(now.prefix_tokens_requested),
              static_cast<unsigned long long>(now.prefix_tokens_computed));
  EXPECT_GT(costs.lm_calls, 20U);
  EXPECT_EQ(costs.failures, 0U);
  EXPECT_EQ(now.errors, 0U);
  EXPECT_LE(now.most_kv_bytes, model.capabilities().kv_bytes);
  EXPECT_LT(2 * now.prefix_tokens_computed, now.prefix_tokens_requested);
}

TEST(Chain, GivesTheSameRunTwice) {
  const auto play = [] {
    LlamaLanguageModel model(small_memory());
    icpi::Chain env;
    icpi::PolicyIteration<icpi::Chain, LlamaLanguageModel> agent(env, model, stable_options(false));
    agent.train(env, {.steps = 25});
    const auto costs = agent.costs();
    return std::tuple(costs.lm_calls, costs.prompt_tokens, costs.completion_tokens, costs.invalid);
  };
  const auto once = play();
  EXPECT_GT(std::get<0>(once), 0U);
  EXPECT_EQ(play(), once);
}

}  // namespace
