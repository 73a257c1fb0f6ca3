// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/core/random.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/models/induction/batches.hpp"
#include "induction_helpers.hpp"

namespace icpi {
namespace {

using icpi_test::complete;
using icpi_test::score;

CompletionRequest long_request(std::string_view prefix, std::string_view query, int max_tokens = 40) {
  CompletionRequest request;
  request.prefix.text = prefix;
  request.query = query;
  request.sampling = {0, 1, max_tokens};
  request.want_logprobs = true;
  return request;
}

double sum_of(const Completion& completion) {
  double sum = 0;
  for (const TokenLogprob& token : completion.tokens) sum += token.logprob;
  return sum;
}

/// Records whose lines join pieces that read differently side by side: numbers, points, signs, words, spaces.
std::string joined_pieces(RandomStream& random) {
  constexpr std::array<std::string_view, 24> pieces{"a", "foo", "1",    "2",  "-3",  "1.5", "0.25", "10",
                                                    " ", "  ",  ".",    ",",  "(",   ")",   "=",    "-",
                                                    "+", "\n",  "\r\n", "-0", "1e3", "x1",  "\t",   "\xff"};
  std::vector<std::string> lines(1 + random.index(3));
  for (std::string& line : lines)
    for (std::size_t i = 1 + random.index(9); i > 0; --i)
      line += random.index(3) == 0 ? "#" : pieces[random.index(pieces.size())];
  std::string text;
  for (std::size_t record = 8 + random.index(10); record > 0; --record) {
    for (const std::string& line : lines) {
      for (const char c : line)
        if (c != '#')
          text += c;
        else if (random.index(4) > 0)
          text += std::to_string(static_cast<int>(random.index(5)) - 2);
        else
          text += pieces[random.index(8)];
      text += '\n';
    }
    text += '\n';
  }
  return text;
}

TEST(InductionLimits, WhatIsWrittenIsReadAsItWasWritten) {
  InductionModel model;
  RandomStream random{RandomKey(21)};
  for (int i = 0; i < 120; ++i) {
    const std::string prompt = joined_pieces(random);
    const std::string query = prompt.substr(random.index(prompt.size()), random.index(12));
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      CompletionRequest request = long_request(prompt, query, 25);
      request.sampling.temperature = seed == 0 ? 0 : 1;
      request.seed = seed;
      const Completion completion = complete(model, request);
      const std::string_view text = completion.text;
      const Scores scores = score(model, prompt, query, {&text, 1});
      EXPECT_NEAR(sum_of(completion), scores.logprobs[0], 1e-9 * (1 + std::abs(scores.logprobs[0])))
          << "prompt " << prompt << "query " << query << "\ntext " << text;
      EXPECT_EQ(scores.usage.prompt_tokens, completion.usage.prompt_tokens);
    }
  }
}

TEST(InductionLimits, LongLinesEndAtTheSamePlaceInPrefixAndQuery) {
  InductionModel model;
  std::vector<std::string> lines;
  for (const std::size_t tokens : {511U, 512U, 513U, 1024U}) lines.emplace_back(tokens, '(');
  for (const std::size_t bytes : {4095U, 4096U, 4097U, 8193U}) {
    std::string& line = lines.emplace_back("x");
    while (line.size() + 9 < bytes) line += " abcdefg";
    line.append(bytes - line.size(), 'y');
  }
  for (const std::string& line : lines) {
    std::string prompt;
    for (int i = 0; i < 8; ++i)
      prompt += "go " + std::to_string(i) + "\n" + line + "\nend " + std::to_string(i) + "\n\n";
    const std::string rest = "go 3\n" + line + "\n";
    const std::string whole = prompt + rest;
    const Completion at_once = complete(model, long_request(whole, "", 3));
    EXPECT_EQ(at_once.text, "end 3\n") << line.size();
    for (const std::size_t split : {std::size_t{0}, std::size_t{1}, rest.size() / 2, rest.size() - 2, rest.size()}) {
      const std::string_view text = whole;
      const std::size_t border = prompt.size() + split;
      const Completion split_up = complete(model, long_request(text.substr(0, border), text.substr(border), 3));
      EXPECT_EQ(split_up.text, at_once.text) << line.size() << " split at " << split;
      EXPECT_EQ(split_up.tokens, at_once.tokens);
      EXPECT_EQ(split_up.usage.prompt_tokens, at_once.usage.prompt_tokens);
    }
  }
}

TEST(InductionLimits, TokensAreCountedAlikeWhoeverAsks) {
  InductionModel model;
  std::string prompt;
  for (int i = 0; i < 12; ++i) prompt += "state == " + std::to_string(i % 5) + "\nreward = 1\n\n";
  prompt += "state == 3\nrew";
  CompletionRequest request = long_request(prompt, "ard ");
  const std::string_view stop = "\n";
  request.stop = {&stop, 1};
  const Completion written = complete(model, request);
  EXPECT_EQ(written.text, "= 1");
  EXPECT_EQ(written.usage.completion_tokens, 3U);  // a run of spaces counts with the token after it; the newline
  EXPECT_EQ(written.usage.prompt_tokens, 12U * (4 + 4 + 1) + 4 + 2);
  const std::string_view same = written.text;
  request.choices = {&same, 1};
  const Completion chosen = complete(model, request);
  EXPECT_EQ(chosen.tokens, written.tokens);
  EXPECT_EQ(chosen.usage.completion_tokens, 2U);
  EXPECT_EQ(chosen.usage.prompt_tokens, written.usage.prompt_tokens);
  EXPECT_EQ(score(model, prompt, "ard ", {&same, 1}).usage.prompt_tokens, written.usage.prompt_tokens);
  EXPECT_EQ(score(model, prompt, "ard ", {}).usage.prompt_tokens, written.usage.prompt_tokens);
}

TEST(InductionLimits, TopPHoldsForChoices) {
  InductionModel model;
  std::string prompt;
  for (int i = 0; i < 30; ++i) prompt += i % 3 == 0 ? "toss\ntails\n\n" : "toss\nheads\n\n";
  const std::array<std::string_view, 3> choices{"tails", "heads", "edge"};
  const auto seen = [&](double top_p) {
    std::map<std::string, int> counts;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      CompletionRequest request = long_request(prompt, "toss\n");
      request.choices = choices;
      request.sampling = {1, top_p, 1};
      request.seed = seed;
      ++counts[complete(model, request).text];
    }
    return counts;
  };
  EXPECT_EQ(seen(0.5).size(), 1U);
  EXPECT_EQ(seen(0.5)["heads"], 100);
  EXPECT_GE(seen(1).size(), 2U);
}

TEST(InductionLimits, WhatIsLeftOpenIsGreedyAndOfAHundredTokens) {
  InductionModel model;
  std::string prompt;
  for (int i = 0; i < 300; ++i) prompt += "n " + std::to_string(i % 7) + "\n";
  CompletionRequest said = long_request(prompt, "", 100);
  said.seed = 0;
  CompletionRequest open = said;
  open.sampling = {.temperature = {}, .top_p = {}, .max_tokens = {}};
  open.seed.reset();
  const Completion completion = complete(model, open);
  EXPECT_EQ(completion, complete(model, said));
  EXPECT_EQ(completion.usage.completion_tokens, 100U);
  const std::array<std::string_view, 2> choices{"n 0", "n 1"};
  said.choices = open.choices = choices;
  EXPECT_EQ(complete(model, open), complete(model, said));
}

TEST(InductionLimits, EndsAtTheTimeout) {
  InductionModel model;
  std::string prompt;
  for (int i = 0; i < 2000; ++i) prompt += "n " + std::to_string(i % 10) + "\n";
  CompletionRequest request = long_request(prompt, "", 1'000'000'000);
  request.timeout = std::chrono::milliseconds(20);
  const Completion late = complete(model, request);
  EXPECT_EQ(late.error.category, ErrorCategory::timeout);
  EXPECT_EQ(late.finish, FinishReason::error);
  EXPECT_TRUE(late.text.empty());
  EXPECT_TRUE(late.tokens.empty());
  request.sampling.max_tokens = 3;
  request.timeout = std::chrono::milliseconds::max();
  EXPECT_EQ(complete(model, request).text, "n 0\n");
}

TEST(InductionLimits, ScoringAChoiceEndsAtTheTimeoutToo) {
  InductionModel model;
  std::string prompt;
  for (int i = 0; i < 2000; ++i) prompt += "n " + std::to_string(i % 10) + "\n";
  std::string text;
  while (text.size() < 1'000'000) text += "n 7\n";
  const std::string_view choice = text;
  CompletionRequest request = long_request(prompt, "");
  request.choices = {&choice, 1};
  request.timeout = std::chrono::milliseconds(20);
  EXPECT_EQ(complete(model, request).error.category, ErrorCategory::timeout);
  const std::string_view some = choice.substr(0, 400);
  EXPECT_LT(score(model, prompt, "", {&some, 1}).logprobs.at(0), 0);  // has no timeout
}

/// What is kept of positions has a bound, and the answers are those of a state that forgets nothing: for a record that
/// goes on and on, and for texts whose forms share beginnings.
TEST(InductionLimits, WhatIsKeptOfPositionsHasABound) {
  constexpr std::size_t bound = 200'000;
  std::vector<std::string> prompts(1);
  for (int i = 0; i < 300; ++i) prompts[0] += "n " + std::to_string(i % 10) + "\n";
  RandomStream random{RandomKey(31)};
  for (int i = 0; i < 20; ++i) prompts.push_back(joined_pieces(random));
  std::size_t most_unbounded = 0;
  for (const std::string& prompt : prompts)
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      induction::PrefixState bounded(seed == 0 ? bound : 20'000);
      induction::PrefixState unbounded;
      bounded.extend(prompt);
      unbounded.extend(prompt);
      induction::Generator generator;
      CompletionRequest request = long_request(prompt, "", seed == 0 ? 600 : 100);
      request.sampling.temperature = 1;
      request.seed = seed;
      Completion expected;
      Completion completion;
      generator.complete(unbounded, request, expected);
      generator.complete(bounded, request, completion);
      EXPECT_EQ(completion, expected) << prompt;
      EXPECT_LT(bounded.kept_bytes(), bound + 200'000);
      most_unbounded = std::max(most_unbounded, unbounded.kept_bytes());
    }
  EXPECT_GT(most_unbounded, 3 * bound);
}

}  // namespace
}  // namespace icpi
