// SPDX-License-Identifier: MIT
// The same answers as llama-server gives over HTTP. Needs ICPI_LLAMA_RUN, see ../http/llama_server.hpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "../http/llama_server.hpp"
#include "helpers.hpp"

namespace {

using icpi::Completion;

constexpr std::size_t prompt_count = 64;
constexpr int max_tokens = 20;

TEST(LlamaServer, GivesTheSameGreedyAnswers) {
  const std::string file = icpi_test::model_file(ICPI_LLAMA_SIZE);
  setenv("ICPI_LLAMA_GGUF", file.c_str(), 1);
  const icpi_test::LlamaServer server(
      {"-np", "1", "-c", "4096", "-ctk", "f32", "-ctv", "f32", "-b", "512", "-ub", "63", "-fa", "on"});
  icpi::http::Options server_options;
  server_options.base_urls = {server.url()};
  icpi::http::HttpLanguageModel theirs(server_options);

  icpi::llama::Options options = icpi_test::small_options(ICPI_LLAMA_SIZE);
  options.kv_type = icpi::llama::KvType::f32;
  options.batch_tokens = 63;
  icpi::llama::LlamaLanguageModel ours(options);

  std::size_t tokens = 0;
  std::size_t other_ways = 0;
  double worst = 0;
  for (std::size_t i = 0; i < prompt_count; ++i) {
    const std::string prefix = icpi_test::records(i / 8, 8 + static_cast<int>(i) / 8);
    const std::string query = icpi_test::question(100 + i);
    auto request = icpi_test::greedy(prefix, query, max_tokens);
    request.want_logprobs = true;
    const Completion here = icpi_test::ask(ours, request);
    Completion there;
    theirs.complete({&request, 1}, {&there, 1});
    ASSERT_FALSE(here.error) << here.error.message;
    ASSERT_FALSE(there.error) << there.error.message;
    EXPECT_EQ(here.usage.prompt_tokens, there.usage.prompt_tokens);
    const std::size_t both = std::min(here.tokens.size(), there.tokens.size());
    ASSERT_GT(both, 0U);
    for (std::size_t at = 0; at < both; ++at, ++tokens) {
      worst = std::max(worst, std::abs(here.tokens[at].logprob - there.tokens[at].logprob));
      if (here.tokens[at].token == there.tokens[at].token) continue;
      ++other_ways;  // a near-tie, or the bound below does not hold
      break;
    }
  }
  std::printf("%zu tokens compared, log-probabilities within %.2g, %zu of %zu answers went another way\n", tokens,
              worst, other_ways, prompt_count);
  EXPECT_LT(worst, 1e-2);
  EXPECT_LT(other_ways, prompt_count / 8);
}

}  // namespace
