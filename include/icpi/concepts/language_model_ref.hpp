// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/export.hpp"

namespace icpi {

/// What a model can do besides completing, known at run time.
struct Capabilities {
  bool scores = false;              ///< ScoresContinuations
  bool constrains_choices = false;  ///< ConstrainsChoices
  bool counts_tokens = false;       ///< CountsTokens
  bool context_limit = false;       ///< HasContextLimit
  bool asynchronous = false;        ///< AsynchronousLanguageModel
  bool gives_logprobs = false;      ///< GivesLogprobs

  friend bool operator==(const Capabilities&, const Capabilities&) = default;
};

/// What models of this type can do: the concepts they satisfy.
template <LanguageModel LM>
[[nodiscard]] constexpr Capabilities capabilities_of_type() {
  return {.scores = ScoresContinuations<LM>,
          .constrains_choices = ConstrainsChoices<LM>,
          .counts_tokens = CountsTokens<LM>,
          .context_limit = HasContextLimit<LM>,
          .asynchronous = AsynchronousLanguageModel<LM>,
          .gives_logprobs = GivesLogprobs<LM>};
}

/// What `model` can do: the concepts it satisfies, less what its own capabilities(), if it has them, deny.
template <LanguageModel LM>
[[nodiscard]] Capabilities capabilities_of(const LM& model) {
  Capabilities result = capabilities_of_type<std::remove_const_t<LM>>();
  if constexpr (requires { model.capabilities(); }) {
    const auto own = model.capabilities();
    if constexpr (requires { own.scores; }) result.scores = result.scores && own.scores;
    if constexpr (requires { own.constrains_choices; }) result.constrains_choices = own.constrains_choices;
    if constexpr (requires { own.counts_tokens; }) result.counts_tokens = result.counts_tokens && own.counts_tokens;
    if constexpr (requires { own.context_limit; }) result.context_limit = result.context_limit && own.context_limit;
    if constexpr (requires { own.asynchronous; }) result.asynchronous = result.asynchronous && own.asynchronous;
    if constexpr (requires { own.gives_logprobs; }) result.gives_logprobs = own.gives_logprobs;
  }
  return result;
}

/// Any language model, by reference: the seam between what is compiled once and the models that users bring. A view;
/// the model must outlive it. One indirect call a batch, no allocation.
///
/// Ask capabilities() first: what the model cannot do must not be asked of it, except that recall() is then nothing and
/// context_limit() 0.
/// Thread-safety: that of the model.
class ICPI_API LanguageModelRef {
 public:
  /// Refers to `model`.
  template <class LM>
    requires(!std::same_as<std::remove_cv_t<LM>, LanguageModelRef> && LanguageModel<LM>)
  LanguageModelRef(LM& model) noexcept  // NOLINT(google-explicit-constructor): a view of any model
      : model_(const_cast<void*>(static_cast<const void*>(std::addressof(model)))), calls_(&calls_of<LM>()) {}

  /// What it can do.
  [[nodiscard]] Capabilities capabilities() const { return calls_->capabilities(model_); }
  /// See HasIdentity.
  [[nodiscard]] std::string identity() const { return calls_->identity(model_); }
  /// See LanguageModel.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) const {
    calls_->complete(model_, requests, completions);
  }
  /// See RecallsPrompts.
  void recall(std::span<const CompletionRequest> requests) const { calls_->recall(model_, requests); }
  /// See ScoresContinuations.
  void score(std::span<const ScoreRequest> requests, std::span<Scores> scores) const {
    calls_->score(model_, requests, scores);
  }
  /// See CountsTokens.
  [[nodiscard]] std::size_t count_tokens(std::string_view text) const { return calls_->count_tokens(model_, text); }
  /// See HasContextLimit.
  [[nodiscard]] std::size_t context_limit() const { return calls_->context_limit(model_); }
  /// See AsynchronousLanguageModel.
  void submit(const CompletionRequest& request, Ticket ticket) const { calls_->submit(model_, request, ticket); }
  /// See AsynchronousLanguageModel.
  [[nodiscard]] std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait) const {
    return calls_->collect(model_, finished, wait);
  }
  /// See AsynchronousLanguageModel.
  void cancel(Ticket ticket) const { calls_->cancel(model_, ticket); }
  /// See AsynchronousLanguageModel.
  [[nodiscard]] std::size_t concurrency() const { return calls_->concurrency(model_); }

  /// Whether both refer to the same model.
  friend bool operator==(const LanguageModelRef&, const LanguageModelRef&) = default;

 private:
  /// One entry a call; null where the model's type does not have it.
  struct Calls {
    Capabilities (*capabilities)(const void*);
    std::string (*identity)(const void*);
    void (*complete)(void*, std::span<const CompletionRequest>, std::span<Completion>);
    void (*recall)(void*, std::span<const CompletionRequest>);
    void (*score)(void*, std::span<const ScoreRequest>, std::span<Scores>);
    std::size_t (*count_tokens)(void*, std::string_view);
    std::size_t (*context_limit)(const void*);
    void (*submit)(void*, const CompletionRequest&, Ticket);
    std::size_t (*collect)(void*, std::span<FinishedCompletion>, std::chrono::milliseconds);
    void (*cancel)(void*, Ticket);
    std::size_t (*concurrency)(void*);
  };

  template <class LM>
  static constexpr Calls make_calls() {
    Calls calls{};
    calls.capabilities = [](const void* model) { return capabilities_of(*static_cast<const LM*>(model)); };
    calls.identity = [](const void* model) { return std::string(static_cast<const LM*>(model)->identity()); };
    calls.complete = [](void* model, std::span<const CompletionRequest> requests, std::span<Completion> completions) {
      static_cast<LM*>(model)->complete(requests, completions);
    };
    calls.recall = [](void* model, std::span<const CompletionRequest> requests) {
      if constexpr (RecallsPrompts<LM>) static_cast<LM*>(model)->recall(requests);
    };
    calls.context_limit = [](const void* model) -> std::size_t {
      if constexpr (HasContextLimit<LM>)
        return static_cast<std::size_t>(static_cast<const LM*>(model)->context_limit());
      else
        return 0;
    };
    if constexpr (ScoresContinuations<LM>)
      calls.score = [](void* model, std::span<const ScoreRequest> requests, std::span<Scores> scores) {
        static_cast<LM*>(model)->score(requests, scores);
      };
    if constexpr (CountsTokens<LM>)
      calls.count_tokens = [](void* model, std::string_view text) {
        return static_cast<std::size_t>(static_cast<LM*>(model)->count_tokens(text));
      };
    if constexpr (AsynchronousLanguageModel<LM>) {
      calls.submit = [](void* model, const CompletionRequest& request, Ticket ticket) {
        static_cast<LM*>(model)->submit(request, ticket);
      };
      calls.collect = [](void* model, std::span<FinishedCompletion> finished, std::chrono::milliseconds wait) {
        return static_cast<std::size_t>(static_cast<LM*>(model)->collect(finished, wait));
      };
      calls.cancel = [](void* model, Ticket ticket) { static_cast<LM*>(model)->cancel(ticket); };
      calls.concurrency = [](void* model) { return static_cast<std::size_t>(static_cast<LM*>(model)->concurrency()); };
    }
    return calls;
  }

  /// Not inline: the library compiles those of its own models.
  template <class LM>
  static const Calls& calls_of();

  void* model_;
  const Calls* calls_;
};

template <class LM>
const LanguageModelRef::Calls& LanguageModelRef::calls_of() {
  static constexpr Calls calls = make_calls<LM>();
  return calls;
}

}  // namespace icpi
