// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/language_model_ref.hpp"
#include "icpi/core/error.hpp"
#include "icpi/testing/report.hpp"

namespace icpi::testing {

/// What a language model is asked.
struct LanguageModelCheck {
  /// Each is asked with two seeds; split in the middle into prefix and query.
  std::vector<std::string> prompts{"a 1\nb 2\n\na 1\nb 2\n\na 1\n", "one two three\none two",
                                   "x = 3\ny = 4\n\nx = 5\n"};
  std::string stop = "\n";    ///< of every request
  Sampling sampling{};        ///< of every valid request
  bool repeatable = true;     ///< equal requests get equal answers; false for a service that cannot promise it
  int patience_seconds = 60;  ///< for everything that was submitted together
};

namespace detail {

/// Runs the checks of one model.
template <LanguageModel Model>
class LanguageModelChecker {
 public:
  LanguageModelChecker(Model& model, const LanguageModelCheck& check, Report& report)
      : model_(model), check_(check), report_(report), stops_{check_.stop} {
    for (const std::string& prompt : check_.prompts)
      for (const std::uint64_t seed : {1U, 2U}) {
        requests_.push_back({.prefix = {0, std::string_view(prompt).substr(0, prompt.size() / 2)},
                             .query = std::string_view(prompt).substr(prompt.size() / 2),
                             .stop = stops_,
                             .sampling = check_.sampling,
                             .seed = seed,
                             .choices = {}});
      }
  }

  void run() {
    const std::string identity = model_.identity();
    report_.expect(!identity.empty(), "identity() is not empty.", [] { return std::string("''"); });
    plain_ = answers(requests_);
    for (std::size_t i = 0; i < plain_.size(); ++i) check_plain(requests_[i], plain_[i], i);
    if (check_.repeatable) check_independence();
    check_refusals();
    check_misuse();
    check_lengths();
    check_logprobs();
    check_choices();
    if constexpr (ScoresContinuations<Model>) check_scores();
    if constexpr (AsynchronousLanguageModel<Model>) {
      if (capabilities_of(model_).asynchronous) check_asynchronous();
    }
    report_.expect(identity == std::string(model_.identity()), "identity() stays what it is.",
                   [&] { return identity; });
  }

 private:
  static auto item(std::size_t i) {
    return [i] { return fmt::format("item {}", i); };
  }

  /// Answers, in objects that are full of another answer before.
  std::vector<Completion> answers(std::span<const CompletionRequest> requests) {
    Completion junk{.text = "junk", .tokens = {{"junk", 1}}, .usage = {9, 99, 999999}, .error = {}};
    std::vector<Completion> completions(requests.size(), junk);
    model_.complete(requests, completions);
    return completions;
  }

  Completion answer(const CompletionRequest& request) { return answers({&request, 1}).front(); }

  void check_plain(const CompletionRequest& request, const Completion& completion, std::size_t i) {
    const std::string& text = completion.text;
    const Usage& usage = completion.usage;
    const CompletionError& error = completion.error;
    const bool kept_token = !completion.tokens.empty() && completion.tokens[0].token == "junk";
    report_.expect(!error, "A plain request is answered.",
                   [&] { return fmt::format("item {}: {}: {}", i, name(error.category), error.message); });
    report_.expect(static_cast<bool>(error) == (completion.finish == FinishReason::error),
                   "The finish reason is `error` where there is an error, and only there.", item(i));
    report_.expect(text.find(check_.stop) == std::string::npos, "A text holds no stop string.",
                   [&] { return fmt::format("item {}: {}", i, text); });
    report_.expect(!kept_token && usage.completion_tokens != 999999, "Every field of a completion is overwritten.",
                   item(i));
    report_.expect(usage.cached_tokens <= usage.prompt_tokens, "Cached tokens are part of the prompt's.", item(i));
    const int limit = request.sampling.max_tokens.value_or(std::numeric_limits<int>::max());
    report_.expect(usage.completion_tokens <= static_cast<std::uint64_t>(limit),
                   "A completion has at most max_tokens tokens.", item(i));
  }

  void check_independence() {
    constexpr std::string_view alone = "An answer depends on its request alone, not on its neighbours or their order.";
    const std::size_t last = requests_.size() - 1;
    std::vector<CompletionRequest> reversed(requests_.rbegin(), requests_.rend());
    const auto backwards = answers(reversed);
    for (std::size_t i = 0; i <= last; ++i) {
      report_.expect(answer(requests_[i]).text == plain_[i].text, alone, item(i));
      report_.expect(backwards[last - i].text == plain_[i].text, alone, item(i));
      CompletionRequest joined = requests_[i];
      joined.prefix = {};
      joined.query = check_.prompts[i / 2];
      report_.expect(answer(joined).text == plain_[i].text, "The prompt is prefix and query, wherever it is split.",
                     item(i));
    }
    const auto repeated = answers(std::vector{requests_[0], requests_[last], requests_[0]});
    report_.expect(repeated[0].text == repeated[2].text, "Equal requests get equal answers.", item(0));
  }

  void check_refusals() {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::array<Sampling, 6> wrong{
        {{-1, 1, 10}, {nan, 1, 10}, {0.1, 0, 10}, {0.1, 1.5, 10}, {0.1, nan, 10}, {0.1, 1, 0}}};
    for (const Sampling& sampling : wrong) {
      std::vector<CompletionRequest> batch{requests_[0], requests_[1], requests_[0]};
      batch[1].sampling = sampling;
      const auto completions = answers(batch);
      const auto describe = [&] {
        return fmt::format("temperature {}, top_p {}, max_tokens {}", *sampling.temperature, *sampling.top_p,
                           *sampling.max_tokens);
      };
      report_.expect(completions[1].error.category == ErrorCategory::invalid_request,
                     "A parameter that cannot be honoured makes the item an invalid_request.", describe);
      for (const std::size_t sibling : {0U, 2U}) {
        const bool same = !check_.repeatable || completions[sibling].text == plain_[0].text;
        report_.expect(!completions[sibling].error && same, "A failed item never sinks its siblings.", describe);
      }
    }
  }

  void check_misuse() {
    // One more, not one fewer: a model that does not check must not write where nothing is.
    std::vector<Completion> many(requests_.size() + 1);
    bool thrown = false;
    try {
      model_.complete(requests_, many);
    } catch (const std::exception&) {
      thrown = true;
    }
    report_.expect(thrown, "Spans of different length are refused by an exception.",
                   [&] { return fmt::format("{} requests, {} completions", requests_.size(), many.size()); });
    report_.expect_no_throw([&] { model_.complete({}, {}); }, "An empty batch is answered.",
                            [] { return std::string("an exception"); });
  }

  void check_lengths() {
    CompletionRequest request = requests_[0];
    request.stop = {};
    request.sampling.max_tokens = 1;
    const Completion completion = answer(request);
    report_.expect(!completion.error && completion.usage.completion_tokens <= 1,
                   "A completion has at most max_tokens tokens.", [&] {
                     return fmt::format("max_tokens 1 gave {} tokens, error {}", completion.usage.completion_tokens,
                                        name(completion.error.category));
                   });
    request.sampling.temperature = request.sampling.top_p = {};
    request.seed = {};
    const CompletionError error = answer(request).error;
    report_.expect(!error, "Temperature, top_p and seed may be left open.", [&] { return error.message; });
  }

  void check_logprobs() {
    CompletionRequest request = requests_[0];
    request.want_logprobs = true;
    const Completion completion = answer(request);
    constexpr std::string_view law = "Wanted logprobs are given, or refused by who does not say so.";
    if (completion.error) {
      const bool refused = completion.error.category == ErrorCategory::invalid_request;
      report_.expect(refused && !capabilities_of(model_).gives_logprobs, law, item(0));
      return;
    }
    report_.expect(completion.text.empty() || !completion.tokens.empty(), law, item(0));
    for (const TokenLogprob& token : completion.tokens)
      report_.expect(token.logprob <= 1e-9, "Log-probabilities are at most zero.",
                     [&] { return fmt::format("{} of token '{}'", token.logprob, token.token); });
  }

  void check_choices() {
    const std::array<std::string_view, 2> choices{"b 2", "b 3"};
    CompletionRequest request = requests_[0];
    request.choices = choices;
    const Completion completion = answer(request);
    if (capabilities_of(model_).constrains_choices) {
      report_.expect(!completion.error && std::find(choices.begin(), choices.end(), completion.text) != choices.end(),
                     "With choices, the answer is one of them.", [&] { return completion.text; });
    } else {
      report_.expect(completion.error.category == ErrorCategory::invalid_request,
                     "A model that does not constrain choices refuses them as invalid_request.",
                     [&] { return completion.text; });
    }
  }

  void check_scores()
    requires ScoresContinuations<Model>
  {
    const std::array<std::string_view, 3> continuations{"b 2\n", "b 3\n", "zebra\n"};
    const ScoreRequest request{requests_[0].prefix, requests_[0].query, continuations};
    std::vector<Scores> scores(1);
    model_.score(std::span(&request, 1), scores);
    if (!capabilities_of(model_).scores) {
      report_.expect(scores[0].error.category == ErrorCategory::invalid_request,
                     "A model that does not score continuations refuses them as invalid_request.", item(0));
      return;
    }
    report_.expect(!scores[0].error && scores[0].logprobs.size() == continuations.size(),
                   "Every continuation gets a log-probability.",
                   [&] { return fmt::format("{} of {}", scores[0].logprobs.size(), continuations.size()); });
    for (const double logprob : scores[0].logprobs)
      report_.expect(logprob <= 1e-9, "Log-probabilities are at most zero.",
                     [&] { return fmt::format("{}", logprob); });
  }

  /// Collects until `wanted` came or patience ends.
  std::vector<FinishedCompletion> collect(std::size_t wanted)
    requires AsynchronousLanguageModel<Model>
  {
    std::vector<FinishedCompletion> all;
    std::vector<FinishedCompletion> some(wanted + 1);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(check_.patience_seconds);
    while (all.size() < wanted && std::chrono::steady_clock::now() < deadline) {
      const std::size_t came = model_.collect(some, std::chrono::milliseconds(100));
      for (std::size_t i = 0; i < came; ++i) all.push_back(some[i]);
    }
    for (std::size_t more = model_.collect(some, std::chrono::milliseconds(1)); more > 0; --more)
      all.push_back(some[more - 1]);
    return all;
  }

  void check_asynchronous()
    requires AsynchronousLanguageModel<Model>
  {
    constexpr std::string_view once = "Every submitted ticket is collected exactly once.";
    report_.expect(model_.concurrency() > 0, "concurrency() is positive.", [] { return std::string("0"); });
    for (std::size_t i = 0; i < requests_.size(); ++i) model_.submit(requests_[i], 100 + i);
    const auto finished = collect(requests_.size());
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      std::size_t times = 0;
      for (const auto& [ticket, completion] : finished) {
        if (ticket != 100 + i) continue;
        ++times;
        if (check_.repeatable)
          report_.expect(completion.text == plain_[i].text, "Submitting and completing give the same answer.", item(i));
      }
      report_.expect(times == 1, once, [&] { return fmt::format("item {} was collected {} times", i, times); });
    }
    report_.expect(finished.size() == requests_.size(), once,
                   [&] { return fmt::format("{} of {}", finished.size(), requests_.size()); });
    model_.submit(requests_[0], 7);
    model_.cancel(7);
    const auto cancelled = collect(1);
    report_.expect(cancelled.size() == 1 && cancelled[0].ticket == 7, once,
                   [] { return std::string("after cancel()"); });
    if (cancelled.empty()) return;
    const ErrorCategory category = cancelled[0].completion.error.category;
    report_.expect(category == ErrorCategory::cancelled || category == ErrorCategory::none,
                   "A cancelled ticket is collected as cancelled or with its answer.",
                   [&] { return std::string(name(category)); });
  }

  Model& model_;
  const LanguageModelCheck& check_;
  Report& report_;
  std::array<std::string_view, 1> stops_;
  std::vector<CompletionRequest> requests_;
  std::vector<Completion> plain_;
};

}  // namespace detail

/// Tries the laws of LanguageModel, and of the capabilities that `model` has, with some dozens of short requests. What its
/// capabilities() tell, if it has them, as AnyLanguageModel's, counts and not what it has members for.
/// Throws InvalidArgument unless `check` holds at least one prompt.
template <LanguageModel Model>
Report check_language_model(Model& model, const LanguageModelCheck& check = {}) {
  if (check.prompts.empty()) throw InvalidArgument("check_language_model: prompts must hold at least one");
  Report report("language model");
  report.expect_no_throw([&] { detail::LanguageModelChecker<Model>(model, check, report).run(); },
                         "Exceptions are for misuse and construction only.",
                         [] { return std::string("an exception"); });
  return report;
}

}  // namespace icpi::testing
