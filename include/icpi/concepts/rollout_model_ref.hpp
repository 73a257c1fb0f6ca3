// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>

#include "icpi/concepts/rollout_model.hpp"
#include "icpi/core/export.hpp"

namespace icpi {

/// Any rollout model, by reference: the seam between the rollout engine and what answers its questions. A view; the
/// model must outlive it. One indirect call a batch, or a submission, no allocation.
/// Thread-safety: that of the model.
class ICPI_API RolloutModelRef {
 public:
  /// Refers to `model`.
  template <class Model>
    requires(!std::same_as<std::remove_cv_t<Model>, RolloutModelRef> && RolloutModel<Model>)
  RolloutModelRef(Model& model) noexcept  // NOLINT(google-explicit-constructor): a view of any model
      : model_(std::addressof(model)), calls_(&calls_of<Model>()) {}

  /// See RolloutModel.
  void answer(std::span<const Question> questions, std::span<Answer> answers) const {
    calls_->answer(model_, questions, answers);
  }
  /// See HasTimeLimit; nothing for models that take no time.
  void limit(const Until& until) const {
    if (calls_->limit != nullptr) calls_->limit(model_, until);
  }
  /// See KnowsLegalActions; empty for models that do not.
  [[nodiscard]] LegalActions legal(std::uint32_t prompt_context, ObservationId observation) const {
    return calls_->legal == nullptr ? LegalActions() : calls_->legal(model_, prompt_context, observation);
  }
  /// See KnowsWholeTransitions; false for models that do not.
  [[nodiscard]] bool whole_transitions(std::uint32_t prompt_context) const {
    return calls_->whole_transitions != nullptr && calls_->whole_transitions(model_, prompt_context);
  }
  /// See AsynchronousRolloutModel; false for models that are not, and then the rest must not be called.
  [[nodiscard]] bool asynchronous() const { return calls_->asynchronous != nullptr && calls_->asynchronous(model_); }
  /// See AsynchronousRolloutModel.
  [[nodiscard]] std::size_t concurrency() const { return calls_->concurrency(model_); }
  /// See AsynchronousRolloutModel.
  void submit(const Question& question, std::uint64_t ticket) const { calls_->submit(model_, question, ticket); }
  /// See AsynchronousRolloutModel.
  [[nodiscard]] std::size_t collect(std::span<FinishedAnswer> out) const { return calls_->collect(model_, out); }
  /// See AsynchronousRolloutModel.
  void cancel_all() const { calls_->cancel_all(model_); }

 private:
  /// One entry a call; null where the model does not have it.
  struct Calls {
    void (*answer)(void*, std::span<const Question>, std::span<Answer>);
    void (*limit)(void*, const Until&);
    LegalActions (*legal)(void*, std::uint32_t, ObservationId);
    bool (*whole_transitions)(void*, std::uint32_t);
    bool (*asynchronous)(void*);
    std::size_t (*concurrency)(void*);
    void (*submit)(void*, const Question&, std::uint64_t);
    std::size_t (*collect)(void*, std::span<FinishedAnswer>);
    void (*cancel_all)(void*);
  };

  template <class Model>
  static constexpr Calls make_calls() {
    Calls calls{};
    calls.answer = [](void* model, std::span<const Question> questions, std::span<Answer> answers) {
      static_cast<Model*>(model)->answer(questions, answers);
    };
    if constexpr (HasTimeLimit<Model>)
      calls.limit = [](void* model, const Until& until) { static_cast<Model*>(model)->limit(until); };
    if constexpr (KnowsLegalActions<Model>)
      calls.legal = [](void* model, std::uint32_t prompt_context, ObservationId observation) -> LegalActions {
        return static_cast<Model*>(model)->legal(prompt_context, observation);
      };
    if constexpr (KnowsWholeTransitions<Model>)
      calls.whole_transitions = [](void* model, std::uint32_t prompt_context) {
        return static_cast<Model*>(model)->whole_transitions(prompt_context);
      };
    if constexpr (AsynchronousRolloutModel<Model>) {
      calls.asynchronous = [](void* model) { return static_cast<Model*>(model)->asynchronous(); };
      calls.concurrency = [](void* model) {
        return static_cast<std::size_t>(static_cast<Model*>(model)->concurrency());
      };
      calls.submit = [](void* model, const Question& question, std::uint64_t ticket) {
        static_cast<Model*>(model)->submit(question, ticket);
      };
      calls.collect = [](void* model, std::span<FinishedAnswer> out) {
        return static_cast<std::size_t>(static_cast<Model*>(model)->collect(out));
      };
      calls.cancel_all = [](void* model) { static_cast<Model*>(model)->cancel_all(); };
    }
    return calls;
  }

  /// Not inline: the library compiles those of its own model.
  template <class Model>
  static const Calls& calls_of();

  void* model_;
  const Calls* calls_;
};

template <class Model>
const RolloutModelRef::Calls& RolloutModelRef::calls_of() {
  static constexpr Calls calls = make_calls<Model>();
  return calls;
}

}  // namespace icpi
