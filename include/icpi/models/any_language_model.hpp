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
#include <utility>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/language_model_ref.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/owned.hpp"

namespace icpi {

/// Any language model, for programs that choose at run time: one type, so that what is built on a model is compiled
/// once. A movable value that owns the model. Costs one indirect call a batch.
///
/// Capabilities are those of the model held: ask capabilities() first. What the model cannot do is an error, never a
/// guess: score() answers every item with `invalid_request`, count_tokens() throws InvalidArgument.
/// Submission works with every model: one that is not asynchronous answers within submit().
/// Thread-safety: that of the model held.
class ICPI_API AnyLanguageModel {
 public:
  /// Takes over `model`.
  template <class Model>
    requires(!std::same_as<std::remove_cvref_t<Model>, AnyLanguageModel> && LanguageModel<Model> && std::movable<Model>)
  explicit AnyLanguageModel(Model model) : AnyLanguageModel(std::make_unique<Model>(std::move(model))) {}

  /// Takes over a model that cannot be moved. Throws InvalidArgument for a null pointer.
  template <LanguageModel Model>
  explicit AnyLanguageModel(std::unique_ptr<Model> model)
      : held_(make_owned<Holder<Model>>(required(std::move(model)))),
        model_(*static_cast<Holder<Model>&>(*held_).model),
        type_(capabilities_of_type<Model>()) {}

  /// What the model held can do.
  [[nodiscard]] Capabilities capabilities() const;

  /// The identity of the model held.
  [[nodiscard]] std::string identity() const;

  /// See LanguageModel.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions);

  /// See RecallsPrompts; nothing for models that do not.
  void recall(std::span<const CompletionRequest> requests);

  /// See ScoresContinuations.
  void score(std::span<const ScoreRequest> requests, std::span<Scores> scores);

  /// See CountsTokens.
  [[nodiscard]] std::size_t count_tokens(std::string_view text);

  /// See HasContextLimit; 0 for models without one.
  [[nodiscard]] std::size_t context_limit() const;

  /// See AsynchronousLanguageModel.
  void submit(const CompletionRequest& request, Ticket ticket);
  /// See AsynchronousLanguageModel.
  [[nodiscard]] std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait);
  /// See AsynchronousLanguageModel.
  void cancel(Ticket ticket);
  /// See AsynchronousLanguageModel; 1 for models that are not.
  [[nodiscard]] std::size_t concurrency();

 private:
  struct Held {
    virtual ~Held() = default;
  };

  template <class Model>
  struct Holder final : Held {
    explicit Holder(std::unique_ptr<Model> held) : model(std::move(held)) {}
    std::unique_ptr<Model> model;
  };

  template <class Model>
  static std::unique_ptr<Model> required(std::unique_ptr<Model> model) {
    if (!model) throw InvalidArgument("AnyLanguageModel: there is no model");
    return model;
  }

  Owned<Held> held_;
  LanguageModelRef model_;
  Capabilities type_;                         ///< what the model's type has
  std::vector<FinishedCompletion> finished_;  ///< of models that answer within submit
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/models/any_language_model-inl.hpp"
#endif
