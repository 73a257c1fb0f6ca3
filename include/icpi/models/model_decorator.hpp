// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "icpi/concepts/language_model.hpp"

namespace icpi {

/// Base of models that wrap another one: owns it and says about itself what that one says. How questions are answered
/// (complete, submit, score) is left to the derived class, which must offer what the capabilities promise or hide
/// capabilities() with its own.
/// Thread-safety: that of the model.
template <LanguageModel LM>
class ModelDecorator {
 public:
  static constexpr bool constrains_choices = ConstrainsChoices<LM>;  ///< see ConstrainsChoices
  static constexpr bool gives_logprobs = GivesLogprobs<LM>;          ///< see GivesLogprobs

  /// That of the model.
  [[nodiscard]] std::string identity() const { return model_.identity(); }
  /// See HasContextLimit.
  [[nodiscard]] std::size_t context_limit() const
    requires HasContextLimit<LM>
  {
    return static_cast<std::size_t>(model_.context_limit());
  }
  /// See CountsTokens.
  [[nodiscard]] std::size_t count_tokens(std::string_view text)
    requires CountsTokens<LM>
  {
    return static_cast<std::size_t>(model_.count_tokens(text));
  }
  /// See RecallsPrompts.
  void recall(std::span<const CompletionRequest> requests)
    requires RecallsPrompts<LM>
  {
    model_.recall(requests);
  }
  /// What a model that knows its abilities only at run time says about them.
  [[nodiscard]] auto capabilities() const
    requires requires(const LM& model) { model.capabilities(); }
  {
    return model_.capabilities();
  }

  /// The model itself.
  [[nodiscard]] LM& model() noexcept { return model_; }
  /// The model itself.
  [[nodiscard]] const LM& model() const noexcept { return model_; }

 protected:
  /// Takes over `model`.
  explicit ModelDecorator(LM model) : model_(std::move(model)) {}

  LM model_;  ///< the model itself
};

}  // namespace icpi
