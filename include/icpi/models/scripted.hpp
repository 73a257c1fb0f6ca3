// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/export.hpp"

namespace icpi {

/// Says what it is told to say: for tests, examples, and for trying out an environment's texts without a model.
///
/// Texts end before the first stop string and after `max_tokens` tokens (estimated_tokens()); usage is counted in the
/// same unit. Items that want logprobs the script did not give, and items with `choices`, are an `invalid_request`.
/// Deterministic if the script is. Thread-safety: one thread at a time.
class ICPI_API ScriptedModel {
 public:
  /// What to answer: answer("..."), or failure(...) for an item that fails.
  using Script = std::function<Completion(const CompletionRequest&)>;

  /// Answers by calling `script`. Throws InvalidArgument if there is none to call.
  explicit ScriptedModel(Script script);

  /// Answers a query with the text listed for it (the first, where it is listed twice), whatever the prefix; a query
  /// that is not listed is an `invalid_request`.
  explicit ScriptedModel(std::vector<std::pair<std::string, std::string>> answers);

  /// The same for a map.
  template <class Map>
    requires requires { typename Map::mapped_type; }
  explicit ScriptedModel(const Map& answers)
      : ScriptedModel(std::vector<std::pair<std::string, std::string>>(answers.begin(), answers.end())) {}

  /// A completion that ends by itself.
  [[nodiscard]] static Completion answer(std::string text);

  /// An item that fails.
  [[nodiscard]] static Completion failure(ErrorCategory category, std::string message = "scripted failure",
                                          double retry_after_seconds = 0);

  [[nodiscard]] std::string identity() const { return "scripted"; }  ///< always "scripted"

  /// See LanguageModel. Throws InvalidArgument when the spans differ in length.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions);

  [[nodiscard]] std::uint64_t calls() const noexcept { return calls_; }      ///< requests answered so far
  [[nodiscard]] std::uint64_t batches() const noexcept { return batches_; }  ///< calls of complete() so far

 private:
  static void finish(const CompletionRequest& request, Completion& completion);
  static void cut(const CompletionRequest& request, Completion& completion);

  Script script_;
  std::uint64_t calls_ = 0;
  std::uint64_t batches_ = 0;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/models/scripted-inl.hpp"
#endif
