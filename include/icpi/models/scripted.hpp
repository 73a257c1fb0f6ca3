// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/error.hpp"
#include "icpi/prompt/prompt_options.hpp"

namespace icpi {

/// Says what it is told to say: for tests, examples, and for trying out an environment's texts without a model.
///
/// Texts end before the first stop string and after `max_tokens` tokens (estimated_tokens()); usage is counted in the
/// same unit. Items that want logprobs the script did not give, and items with `choices`, are an `invalid_request`.
/// Deterministic if the script is. Thread-safety: one thread at a time.
class ScriptedModel {
 public:
  /// What to answer: answer("..."), or failure(...) for an item that fails.
  using Script = std::function<Completion(const CompletionRequest&)>;

  /// Answers by calling `script`. Throws InvalidArgument if there is none to call.
  explicit ScriptedModel(Script script) : script_(std::move(script)) {
    if (!script_) throw InvalidArgument("ScriptedModel: there is no script");
  }

  /// Answers a query with the text listed for it, whatever the prefix; a query that is not listed is an
  /// `invalid_request`.
  explicit ScriptedModel(std::map<std::string, std::string, std::less<>> answers)
      : ScriptedModel([answers = std::move(answers)](const CompletionRequest& request) {
          const auto found = answers.find(request.query);
          if (found != answers.end()) return answer(found->second);
          return failure(ErrorCategory::invalid_request, "the script has no answer to this query");
        }) {}

  /// A completion that ends by itself.
  [[nodiscard]] static Completion answer(std::string text) {
    Completion completion;
    completion.text = std::move(text);
    completion.finish = FinishReason::stop;
    return completion;
  }

  /// An item that fails.
  [[nodiscard]] static Completion failure(ErrorCategory category, std::string message = "scripted failure",
                                          double retry_after_seconds = 0) {
    Completion completion;
    completion.error = {category, std::move(message), retry_after_seconds};
    return completion;
  }

  [[nodiscard]] std::string identity() const { return "scripted"; }  ///< always "scripted"

  /// See LanguageModel. Throws InvalidArgument when the spans differ in length.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    if (requests.size() != completions.size())
      throw InvalidArgument(
          fmt::format("ScriptedModel::complete: {} requests but {} completions", requests.size(), completions.size()));
    ++batches_;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      ++calls_;
      completions[i] = script_(requests[i]);
      finish(requests[i], completions[i]);
    }
  }

  [[nodiscard]] std::uint64_t calls() const noexcept { return calls_; }      ///< requests answered so far
  [[nodiscard]] std::uint64_t batches() const noexcept { return batches_; }  ///< calls of complete() so far

 private:
  static void finish(const CompletionRequest& request, Completion& completion) {
    if (!completion.error && !request.choices.empty())
      completion = failure(ErrorCategory::invalid_request, "scripted: choices are not supported");
    if (!completion.error && request.want_logprobs && completion.tokens.empty())
      completion = failure(ErrorCategory::invalid_request, "scripted: the script gave no logprobs");
    if (!completion.error) completion.error = check_sampling(request.sampling);
    if (completion.error) {
      completion.finish = FinishReason::error;
      completion.text.clear();
      completion.tokens.clear();
      return;
    }
    cut(request, completion);
    completion.usage.prompt_tokens = estimated_tokens(request.prefix.text) + estimated_tokens(request.query);
    completion.usage.completion_tokens = estimated_tokens(completion.text);
  }

  static void cut(const CompletionRequest& request, Completion& completion) {
    std::size_t end = completion.text.size();
    for (const std::string_view stop : request.stop) {
      if (!stop.empty()) end = std::min(end, completion.text.find(stop));
    }
    if (end < completion.text.size()) {
      completion.text.resize(end);
      completion.finish = FinishReason::stop;
    }
    const auto limit = static_cast<std::size_t>(std::max(0, request.sampling.max_tokens));
    if (estimated_tokens(completion.text) <= limit) return;
    while (estimated_tokens(completion.text) > limit) completion.text.pop_back();
    completion.finish = FinishReason::length;
  }

  Script script_;
  std::uint64_t calls_ = 0;
  std::uint64_t batches_ = 0;
};

static_assert(LanguageModel<ScriptedModel>);

}  // namespace icpi
