// SPDX-License-Identifier: MIT
// Two hundred servers that answer as no server should: every question ends, what was paid for is booked, and the key
// appears nowhere.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "helpers.hpp"
#include "hostile_server.hpp"
#include "icpi/core/error.hpp"

namespace {

using namespace std::chrono_literals;
using icpi::Completion;
using icpi::CompletionRequest;
using icpi_test::HostileServer;

constexpr std::string_view secret = "sk-hostile-0123456789abcdef";
constexpr const char* variable = "ICPI_TEST_HOSTILE_KEY";
constexpr std::uint64_t servers = 200;
constexpr std::uint64_t servers_per_test = 20;

icpi::http::Options options_for(const HostileServer& server, bool chat, std::string& told) {
  icpi::http::Options options = icpi_test::quick_options({server.url()});
  options.api_key_env = variable;
  options.attempt_timeout = 60s;  // these servers answer or hang up
  options.retries.patience = 50ms;
  options.max_response_bytes = 100'000;
  if (chat) options.dialect = icpi::http::Dialect::chat;
  options.notice = [&told](std::string_view line) { told += line; };
  options.waiting = [&told](std::string_view reason, double) { told += reason; };
  return options;
}

/// What the model is said to have written.
std::string written(const Completion& completion) {
  std::string all = completion.text + completion.thought;
  for (const icpi::TokenLogprob& token : completion.tokens) all += token.token;
  return all;
}

/// A batch, then submissions.
std::vector<Completion> ask_all(icpi::http::HttpLanguageModel& model, const std::vector<CompletionRequest>& requests) {
  std::vector<Completion> answers(requests.size());
  const std::size_t half = requests.size() / 2;
  model.complete(std::span(requests).first(half), std::span(answers).first(half));
  for (std::size_t i = half; i < requests.size(); ++i) model.submit(requests[i], i);
  std::vector<icpi::FinishedCompletion> finished(4);
  for (std::size_t left = requests.size() - half; left > 0;) {
    const std::size_t came = model.collect(finished, 1s);
    for (std::size_t i = 0; i < came; ++i) answers[finished[i].ticket] = std::move(finished[i].completion);
    left -= came;
  }
  return answers;
}

void expect_calm(std::uint64_t seed) {
  const bool chat = seed % 2 == 1;
  HostileServer server(seed, std::string(secret), chat);
  std::string told;
  icpi::http::HttpLanguageModel model(options_for(server, chat, told));
  const std::vector<std::string_view> stop{"\n"};
  std::vector<CompletionRequest> requests(8, icpi_test::plain_request());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].seed = i;
    requests[i].want_logprobs = i == 0;
    if (i > 2) requests[i].stop = stop;
  }
  icpi::Usage booked;
  std::string texts;
  for (const Completion& answer : ask_all(model, requests)) {
    booked.prompt_tokens += answer.usage.prompt_tokens;
    booked.completion_tokens += answer.usage.completion_tokens;
    told += answer.error.message;
    texts += written(answer);
    EXPECT_NE(answer.finish == icpi::FinishReason::error, answer.error.category == icpi::ErrorCategory::none);
  }
  const icpi::Usage counted = model.statistics().usage;
  EXPECT_EQ(booked.prompt_tokens, counted.prompt_tokens);
  EXPECT_EQ(booked.completion_tokens, counted.completion_tokens);
  EXPECT_GE(booked.prompt_tokens, server.due().prompt_tokens);
  EXPECT_GE(booked.completion_tokens, server.due().completion_tokens);
  EXPECT_EQ(model.statistics().in_flight + model.statistics().queued, 0U);
  EXPECT_EQ(texts.find(secret), std::string::npos) << texts.substr(0, 2000);
  EXPECT_EQ(told.find(secret.substr(3)), std::string::npos) << told.substr(0, 2000);
}

/// The same for whoever asks who the server is.
void expect_calm_probe(std::uint64_t seed) {
  HostileServer server(seed, std::string(secret), false);
  std::string told;
  icpi::http::Options options = options_for(server, false, told);
  options.probe = true;
  options.model.clear();
  try {
    const icpi::http::HttpLanguageModel model(options);
    told += describe(model.capabilities());
  } catch (const icpi::Error& error) {
    told += error.what();
  }
  EXPECT_EQ(told.find(secret.substr(3)), std::string::npos) << told.substr(0, 2000);
}

class HostileServers : public testing::TestWithParam<std::uint64_t> {};

TEST_P(HostileServers, NeitherHangNorCrashNorCheatNorGetTheKeyShown) {
  setenv(variable, std::string(secret).c_str(), 1);
  for (std::uint64_t i = 0; i < servers_per_test; ++i) {
    const std::uint64_t seed = GetParam() * servers_per_test + i;
    SCOPED_TRACE(seed);
    expect_calm(seed);
    expect_calm_probe(seed);
  }
  unsetenv(variable);
}

INSTANTIATE_TEST_SUITE_P(Seeds, HostileServers, testing::Range<std::uint64_t>(0, servers / servers_per_test));

}  // namespace
