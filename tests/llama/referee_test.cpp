// SPDX-License-Identifier: MIT
// The referee of answers that part knows what was drawn and how far other tokens were from it.
#include "referee.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "helpers.hpp"

namespace {

using icpi::Completion;
using icpi::CompletionRequest;
using icpi::llama::LlamaLanguageModel;
using icpi_test::Parting;
using icpi_test::Referee;

icpi::llama::Options exact_options() {
  icpi::llama::Options options = icpi_test::small_options();
  options.kv_type = icpi::llama::KvType::f32;
  options.batch_tokens = 60;  // as many as the referee computes at once
  return options;
}

constexpr std::array<std::string_view, 4> stops{"a", "e", "s", "1"};

CompletionRequest request_of(std::string_view prefix, std::string_view query, double temperature, std::uint64_t seed) {
  CompletionRequest request = icpi_test::greedy(prefix, query, 24);
  request.sampling.temperature = temperature;
  request.seed = seed;
  request.stop = stops;
  request.want_logprobs = true;
  return request;
}

TEST(Referee, FindsThatTheTokenThatWasTakenIsNoStepAway) {
  const std::string prefix = icpi_test::records(1, 8);
  const std::string query = icpi_test::question(2);
  LlamaLanguageModel model(exact_options());
  Referee referee(exact_options());
  std::size_t ended = 0;
  for (std::uint64_t seed = 0; seed < 24; ++seed) {
    const auto request = request_of(prefix, query, seed < 2 ? 0 : 1, seed);
    const Completion answer = icpi_test::ask(model, request);
    ASSERT_FALSE(answer.error) << answer.error.message;
    if (answer.finish != icpi::FinishReason::stop) continue;
    ++ended;
    const Parting parting = referee.part(request, answer, answer);
    EXPECT_EQ(parting.token, answer.tokens.size());
    EXPECT_LT(parting.apart, 1e-2) << answer.text;
  }
  EXPECT_GT(ended, 12U);
}

TEST(Referee, TellsHowFarAnotherTokenIs) {
  const std::string prefix = icpi_test::records(1, 8);
  const std::string query = icpi_test::question(2);
  LlamaLanguageModel model(exact_options());
  Referee referee(exact_options());
  const auto request = request_of(prefix, query, 0, 0);
  const Completion answer = icpi_test::ask(model, request);
  ASSERT_FALSE(answer.tokens.empty());
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const auto drawn_request = request_of(prefix, query, 1, seed);
    const Completion drawn = icpi_test::ask(model, drawn_request);
    if (drawn.tokens.empty() || drawn.tokens[0].token == answer.tokens[0].token) continue;
    const Parting parting = referee.part(request, answer, drawn);
    EXPECT_EQ(parting.token, 0U);
    EXPECT_EQ(parting.first, "'" + answer.tokens[0].token + "'");
    EXPECT_NEAR(parting.apart, answer.tokens[0].logprob - drawn.tokens[0].logprob, 1e-2);
    EXPECT_GT(referee.part(drawn_request, answer, drawn).apart, 0);
  }
}

}  // namespace
