// SPDX-License-Identifier: MIT
// A fifth of all requests fails, in every way that may pass: the answers are those of the fault-free run, and no answer
// is asked for again but those that came too late.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "stormy_server.hpp"

namespace {

using namespace std::chrono_literals;
using icpi_test::echo_text;
using icpi_test::StormyServer;

TEST(Storm, AnswersEqualTheFaultFreeRunAndNoneIsPaidTwice) {
  StormyServer first;
  StormyServer second;
  icpi::http::Options options = icpi_test::quick_options({first.url(), second.url()});
  options.retries = {.attempts = 20, .patience = 20s, .first_backoff = 1ms, .longest_backoff = 10ms};
  options.attempt_timeout = 100ms;
  icpi::http::HttpLanguageModel model(options);
  constexpr std::size_t count = 1500;
  std::vector<std::string> prefixes;
  for (int i = 0; i < 20; ++i) prefixes.push_back(fmt::format("prefix {}\n", i));
  std::vector<std::string> queries;
  for (std::size_t i = 0; i < count; ++i) queries.push_back(fmt::format("question {}", i));
  for (std::size_t i = 0; i < count; ++i) {
    icpi::CompletionRequest request;
    request.prefix = {i % 20, prefixes[i % 20]};
    request.query = queries[i];
    model.submit(request, i);
  }
  std::vector<icpi::FinishedCompletion> finished(64);
  std::size_t left = count;
  while (left > 0) {
    const std::size_t got = model.collect(finished, 5s);
    ASSERT_GT(got, 0U);
    left -= got;
    for (std::size_t i = 0; i < got; ++i) {
      const auto ticket = finished[i].ticket;
      EXPECT_EQ(finished[i].completion.text, echo_text(prefixes[ticket % 20] + queries[ticket]))
          << finished[i].completion.error.message;
    }
  }
  EXPECT_GT(first.faults() + second.faults(), 200);
  auto answers = first.whole_answers();
  for (const auto& [prompt, times] : second.whole_answers()) answers[prompt] += times;
  EXPECT_EQ(answers.size(), count);
  std::size_t paid = 0;
  for (const auto& [prompt, times] : answers) paid += static_cast<std::size_t>(times);
  // Not only those that the storm delays are late: the servers' threads may have to wait for a processor.
  EXPECT_LE(paid, count + model.statistics().timeouts);
}

}  // namespace
