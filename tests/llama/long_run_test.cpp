// SPDX-License-Identifier: MIT
// A thousand decisions leave memory as it was.
#include <gtest/gtest.h>

#include "helpers.hpp"
#include "icpi/domains/chain_formatter.hpp"
#include "icpi/icpi.hpp"
#include "support/agent_options.hpp"

namespace {

using icpi::llama::LlamaLanguageModel;
using icpi::llama::Options;

TEST(LongRuns, KeepTheBudgetAndTheirSizeOverAThousandDecisions) {
  Options model_options = icpi_test::small_options();
  model_options.context = 1024;
  model_options.kv_mib = 4;
  LlamaLanguageModel model(model_options);
  icpi::Chain env;
  icpi::PolicyIterationOptions options = icpi::paper_options();
  options.seed = 1;
  options.prompts.examples = icpi_test::examples_of(icpi_test::PromptMode::stable);
  options.prompts.context_tokens = 600;
  options.queries.sampling.max_tokens = 24;
  options.queries.restrict_answers = true;
  icpi_test::rollouts_of(options).step_limit = 3;
  icpi::PolicyIteration<icpi::Chain, LlamaLanguageModel> agent(env, model, options);
  constexpr std::uint64_t round = 250;
  std::vector<std::size_t> resident;
  for (std::uint64_t part = 1; part <= 4; ++part) {
    agent.train(env, {.steps = part * round});
    resident.push_back(icpi_test::resident_bytes());
    EXPECT_LE(model.statistics().most_kv_bytes, model.capabilities().kv_bytes);
    EXPECT_EQ(model.statistics().errors, 0U);
  }
  const auto now = model.statistics();
  std::printf("resident MiB:");
  for (const std::size_t each : resident) std::printf(" %.1f", static_cast<double>(each) / (1U << 20U));
  std::printf("; %llu answers, keys and values at most %.2f of %.2f MiB, %llu prefixes forgotten\n",
              static_cast<unsigned long long>(now.answers), static_cast<double>(now.most_kv_bytes) / (1U << 20U),
              static_cast<double>(model.capabilities().kv_bytes) / (1U << 20U),
              static_cast<unsigned long long>(now.prefixes_forgotten));
  EXPECT_LT(resident[3], resident[0] + (4U << 20U)) << "the experience itself grows, by less than a MiB";
  EXPECT_GT(now.prefixes_forgotten, 0U);
}

}  // namespace
