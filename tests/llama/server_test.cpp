// SPDX-License-Identifier: MIT
// The same answers as llama-server gives over HTTP. Needs ICPI_LLAMA_RUN, see ../http/llama_server.hpp; with pretrained
// models ICPI_LLAMA_PRETRAINED, the folder of scripts/pretrained.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "../http/llama_server.hpp"
#include "recorded_questions.hpp"

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

class PretrainedServer : public testing::TestWithParam<std::string_view> {};

/// The file's answers to the recorded questions from llama-server, so many at a time. By one thread: where a token is alone,
/// more of them sum up its attention in as many parts. Weights as they are: repacked ones are summed up otherwise for a token
/// that is alone.
std::vector<Completion> ask_server(const std::string& file, std::span<const icpi::CompletionRequest> requests,
                                   std::size_t together) {
  setenv("ICPI_LLAMA_GGUF", file.c_str(), 1);
  const icpi_test::LlamaServer server({"-np", std::to_string(together), "-kvu", "-c", "8192", "-ctk", "f32", "-ctv",
                                       "f32", "-b", "512", "-ub", "63", "-fa", "on", "--swa-full", "-t", "1",
                                       "--no-repack"});
  icpi::http::Options server_options;
  server_options.base_urls = {server.url()};
  icpi::http::HttpLanguageModel model(server_options);
  std::vector<Completion> completions(requests.size());
  for (std::size_t i = 0; i < requests.size(); i += together) {
    const std::size_t count = std::min(together, requests.size() - i);
    model.complete(requests.subspan(i, count), std::span(completions).subspan(i, count));
  }
  return completions;
}

// The control is the server's own: here company changes nothing.
TEST_P(PretrainedServer, GivesTheSameGreedyAnswers) {
  const char* folder = std::getenv("ICPI_LLAMA_PRETRAINED");
  if (folder == nullptr) GTEST_SKIP() << "ICPI_LLAMA_PRETRAINED names no folder; scripts/pretrained makes one";
  const std::string file = (std::filesystem::path(folder) / GetParam()).string();
  ASSERT_TRUE(std::filesystem::exists(file)) << file;
  const auto requests = icpi_test::Recorded::instance().requests(0);
  const auto theirs = ask_server(file, requests, 1);

  icpi::llama::Options options;
  options.model_path = file;
  options.backend_directory = icpi_test::backend_directory();
  options.context = 4096;
  options.kv_mib = 768;
  options.kv_type = icpi::llama::KvType::f32;
  options.batch_tokens = 60;
  options.repack = false;
  icpi::llama::LlamaLanguageModel drafting(options);
  const auto ours = icpi_test::answers(drafting, requests, 16);
  const auto control = [&] { return icpi_test::Differences::between(ask_server(file, requests, 16), theirs); };
  options.draft = icpi::llama::DraftSource::none;
  icpi_test::Referee referee(options);
  icpi_test::expect_near_ties(fmt::format("{} beside llama-server", GetParam()),
                              icpi_test::Differences::between(ours, theirs), control, requests, ours, theirs, referee);
}

INSTANTIATE_TEST_SUITE_P(SmolLM2, PretrainedServer, testing::Values("SmolLM2-135M-Instruct.Q4_1.gguf"));
INSTANTIATE_TEST_SUITE_P(Gemma3, PretrainedServer, testing::Values("gemma-3-270m-q4_k_m.gguf"));

}  // namespace
