// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "icpi/concepts/language_model.hpp"

namespace icpi::benchmark {

/// A language model that knows how long its caller waited for it; otherwise the model it holds.
/// Thread-safety: as the model's.
template <LanguageModel LM>
class TimedModel {
  using Clock = std::chrono::steady_clock;

 public:
  static constexpr bool constrains_choices = ConstrainsChoices<LM>;  ///< as the model held
  static constexpr bool gives_logprobs = GivesLogprobs<LM>;          ///< as the model held

  /// Holds what `make()` returns, which need not be movable.
  template <class Make>
  explicit TimedModel(Make&& make) : model_(std::forward<Make>(make)()) {}

  /// Seconds spent inside the model so far.
  [[nodiscard]] double seconds() const noexcept { return std::chrono::duration<double>(spent_).count(); }

  [[nodiscard]] std::string identity() const { return model_.identity(); }  ///< of the model held
  /// See LanguageModel.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    timed([&] { model_.complete(requests, completions); });
  }
  /// See ScoresContinuations.
  void score(std::span<const ScoreRequest> requests, std::span<Scores> scores)
    requires ScoresContinuations<LM>
  {
    timed([&] { model_.score(requests, scores); });
  }
  /// See CountsTokens.
  [[nodiscard]] std::size_t count_tokens(std::string_view text)
    requires CountsTokens<LM>
  {
    return model_.count_tokens(text);
  }
  /// See HasContextLimit.
  [[nodiscard]] std::size_t context_limit() const
    requires HasContextLimit<LM>
  {
    return model_.context_limit();
  }
  /// What the model says of itself at run time.
  [[nodiscard]] decltype(auto) capabilities() const
    requires requires(const LM& model) { model.capabilities(); }
  {
    return model_.capabilities();
  }
  /// See AsynchronousLanguageModel.
  void submit(const CompletionRequest& request, Ticket ticket)
    requires AsynchronousLanguageModel<LM>
  {
    timed([&] { model_.submit(request, ticket); });
  }
  /// See AsynchronousLanguageModel.
  std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait)
    requires AsynchronousLanguageModel<LM>
  {
    std::size_t count = 0;
    timed([&] { count = model_.collect(finished, wait); });
    return count;
  }
  /// See AsynchronousLanguageModel.
  void cancel(Ticket ticket)
    requires AsynchronousLanguageModel<LM>
  {
    model_.cancel(ticket);
  }
  /// See AsynchronousLanguageModel.
  [[nodiscard]] std::size_t concurrency() const
    requires AsynchronousLanguageModel<LM>
  {
    return model_.concurrency();
  }

 private:
  template <class Work>
  void timed(Work&& work) {
    const auto start = Clock::now();
    work();
    spent_ += Clock::now() - start;
  }

  LM model_;
  Clock::duration spent_{};
};

}  // namespace icpi::benchmark
