// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
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

namespace icpi {

/// Any language model, for programs that choose at run time: one type, so that what is built on a model is compiled
/// once. A movable value that owns the model. Costs one virtual call a batch.
///
/// Capabilities are those of the model held: ask capabilities() first. What the model cannot do is an error, never a
/// guess: score() answers every item with `invalid_request`, count_tokens() throws InvalidArgument.
/// Submission works with every model: one that is not asynchronous answers within submit().
/// Thread-safety: that of the model held.
class AnyLanguageModel {
 public:
  /// Takes over `model`.
  template <class Model>
    requires(!std::same_as<std::remove_cvref_t<Model>, AnyLanguageModel> && LanguageModel<Model> && std::movable<Model>)
  explicit AnyLanguageModel(Model model) : AnyLanguageModel(std::make_unique<Model>(std::move(model))) {}

  /// Takes over a model that cannot be moved. Throws InvalidArgument for a null pointer.
  template <LanguageModel Model>
  explicit AnyLanguageModel(std::unique_ptr<Model> model) {
    if (!model) throw InvalidArgument("AnyLanguageModel: there is no model");
    held_ = std::make_unique<Holder<Model>>(std::move(model));
  }

  /// What the model held can do.
  [[nodiscard]] Capabilities capabilities() const { return held_->capabilities(); }

  /// The identity of the model held.
  [[nodiscard]] std::string identity() const { return held_->identity(); }

  /// See LanguageModel.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    held_->complete(requests, completions);
  }

  /// See RecallsPrompts; nothing for models that do not.
  void recall(std::span<const CompletionRequest> requests) { held_->recall(requests); }

  /// See ScoresContinuations.
  void score(std::span<const ScoreRequest> requests, std::span<Scores> scores) { held_->score(requests, scores); }

  /// See CountsTokens.
  [[nodiscard]] std::size_t count_tokens(std::string_view text) { return held_->count_tokens(text); }

  /// See HasContextLimit; 0 for models without one.
  [[nodiscard]] std::size_t context_limit() const { return held_->context_limit(); }

  /// See AsynchronousLanguageModel.
  void submit(const CompletionRequest& request, Ticket ticket) { held_->submit(request, ticket); }
  /// See AsynchronousLanguageModel.
  [[nodiscard]] std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait) {
    return held_->collect(finished, wait);
  }
  /// See AsynchronousLanguageModel.
  void cancel(Ticket ticket) { held_->cancel(ticket); }
  /// See AsynchronousLanguageModel; 1 for models that are not.
  [[nodiscard]] std::size_t concurrency() { return held_->concurrency(); }

 private:
  struct Interface {
    virtual ~Interface() = default;
    [[nodiscard]] virtual Capabilities capabilities() const = 0;
    [[nodiscard]] virtual std::string identity() const = 0;
    virtual void complete(std::span<const CompletionRequest>, std::span<Completion>) = 0;
    virtual void recall(std::span<const CompletionRequest>) = 0;
    virtual void score(std::span<const ScoreRequest>, std::span<Scores>) = 0;
    [[nodiscard]] virtual std::size_t count_tokens(std::string_view) = 0;
    [[nodiscard]] virtual std::size_t context_limit() const = 0;
    virtual void submit(const CompletionRequest&, Ticket) = 0;
    [[nodiscard]] virtual std::size_t collect(std::span<FinishedCompletion>, std::chrono::milliseconds) = 0;
    virtual void cancel(Ticket) = 0;
    [[nodiscard]] virtual std::size_t concurrency() = 0;
  };

  template <class Model>
  struct Holder final : Interface {
    explicit Holder(std::unique_ptr<Model> held) : model(std::move(held)) {}

    Capabilities capabilities() const override {
      if constexpr (requires(const Model& m) {
                      { m.capabilities() } -> std::same_as<Capabilities>;
                    })
        return std::as_const(*model).capabilities();
      return {ScoresContinuations<Model>, ConstrainsChoices<Model>, CountsTokens<Model>, HasContextLimit<Model>,
              AsynchronousLanguageModel<Model>};
    }
    std::string identity() const override { return std::as_const(*model).identity(); }
    void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) override {
      model->complete(requests, completions);
    }
    void recall(std::span<const CompletionRequest> requests) override {
      if constexpr (RecallsPrompts<Model>) model->recall(requests);
    }
    void score(std::span<const ScoreRequest> requests, std::span<Scores> scores) override {
      if (requests.size() != scores.size())
        throw InvalidArgument("AnyLanguageModel::score: requests and scores differ in number");
      if constexpr (ScoresContinuations<Model>) {
        model->score(requests, scores);
      } else {
        for (Scores& each : scores) {
          each = {};
          each.error = {ErrorCategory::invalid_request, identity() + " does not score continuations", 0};
        }
      }
    }
    std::size_t count_tokens(std::string_view text) override {
      if constexpr (CountsTokens<Model>) {
        return static_cast<std::size_t>(model->count_tokens(text));
      } else {
        throw InvalidArgument("count_tokens: " + identity() + " does not count tokens");
      }
    }
    std::size_t context_limit() const override {
      if constexpr (HasContextLimit<Model>) return static_cast<std::size_t>(model->context_limit());
      return 0;
    }
    void submit(const CompletionRequest& request, Ticket ticket) override {
      if constexpr (AsynchronousLanguageModel<Model>) {
        model->submit(request, ticket);
      } else {
        auto& answered = finished.emplace_back();
        answered.ticket = ticket;
        model->complete(std::span(&request, 1), std::span(&answered.completion, 1));
      }
    }
    std::size_t collect(std::span<FinishedCompletion> out, std::chrono::milliseconds wait) override {
      if constexpr (AsynchronousLanguageModel<Model>) {
        return static_cast<std::size_t>(model->collect(out, wait));
      } else {
        const std::size_t count = std::min(out.size(), finished.size());
        for (std::size_t i = 0; i < count; ++i) std::swap(out[i], finished[i]);
        finished.erase(finished.begin(), finished.begin() + static_cast<std::ptrdiff_t>(count));
        return count;
      }
    }
    void cancel(Ticket ticket) override {
      if constexpr (AsynchronousLanguageModel<Model>) model->cancel(ticket);
    }
    std::size_t concurrency() override {
      if constexpr (AsynchronousLanguageModel<Model>) return static_cast<std::size_t>(model->concurrency());
      return 1;
    }

    std::unique_ptr<Model> model;
    std::vector<FinishedCompletion> finished;  ///< of models that answer within submit
  };

  std::unique_ptr<Interface> held_;
};

static_assert(CountsTokens<AnyLanguageModel> && HasContextLimit<AnyLanguageModel>);
static_assert(ScoresContinuations<AnyLanguageModel> && AsynchronousLanguageModel<AnyLanguageModel>);

}  // namespace icpi
