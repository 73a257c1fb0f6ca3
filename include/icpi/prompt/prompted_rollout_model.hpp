// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "icpi/concepts/language_model_ref.hpp"
#include "icpi/concepts/rollout_model_ref.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/owned.hpp"
#include "icpi/core/until.hpp"
#include "icpi/prompt/prompt_context.hpp"
#include "icpi/prompt/query_options.hpp"

namespace icpi {

class SubmittedQuestions;

/// Answers the questions of imagined steps by prompting a language model: questions become requests, completions
/// become answers. It knows text and no reinforcement learning.
///
/// Serves any number of prompt contexts (agents that decide together). With append-only prompts identical questions are put once.
/// Answers depend on the question and the prompt context's experience alone. Steady state allocates nothing.
/// Thread-safety: one object by one thread at a time. Formatters, buffers and observers are called on that thread.
class ICPI_API PromptedRolloutModel {
 public:
  /// `model` must outlive this object; its capabilities are asked here, once. Throws InvalidArgument, naming the model,
  /// when answers are to be restricted and it can neither constrain nor score them.
  PromptedRolloutModel(LanguageModelRef model, const QueryOptions& options);
  PromptedRolloutModel(PromptedRolloutModel&&) noexcept;             ///< leaves nothing behind that may be used
  PromptedRolloutModel& operator=(PromptedRolloutModel&&) noexcept;  ///< as construction
  ~PromptedRolloutModel();

  /// Another one that asks the same model in the same way, on the calling thread alone; nobody looks at its queries.
  [[nodiscard]] PromptedRolloutModel another() const;

  /// From now on it serves no prompt context.
  void serve_none();
  /// One more prompt context, the next that Question::prompt_context counts. It must outlive the questions.
  void serve_also(PromptContext& prompt_context);

  /// Called for every answer, for people who want to look. An empty function ends that.
  void observe_queries(QueryObserver observer);

  /// Identity of the model that is asked.
  [[nodiscard]] std::string identity() const;
  /// How it is asked: QueryOptions::description().
  [[nodiscard]] std::string description() const;

  /// Whether both put their questions to the same model in the same way.
  [[nodiscard]] bool agrees_with(const PromptedRolloutModel& other) const;

  /// Questions are answered until then; see HasTimeLimit.
  void limit(const Until& until);

  /// See RolloutModel.
  void answer(std::span<const Question> questions, std::span<Answer> answers);

  /// See KnowsLegalActions: PromptContext::legal of that prompt context.
  [[nodiscard]] LegalActions legal(std::uint32_t prompt_context, ObservationId observation);

  /// See KnowsWholeTransitions: as that prompt context's PromptOptions say.
  [[nodiscard]] bool whole_transitions(std::uint32_t prompt_context) const;

  /// See AsynchronousRolloutModel. False for models that work in batches only, and when answers are chosen by scores.
  [[nodiscard]] bool asynchronous() const;
  /// See AsynchronousRolloutModel.
  [[nodiscard]] std::size_t concurrency() const;
  /// See AsynchronousRolloutModel.
  void submit(const Question& question, std::uint64_t ticket);
  /// See AsynchronousRolloutModel. Waits until at least one submitted question has its answer.
  std::size_t collect(std::span<FinishedAnswer> out);
  /// What is in flight is no longer wanted; it still has to be collected.
  void cancel_all();

 private:
  explicit PromptedRolloutModel(Owned<SubmittedQuestions> questions);

  Owned<SubmittedQuestions> questions_;
};

#if !defined(ICPI_HEADER_ONLY)
// Compiled once, in the library.
extern template const RolloutModelRef::Calls& RolloutModelRef::calls_of<PromptedRolloutModel>();
#endif

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/prompt/prompted_rollout_model-inl.hpp"
#endif
