// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <deque>
#include <memory>

#include "icpi/models/any_language_model.hpp"
#include "icpi/testing/check_language_model.hpp"
#include "support/archetypes.hpp"

namespace icpi::testing {
namespace {

TEST(CheckLanguageModel, FindsNothingInTheArchetype) {
  archetype::LanguageModel model("b 2\n\na 1");
  const Report report = check_language_model(model);
  EXPECT_TRUE(report.ok()) << report;
}

enum class Fault {
  none,
  anonymous,
  renamed,
  keeps_stop,
  keeps_tokens,
  inventive_finish,
  depends_on_position,
  remembers,
  ignores_query,
  accepts_anything,
  wants_all_set,
  sinks_batch,
  takes_any_span,
  too_long,
  silent_logprobs,
  refused_logprobs,
  positive_logprobs,
  ignores_choices,
  throws,
  loses_ticket,
  collects_twice,
  odd_cancel,
  few_scores,
  wrong_cache,
};

/// Answers with a digest of the prompt, one token per character; has every capability, and one fault.
class Faulty {
 public:
  static constexpr bool constrains_choices = true;
  static constexpr bool gives_logprobs = true;
  explicit Faulty(Fault fault) : fault_(fault) {}

  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    if (fault_ == Fault::throws && ++calls_ > 3) throw std::runtime_error("tired");
    if (requests.size() != completions.size() && fault_ != Fault::takes_any_span) throw InvalidArgument("spans");
    bool any_failed = false;
    for (std::size_t i = 0; i < std::min(requests.size(), completions.size()); ++i) {
      answer(requests[i], completions[i], i);
      any_failed = any_failed || completions[i].error;
    }
    if (fault_ == Fault::sinks_batch && any_failed)
      for (Completion& completion : completions) completion.error.category = ErrorCategory::invalid_request;
  }
  [[nodiscard]] std::string identity() const {
    if (fault_ == Fault::renamed) return std::to_string(++names_);
    return fault_ == Fault::anonymous ? "" : "faulty";
  }
  void score(std::span<const ScoreRequest> requests, std::span<Scores> scores) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      scores[i] = {};
      scores[i].logprobs.assign(requests[i].continuations.size() - (fault_ == Fault::few_scores ? 1 : 0), -1.0);
    }
  }
  void submit(const CompletionRequest& request, Ticket ticket) {
    if (fault_ == Fault::loses_ticket && ticket == 101) return;
    FinishedCompletion finished{ticket, {}};
    answer(request, finished.completion, 0);
    queue_.push_back(finished);
    if (fault_ == Fault::collects_twice && ticket == 101) queue_.push_back(finished);
  }
  std::size_t collect(std::span<FinishedCompletion> out, std::chrono::milliseconds) {
    std::size_t count = 0;
    for (; count < out.size() && !queue_.empty(); ++count) {
      out[count] = queue_.back();  // the latest first: order is no promise
      queue_.pop_back();
    }
    return count;
  }
  void cancel(Ticket ticket) {
    for (auto& finished : queue_)
      if (finished.ticket == ticket)
        finished.completion.error.category =
            fault_ == Fault::odd_cancel ? ErrorCategory::timeout : ErrorCategory::cancelled;
  }
  [[nodiscard]] std::size_t concurrency() const { return 4; }

 private:
  void answer(const CompletionRequest& request, Completion& completion, std::size_t position) {
    if (fault_ != Fault::keeps_tokens) completion = {};
    completion.error = {};
    completion.finish = fault_ == Fault::inventive_finish ? FinishReason::error : FinishReason::stop;
    const Sampling& sampling = request.sampling;
    const bool left_open = !sampling.temperature || !sampling.top_p || !request.seed;
    const bool refuses =
        (left_open && fault_ == Fault::wants_all_set) || (request.want_logprobs && fault_ == Fault::refused_logprobs);
    const bool valid = !check_sampling(sampling) && !refuses;
    if (!valid && fault_ != Fault::accepts_anything) {
      completion.error = {ErrorCategory::invalid_request, "out of range", 0};
      completion.finish = FinishReason::error;
      return;
    }
    std::uint64_t digest = request.seed.value_or(0);
    const auto mix = [&](std::string_view text) {
      for (const char c : text) digest = digest * 31 + static_cast<unsigned char>(c);
    };
    mix(request.prefix.text);
    if (fault_ != Fault::ignores_query) mix(request.query);
    if (fault_ == Fault::depends_on_position) digest += position;
    if (fault_ == Fault::remembers) digest += ++calls_;
    completion.text = std::to_string(digest);
    if (fault_ == Fault::keeps_stop) completion.text += "\n";
    if (fault_ != Fault::too_long)
      completion.text.resize(
          std::min(completion.text.size(), static_cast<std::size_t>(std::max(0, sampling.max_tokens.value_or(100)))));
    if (!request.choices.empty() && fault_ != Fault::ignores_choices) completion.text = std::string(request.choices[0]);
    if (request.want_logprobs && fault_ != Fault::silent_logprobs)
      completion.tokens = {{completion.text, fault_ == Fault::positive_logprobs ? 0.5 : -0.5}};
    completion.usage = {10, fault_ == Fault::wrong_cache ? 11U : 0U, completion.text.size()};
  }

  Fault fault_;
  std::uint64_t calls_ = 0;
  mutable int names_ = 0;
  std::deque<FinishedCompletion> queue_;
};
static_assert(AsynchronousLanguageModel<Faulty> && ScoresContinuations<Faulty> && ConstrainsChoices<Faulty>);

TEST(CheckLanguageModel, CatchesEveryFault) {
  const auto check = [](Fault fault) {
    Faulty model(fault);
    return check_language_model(model, {.patience_seconds = 0});
  };
  Faulty model(Fault::none);
  const Report sound = check_language_model(model);
  EXPECT_TRUE(sound.ok()) << sound;
  const std::vector<std::pair<Fault, std::string>> faults{
      {Fault::anonymous, "identity() is not empty"},
      {Fault::renamed, "identity() stays"},
      {Fault::keeps_stop, "no stop string"},
      {Fault::keeps_tokens, "overwritten"},
      {Fault::inventive_finish, "finish reason"},
      {Fault::depends_on_position, "request alone"},
      {Fault::remembers, "Equal requests"},
      {Fault::ignores_query, "wherever it is split"},
      {Fault::accepts_anything, "cannot be honoured"},
      {Fault::wants_all_set, "may be left open"},
      {Fault::sinks_batch, "siblings"},
      {Fault::takes_any_span, "different length"},
      {Fault::too_long, "at most max_tokens"},
      {Fault::silent_logprobs, "logprobs are given"},
      {Fault::refused_logprobs, "logprobs are given"},
      {Fault::positive_logprobs, "at most zero"},
      {Fault::ignores_choices, "one of them"},
      {Fault::throws, "misuse and construction"},
      {Fault::loses_ticket, "exactly once"},
      {Fault::collects_twice, "exactly once"},
      {Fault::odd_cancel, "cancelled"},
      {Fault::few_scores, "Every continuation"},
      {Fault::wrong_cache, "part of the prompt"},
  };
  for (const auto& [fault, law] : faults) {
    const Report report = check(fault);
    EXPECT_TRUE(report.violates(law)) << law << "\n" << report;
  }
}

TEST(CheckLanguageModel, FollowsTheCapabilitiesOfAModelThatIsHeld) {
  AnyLanguageModel nothing_more(std::make_unique<archetype::LanguageModel>("b 2\n\na 1"));
  ASSERT_EQ(nothing_more.capabilities(), Capabilities{});
  const Report few = check_language_model(nothing_more);
  EXPECT_TRUE(few.ok()) << few;
  AnyLanguageModel everything{Faulty(Fault::none)};
  ASSERT_TRUE(everything.capabilities().constrains_choices && everything.capabilities().scores);
  const Report all = check_language_model(everything);
  EXPECT_TRUE(all.ok()) << all;
  const std::vector<std::pair<Fault, std::string>> faults{{Fault::ignores_choices, "one of them"},
                                                          {Fault::few_scores, "Every continuation"},
                                                          {Fault::odd_cancel, "cancelled"},
                                                          {Fault::loses_ticket, "exactly once"}};
  for (const auto& [fault, law] : faults) {
    AnyLanguageModel model{Faulty(fault)};
    const Report report = check_language_model(model, {.patience_seconds = 0});
    EXPECT_TRUE(report.violates(law)) << law << "\n" << report;
  }
}

/// Has members for everything and claims less than they can.
class Modest : public Faulty {
 public:
  using Faulty::Faulty;
  [[nodiscard]] static Capabilities capabilities() { return {}; }
};

TEST(CheckLanguageModel, WhatIsNotClaimedMustBeRefused) {
  Modest model(Fault::none);
  const Report report = check_language_model(model);
  EXPECT_TRUE(report.violates("does not score")) << report;
  EXPECT_TRUE(report.violates("does not constrain choices")) << report;
}

TEST(CheckLanguageModel, WantsAPrompt) {
  archetype::LanguageModel model("x");
  EXPECT_THROW(check_language_model(model, {.prompts = {}}), InvalidArgument);
}

}  // namespace
}  // namespace icpi::testing
