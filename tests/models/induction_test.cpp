// SPDX-License-Identifier: MIT
#include "icpi/models/induction.hpp"
#include "icpi/models/induction/batches.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/core/random.hpp"
#include "icpi/testing/check_language_model.hpp"
#include "induction_helpers.hpp"

namespace icpi {
namespace {

using icpi_test::complete;

constexpr std::string_view newline = "\n";

CompletionRequest request_for(std::string_view prefix, std::string_view query, double temperature = 0,
                              std::uint64_t identity = 0) {
  CompletionRequest request;
  request.prefix = {identity, prefix};
  request.query = query;
  request.stop = {&newline, 1};
  request.sampling.temperature = temperature;
  request.want_logprobs = true;
  return request;
}

double score(InductionModel& model, std::string_view prefix, std::string_view query, std::string_view text) {
  return icpi_test::score(model, prefix, query, {&text, 1}).logprobs.at(0);
}

/// Records of an invented kind: `tier A lot B` / `move` / `tier A+1 lot B` with a mark that depends on A and B.
std::string ladder(int first, int last, int skip = -100) {
  std::string text;
  for (int a = first; a < last; ++a)
    for (int b = 0; b < 4; ++b) {
      if (a == skip) continue;
      const auto line = [&](int tier) {
        return "tier " + std::to_string(tier) + " lot " + std::to_string(b) + (tier == b ? " even" : " odd") + "\n";
      };
      text += line(a) + "move\n" + line(a + 1) + "\n";
    }
  return text;
}

/// Records whose answers are random.
std::string coin(int count) {
  RandomStream random{RandomKey(3)};
  std::string text;
  for (int i = 0; i < count; ++i) text += std::string("toss\n") + (random.index(3) == 0 ? "tails\n\n" : "heads up\n\n");
  return text;
}

TEST(Induction, AddsAConstantToANumberItNeverSaw) {
  InductionModel model;
  EXPECT_EQ(complete(model, request_for(ladder(0, 8), "tier 40 lot 2 odd\nmove\n")).text, "tier 41 lot 2 odd");
}

TEST(Induction, AgreesWithWhatItJustWrote) {
  InductionModel model;
  EXPECT_EQ(complete(model, request_for(ladder(-2, 6, 1), "tier 1 lot 2 odd\nmove\n")).text, "tier 2 lot 2 even");
}

TEST(Induction, AddsNumbers) {
  std::string prompt;
  RandomStream random{RandomKey(5)};
  for (int i = 0; i < 12; ++i) {
    const auto a = static_cast<int>(random.index(90));
    const auto b = static_cast<int>(random.index(90));
    prompt += "<" + std::to_string(a) + ".5|" + std::to_string(b) + ".25>\n" + std::to_string(a + b) + ".75\n\n";
  }
  InductionModel model;
  EXPECT_EQ(complete(model, request_for(prompt, "<200.5|7.25>\n")).text, "207.75");
}

TEST(Induction, RemembersExceptionsToItsRules) {
  const std::string prompt = ladder(0, 6) + "tier 3 lot 9 odd\nmove\nlost\n\n";
  InductionModel model;
  EXPECT_EQ(complete(model, request_for(prompt, "tier 3 lot 9 odd\nmove\n")).text, "lost");
}

TEST(Induction, AnswersNothingFromNothing) {
  InductionModel model;
  const Completion completion = complete(model, request_for("", "anything"));
  EXPECT_EQ(completion.text, "");
  EXPECT_EQ(completion.finish, FinishReason::stop);
  EXPECT_FALSE(completion.error);
}

TEST(Induction, LogprobOfACompletionIsTheSumOfItsTokens) {
  InductionModel model;
  const std::string prompt = ladder(0, 5) + coin(20);
  for (const std::string query : {"tier 2 lot 3 odd\nmove\n", "toss\n", "tier 9", ""})
    for (const double temperature : {0.0, 0.5, 1.0, 3.0})
      for (std::uint64_t seed = 0; seed < 10; ++seed) {
        CompletionRequest request = request_for(prompt, query, temperature);
        request.seed = seed;
        const Completion completion = complete(model, request);
        double sum = 0;
        std::string text;
        for (const TokenLogprob& token : completion.tokens) {
          sum += token.logprob;
          text += token.token;
        }
        EXPECT_EQ(text, completion.text);
        EXPECT_NEAR(sum, score(model, prompt, query, completion.text), 1e-9);
      }
}

/// Sums that outgrow what is read as a number are words, as they are when they are read again.
TEST(Induction, ContinuesRowsOfGrowingNumbersAsItReadsThem) {
  std::string prompt;
  for (long i = 1; i < 14; ++i) {
    long last = i % 4;
    long next = 1 + i % 5;
    prompt += "g " + std::to_string(last) + " " + std::to_string(next);
    for (int k = 0; k < 12; ++k) {
      last = std::exchange(next, last + next);
      prompt += " " + std::to_string(next);
    }
    prompt += "\n\n";
  }
  InductionModel model;
  for (const std::string query : {"g 13 21", "g 99999999998 99999999999", "g 70000000000 -9000000000"}) {
    const Completion completion = complete(model, request_for(prompt, query));
    double sum = 0;
    for (const TokenLogprob& token : completion.tokens) sum += token.logprob;
    EXPECT_NEAR(sum, score(model, prompt, query, completion.text), 1e-9) << completion.text;
  }
}

TEST(Induction, ProbabilitiesSumToOneWithTheEscape) {
  const std::string prompt = ladder(0, 5) + coin(20);
  induction::PrefixState state;
  state.extend(prompt);
  induction::QueryText query;
  induction::Predictor predictor;
  induction::Prediction prediction;
  for (const std::string_view text :
       {"tier 2 lot 3 odd\nmove\n", "toss\n", "tier 3 lot 7 even\nmove\ntier ", "x", "\n"}) {
    query.begin(state.index());
    query.append(text);
    auto* node = &state.start(query);
    for (int i = 0; i < 30; ++i) {
      state.predict(*node, query, predictor, prediction);
      double sum = prediction.escape;
      for (const auto& option : prediction.options) {
        EXPECT_GE(option.probability, 0);
        sum += option.probability;
      }
      EXPECT_NEAR(sum, 1, 1e-9);
      if (prediction.options.empty()) break;
      query.push(prediction.options.front().token);
      node = &state.after(*node, prediction.options.front().token, query);
    }
  }
}

TEST(Induction, ScoresAgreeWithSamplingFrequencies) {
  InductionModel model;
  const std::string prompt = coin(60);
  std::map<std::string, int> counts;
  constexpr int draws = 4000;
  for (std::uint64_t seed = 0; seed < draws; ++seed) {
    CompletionRequest request = request_for(prompt, "toss\n", 1);
    request.seed = seed;
    ++counts[complete(model, request).text];
  }
  ASSERT_GE(counts.size(), 2U);
  for (const auto& [text, count] : counts) {
    const double expected = std::exp(score(model, prompt, "toss\n", text + "\n"));
    const double frequency = static_cast<double>(count) / draws;
    EXPECT_NEAR(frequency, expected, 4 * std::sqrt(expected / draws) + 0.02) << text;
  }
}

/// How likely "3", "6" and "1" are held after they came three, six and one times of every ten.
std::vector<double> foretold(InductionVersion version, int tens) {
  InductionModel model({.version = version});
  std::string prompt;
  for (int ten = 0; ten < tens; ++ten)
    for (const char number : std::string("3616366663")) prompt += std::string("at 0\nswim\nat ") + number + "\n\n";
  std::vector<double> result;
  for (const std::string_view text : {"at 3\n", "at 6\n", "at 1\n"})
    result.push_back(std::exp(score(model, prompt, "at 0\nswim\n", text)));
  return result;
}

double farthest_from_seen(const std::vector<double>& probabilities) {
  return std::max(
      {std::abs(probabilities[0] - 0.3), std::abs(probabilities[1] - 0.6), std::abs(probabilities[2] - 0.1)});
}

TEST(Induction, CalibratedForetellsChanceAsOftenAsItWasSeen) {
  for (const int tens : {1, 3, 10}) {
    const double calibrated = farthest_from_seen(foretold(InductionVersion::calibrated, tens));
    EXPECT_LT(calibrated, 0.03) << tens;
    EXPECT_LT(calibrated, farthest_from_seen(foretold(InductionVersion::first, tens))) << tens;
  }
}

TEST(Induction, VersionsAreToldApart) {
  EXPECT_EQ(InductionModel().identity(), "induction/2");
  EXPECT_EQ(InductionModel({.version = InductionVersion::first}).identity(), "induction/1");
  EXPECT_THROW(InductionModel({.version = InductionVersion{3}}), InvalidArgument);
}

TEST(Induction, SamplesDifferBySeedAndSampleIndexAlone) {
  InductionModel model;
  const std::string prompt = coin(60);
  CompletionRequest request = request_for(prompt, "toss\n", 1);
  const Completion first = complete(model, request);
  EXPECT_EQ(complete(model, request), first);
  bool other = false;
  for (request.sample_index = 1; request.sample_index < 40; ++request.sample_index)
    other |= complete(model, request).text != first.text;
  EXPECT_TRUE(other);
}

TEST(Induction, TopPKeepsTheLikeliestOnly) {
  InductionModel model;
  const std::string prompt = coin(60);
  CompletionRequest request = request_for(prompt, "toss\n", 5);
  request.sampling.top_p = 0.01;
  for (request.seed = 0; request.seed < 50; ++*request.seed) EXPECT_EQ(complete(model, request).text, "heads up");
}

TEST(Induction, PrefixInPiecesEqualsPrefixAtOnce) {
  const std::string prompt = ladder(0, 6) + coin(10) + "tier 3 lot 1 odd\nmo";
  const std::string query = "ve\n";
  InductionModel at_once;
  const Completion expected = complete(at_once, request_for(prompt, query, 1, 9));
  for (const std::size_t step : {1U, 7U, 64U, 301U}) {
    InductionModel in_pieces;
    for (std::size_t size = 0; size < prompt.size(); size += step)
      complete(in_pieces, request_for(std::string_view(prompt).substr(0, size), query, 1, 9));
    const Completion completion = complete(in_pieces, request_for(prompt, query, 1, 9));
    EXPECT_EQ(completion.text, expected.text);
    EXPECT_EQ(completion.tokens, expected.tokens);
  }
}

TEST(Induction, CountsWhatAKeptPrefixSaves) {
  InductionModel model;
  const std::string prompt = ladder(0, 6);
  const Completion first = complete(model, request_for(prompt, "toss\n", 0, 4));
  EXPECT_EQ(first.usage.cached_tokens, 0U);
  EXPECT_GT(first.usage.prompt_tokens, 100U);
  const Completion second = complete(model, request_for(prompt, "toss\n", 0, 4));
  EXPECT_EQ(second.usage.prompt_tokens, first.usage.prompt_tokens);
  EXPECT_EQ(second.usage.cached_tokens, first.usage.prompt_tokens - 2);
}

TEST(Induction, PrefixThatBreaksItsPromiseIsReadAfresh) {
  InductionModel model;
  complete(model, request_for(coin(30), "toss\n", 0, 4));
  EXPECT_EQ(complete(model, request_for(ladder(0, 6), "tier 9 lot 1 odd\nmove\n", 0, 4)).text, "tier 10 lot 1 odd");
  const std::string longer = ladder(0, 6);
  const std::string_view shorter = std::string_view(longer).substr(0, longer.size() / 2);
  InductionModel fresh;
  EXPECT_EQ(complete(model, request_for(shorter, "tier 9 lot 1 odd\nmove\n", 0, 4)).tokens,
            complete(fresh, request_for(shorter, "tier 9 lot 1 odd\nmove\n", 0, 4)).tokens);
}

std::vector<CompletionRequest> mixed_requests(const std::vector<std::string>& prompts,
                                              const std::vector<std::string>& queries) {
  std::vector<CompletionRequest> requests;
  for (std::size_t i = 0; i < 60; ++i) {
    requests.push_back(request_for(prompts[i % prompts.size()], queries[i % queries.size()], 1,
                                   i % 2 == 0 ? i % prompts.size() + 1 : 0));
    requests.back().seed = i / 2;
  }
  return requests;
}

TEST(Induction, AnswersDoNotDependOnThreadsOrBatches) {
  const std::vector<std::string> prompts{ladder(0, 5), coin(30), ladder(0, 5) + coin(5)};
  const std::vector<std::string> queries{"toss\n", "tier 2 lot 1 odd\nmove\n", "tier", "toss\nheads ", "\n"};
  const auto requests = mixed_requests(prompts, queries);
  std::vector<Completion> expected;
  for (const CompletionRequest& request : requests) {
    InductionModel alone;
    expected.push_back(complete(alone, request));
  }
  for (const std::size_t threads : {1U, 2U, 5U})
    for (const std::size_t batch : {7U, 60U}) {
      InductionModel model({.threads = threads, .kept_prefixes = 2});
      std::vector<Completion> completions(requests.size());
      for (std::size_t i = 0; i < requests.size(); i += batch) {
        const std::size_t size = std::min(batch, requests.size() - i);
        model.complete(std::span(requests).subspan(i, size), std::span(completions).subspan(i, size));
      }
      for (std::size_t i = 0; i < requests.size(); ++i) {
        EXPECT_EQ(completions[i].text, expected[i].text);
        EXPECT_EQ(completions[i].tokens, expected[i].tokens);
        EXPECT_EQ(completions[i].finish, expected[i].finish);
      }
    }
}

/// A place where words vary in one form, and where another form has one of these words alone.
TEST(Induction, AnswersDoNotDependOnEarlierQueries) {
  std::string prompt;
  for (int i = 0; i < 12; ++i) prompt += "go A x y z\n\n";
  for (int i = 0; i < 6; ++i) prompt += std::string("go ") + "BCD"[i % 3] + " u v w\n\n";
  const std::vector<std::string> queries{"go A", "go B", "go E", "go ", "stay A"};
  for (const std::string& first : queries)
    for (const std::string& second : queries) {
      InductionModel model;
      InductionModel fresh;
      complete(model, request_for(prompt, first, 0, 3));
      const Completion after = complete(model, request_for(prompt, second, 0, 3));
      EXPECT_EQ(after.tokens, complete(fresh, request_for(prompt, second, 0, 3)).tokens) << first << ", " << second;
    }
  InductionModel model;
  EXPECT_EQ(complete(model, request_for(prompt, "go B", 0, 3)).text, " u v w");
  EXPECT_EQ(complete(model, request_for(prompt, "go A", 0, 3)).text, " x y z");
}

TEST(Induction, AnswersOneOfTheChoices) {
  InductionModel model;
  const std::string prompt = coin(60);
  const std::vector<std::string_view> choices{"tails", "heads up", "heads"};
  CompletionRequest request = request_for(prompt, "toss\n");
  request.choices = choices;
  EXPECT_EQ(complete(model, request).text, "heads up");
  request.sampling.temperature = 1;
  std::map<std::string, int> counts;
  for (request.seed = 0; request.seed < 500; ++*request.seed) ++counts[complete(model, request).text];
  EXPECT_GT(counts["tails"], 50);
  EXPECT_GT(counts["heads up"], 200);
  EXPECT_LT(counts["heads"], 10);
}

TEST(Induction, StopStringsMayCrossTokens) {
  InductionModel model;
  const std::string prompt = ladder(0, 6);
  CompletionRequest request = request_for(prompt, "tier 2 lot 1 odd\nmove\n");
  const std::string_view stop = "r 3 l";
  request.stop = {&stop, 1};
  const Completion completion = complete(model, request);
  EXPECT_EQ(completion.text, "tie");
  EXPECT_EQ(completion.finish, FinishReason::stop);
  EXPECT_TRUE(completion.tokens.empty());
}

TEST(Induction, EndsAtTheTokenLimit) {
  InductionModel model;
  const std::string prompt = ladder(0, 6);
  CompletionRequest request = request_for(prompt, "tier 2 lot 1 odd\nmove\n");
  request.sampling.max_tokens = 3;
  const Completion completion = complete(model, request);
  EXPECT_EQ(completion.text, "tier 3 lot");
  EXPECT_EQ(completion.finish, FinishReason::length);
  EXPECT_EQ(completion.usage.completion_tokens, 3U);
}

TEST(Induction, RefusesSamplingThatMakesNoSense) {
  InductionModel model;
  for (const Sampling sampling : {Sampling{-1, 1, 10}, Sampling{0, 0, 10}, Sampling{0, 2, 10}, Sampling{0, 1, 0},
                                  Sampling{std::nan(""), 1, 10}}) {
    CompletionRequest request = request_for("a\n\n", "b");
    request.sampling = sampling;
    EXPECT_EQ(complete(model, request).error.category, ErrorCategory::invalid_request);
  }
  EXPECT_THROW(InductionModel({.threads = 0}), InvalidArgument);
  std::vector<Completion> none;
  const CompletionRequest one = request_for("a", "b");
  EXPECT_THROW(model.complete({&one, 1}, none), InvalidArgument);
}

TEST(Induction, SurvivesAnyBytes) {
  InductionModel model;
  RandomStream random{RandomKey(11)};
  const std::string_view common = "ab -10.5\n\n[]=<!,:";
  for (int i = 0; i < 300; ++i) {
    std::string prefix;
    std::string query;
    const std::size_t size = random.index(600);
    for (std::size_t k = 0; k < size; ++k) {
      const char any = static_cast<char>(random.index(256));
      const char usual = common[random.index(common.size())];
      (random.index(5) == 0 ? query : prefix) += random.index(4) == 0 ? any : usual;
    }
    CompletionRequest request = request_for(prefix, query, 2, i % 3 == 0 ? 5 : 0);
    request.seed = static_cast<std::uint64_t>(i);
    if (i % 2 == 0) request.stop = {};
    EXPECT_FALSE(complete(model, request).error);
    EXPECT_TRUE(std::isfinite(score(model, prefix, query, "\0x-5\n\xff"))) << i;
  }
}

TEST(Induction, SurvivesLargeInput) {
  InductionModel model;
  for (const std::string& prefix : {std::string(1 << 20, 'a'), std::string(1 << 20, ' '), std::string(1 << 18, '\n'),
                                    std::string(1 << 20, '7'), std::string(1 << 18, '['), std::string(1 << 16, '\0')}) {
    EXPECT_FALSE(complete(model, request_for(prefix, "a 1\n", 1)).error);
    EXPECT_FALSE(complete(model, request_for("a 1\n", prefix, 1)).error);
  }
}

TEST(InductionModel, KeepsTheLawsOfALanguageModel) {
  InductionModel model;
  const auto report = testing::check_language_model(model);
  EXPECT_TRUE(report.ok()) << report;
}

}  // namespace
}  // namespace icpi
