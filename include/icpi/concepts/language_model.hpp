// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/core/prompt_text.hpp"

namespace icpi {

/// How a completion is drawn. Everything not named here is neutral (no penalties, no top_k). A field that is not set
/// leaves it to the model, whose documentation says what it does then; to a service nothing is sent.
struct Sampling {
  std::optional<double> temperature = 0.1;  ///< >= 0; 0 is greedy
  std::optional<double> top_p = 1;          ///< in (0, 1]
  std::optional<int> max_tokens = 100;      ///< > 0

  friend bool operator==(const Sampling&, const Sampling&) = default;
};

/// What a model is asked. All views: the caller keeps them alive until the answer is there. The prompt is the
/// concatenation of `prefix.text` and `query`.
struct CompletionRequest {
  PromptPrefix prefix;                     ///< first part of the prompt
  std::string_view query;                  ///< second part of the prompt
  std::span<const std::string_view> stop;  ///< the completion ends before the first of these; it is not part of it
  Sampling sampling;                       ///< how the answer is drawn
  std::optional<std::uint64_t> seed = 0;   ///< drives all sampling of this request; not set: as the model likes
  std::uint32_t sample_index = 0;          ///< tells wanted repetitions of one request apart (for caches)
  bool want_logprobs = false;              ///< fill Completion::tokens
  /// When not empty, the completion must be one of these (texts without the stop string). Only models whose
  /// capabilities say `constrains_choices` accept it; others answer the item with ErrorCategory::invalid_request. Who
  /// asks a model behind a service checks the answer: some services ignore what they are told.
  std::span<const std::string_view> choices;
  std::chrono::milliseconds timeout{0};  ///< 0: the model's own limit
  /// The examples in the prompt, in its order; what lies between them belongs to the question after it. Empty: there are
  /// none, or whoever asks does not know. Caches do not compare them: equal prompts have equal examples.
  std::span<const PromptExample> examples{};
  std::size_t question = 0;  ///< offset of what is asked, which is the rest of the prompt
};

enum class FinishReason : std::uint8_t {
  stop,    ///< a stop string was met, or the model ended by itself
  length,  ///< max_tokens reached or the context is full
  error    ///< see Completion::error
};

enum class ErrorCategory : std::uint8_t {
  none,
  transport,
  timeout,
  rate_limited,
  authentication,
  context_overflow,
  invalid_request,
  budget_exhausted,
  cancelled
};

/// Lower-case name as written into records, for instance "rate_limited".
constexpr std::string_view name(ErrorCategory category) noexcept {
  switch (category) {
    case ErrorCategory::none: return "none";
    case ErrorCategory::transport: return "transport";
    case ErrorCategory::timeout: return "timeout";
    case ErrorCategory::rate_limited: return "rate_limited";
    case ErrorCategory::authentication: return "authentication";
    case ErrorCategory::context_overflow: return "context_overflow";
    case ErrorCategory::invalid_request: return "invalid_request";
    case ErrorCategory::budget_exhausted: return "budget_exhausted";
    case ErrorCategory::cancelled: return "cancelled";
  }
  return "unknown";
}

/// Why there is no answer: a failure of the infrastructure or of the request, never a badly formed answer.
struct CompletionError {
  ErrorCategory category = ErrorCategory::none;  ///< none: there was no error
  std::string message;                           ///< one line for people
  double retry_after_seconds = 0;                ///< when the server asked to wait; 0: it did not

  /// Whether there was an error.
  explicit operator bool() const noexcept { return category != ErrorCategory::none; }
  friend bool operator==(const CompletionError&, const CompletionError&) = default;
};

/// What is wrong with parameters that no model can honour; no error when they are in range or not set.
[[nodiscard]] inline CompletionError check_sampling(const Sampling& sampling) {
  const double temperature = sampling.temperature.value_or(0);
  if (!(temperature >= 0 && temperature <= std::numeric_limits<double>::max())) {
    return {ErrorCategory::invalid_request, "temperature must be finite, at least 0", 0};
  }
  const double top_p = sampling.top_p.value_or(1);
  if (!(top_p > 0 && top_p <= 1)) {
    return {ErrorCategory::invalid_request, "top_p must be above 0, at most 1", 0};
  }
  if (sampling.max_tokens.value_or(1) <= 0) return {ErrorCategory::invalid_request, "max_tokens must be at least 1", 0};
  return {};
}

/// A token of a completion, and how likely it was.
struct TokenLogprob {
  std::string token;   ///< the token's text
  double logprob = 0;  ///< natural logarithm, at temperature 1

  friend bool operator==(const TokenLogprob&, const TokenLogprob&) = default;
};

/// Tokens in the model's own units.
struct Usage {
  std::uint64_t prompt_tokens = 0;      ///< tokens of the prompt
  std::uint64_t cached_tokens = 0;      ///< part of prompt_tokens that was served from a kept prefix
  std::uint64_t completion_tokens = 0;  ///< tokens generated
  std::uint64_t written_tokens = 0;     ///< part of prompt_tokens that the service now keeps

  /// Adds every kind of tokens.
  Usage& operator+=(const Usage& more) noexcept {
    prompt_tokens += more.prompt_tokens;
    cached_tokens += more.cached_tokens;
    completion_tokens += more.completion_tokens;
    written_tokens += more.written_tokens;
    return *this;
  }
  friend bool operator==(const Usage&, const Usage&) = default;
};

/// A model's answer to one request. Models overwrite every field; a caller that reuses the object reuses its memory.
struct Completion {
  std::string text;                           ///< without the stop string
  FinishReason finish = FinishReason::error;  ///< why the text ends
  std::vector<TokenLogprob> tokens;           ///< filled when logprobs were wanted
  Usage usage;                                ///< what it cost
  CompletionError error;                      ///< why there is no answer
  std::string thought{};                      ///< what the model wrote before its answer; caches do not keep it
  Usage booked{};                             ///< part of `usage` that a budget knows of already: attempts that failed

  friend bool operator==(const Completion&, const Completion&) = default;
};

/// Answers batches.
template <class M>
concept CompletesBatches = requires(M& model, std::span<const CompletionRequest> requests,
                                    std::span<Completion> completions) {
  model.complete(requests, completions);  // complete(requests, completions): answers item i of one into i of the other
};

/// Says who it is.
template <class M>
concept HasIdentity = requires(const M& model) {
  { model.identity() } -> std::convertible_to<std::string>;  // identity(): name and settings that change its answers
};

/// A language model: batch first, one request is a span of length 1.
///
/// Laws: completions[i] depends on requests[i] alone, not on its neighbours or on their order (as far as the model's
/// arithmetic allows, and then it says so); equal requests get equal answers; a failed item carries an error and never
/// sinks its siblings; exceptions are for misuse (spans of different length) and construction only; a parameter that
/// cannot be honoured makes the item an `invalid_request`; one that is not set is the model's own matter.
/// Thread-safety: one object by one thread at a time, unless the model says more.
/// Checked by icpi::testing::check_language_model. Skeleton: docs/concepts/language_model.md.
template <class M>
concept LanguageModel = CompletesBatches<M> && HasIdentity<M>;

/// Counts tokens in the units of its context.
template <class M>
concept CountsTokens = LanguageModel<M> && requires(M& model, std::string_view text) {
  { model.count_tokens(text) } -> std::convertible_to<std::size_t>;  // count_tokens(text): length in the model's tokens
};

/// Knows how many tokens prompt and completion may have together.
template <class M>
concept HasContextLimit = LanguageModel<M> && requires(const M& model) {
  { model.context_limit() } -> std::convertible_to<std::size_t>;  // context_limit(): tokens; 0: no limit
};

/// Honours CompletionRequest::choices: its answer is always one of them.
template <class M>
concept ConstrainsChoices = LanguageModel<M> && requires(const M&) {
  requires M::constrains_choices;  // static constexpr bool constrains_choices = true
};

/// Fills Completion::tokens where CompletionRequest::want_logprobs: strategies that can do with and without log-probabilities ask
/// such models alone.
template <class M>
concept GivesLogprobs = LanguageModel<M> && requires(const M&) {
  requires M::gives_logprobs;  // static constexpr bool gives_logprobs = true
};

/// Keeps what it computed for prefixes, and can catch up on requests that were answered from a record.
/// Law: afterwards answers and usage are as if it had answered these requests itself.
template <class M>
concept RecallsPrompts = LanguageModel<M> && requires(M& model, std::span<const CompletionRequest> requests) {
  model.recall(requests);  // recall(requests): keep what answering them would have kept
};

/// Asks how likely each of some continuations of a prompt is.
struct ScoreRequest {
  PromptPrefix prefix;                              ///< first part of the prompt
  std::string_view query;                           ///< second part of the prompt
  std::span<const std::string_view> continuations;  ///< what to score
};

/// Scores.logprobs[i]: natural log-probability of continuation i as the next text after the prompt, at temperature 1.
struct Scores {
  std::vector<double> logprobs;  ///< in the order of the continuations
  Usage usage;                   ///< what it cost
  CompletionError error;         ///< why there is no answer
};

/// Scores given continuations.
template <class M>
concept ScoresContinuations =
    LanguageModel<M> && requires(M& model, std::span<const ScoreRequest> requests, std::span<Scores> scores) {
      model.score(requests, scores);  // score(requests, scores): log-probabilities of given continuations
    };

/// Chosen by the caller to recognise its submission.
using Ticket = std::uint64_t;

/// A submission that was answered.
struct FinishedCompletion {
  Ticket ticket = 0;      ///< as submitted
  Completion completion;  ///< its answer
};

/// A language model that works on submissions while the caller does something else.
///
/// Laws: every submitted ticket is collected exactly once, cancelled ones with ErrorCategory::cancelled or, when the
/// answer was already there, with it; views in the request stay valid until then. submit never blocks for an answer. A
/// submit that throws has taken nothing, a cancel ended nothing, a collect lost nothing: what is in flight is collected.
template <class M>
concept AsynchronousLanguageModel =
    LanguageModel<M> && requires(M& model, const CompletionRequest& request, Ticket ticket,
                                 std::span<FinishedCompletion> finished, std::chrono::milliseconds wait) {
      model.submit(request, ticket);  // submit(request, ticket): hand over one request
      { model.collect(finished, wait) } -> std::convertible_to<std::size_t>;  // collect(finished, wait): how many came
      model.cancel(ticket);                                                   // cancel(ticket): no longer wanted
      { model.concurrency() } -> std::convertible_to<std::size_t>;  // concurrency(): submissions worth having in flight
    };

}  // namespace icpi
