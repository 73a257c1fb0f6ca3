// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <span>
#include <string>
#include <utility>

#include "icpi/core/error.hpp"
#include "icpi/prompt/prompted_rollout_model.hpp"
#include "icpi/prompt/submitted_questions.hpp"

namespace icpi {

static_assert(AsynchronousRolloutModel<PromptedRolloutModel> && HasTimeLimit<PromptedRolloutModel> &&
              KnowsLegalActions<PromptedRolloutModel> && KnowsWholeTransitions<PromptedRolloutModel>);

ICPI_INLINE PromptedRolloutModel::PromptedRolloutModel(LanguageModelRef model, const QueryOptions& options) {
  const Capabilities can = model.capabilities();
  if (options.restrict_answers && !can.constrains_choices && !can.scores)
    throw InvalidArgument(fmt::format(
        "restrict_answers: the model '{}' can neither be held to given answers nor tell how likely they are",
        model.identity()));
  questions_ = make_owned<SubmittedQuestions>(model, options);
}

ICPI_INLINE PromptedRolloutModel::PromptedRolloutModel(PromptedRolloutModel&&) noexcept = default;
ICPI_INLINE PromptedRolloutModel& PromptedRolloutModel::operator=(PromptedRolloutModel&&) noexcept = default;
ICPI_INLINE PromptedRolloutModel::~PromptedRolloutModel() = default;

ICPI_INLINE PromptedRolloutModel::PromptedRolloutModel(Owned<SubmittedQuestions> questions)
    : questions_(std::move(questions)) {}

ICPI_INLINE PromptedRolloutModel PromptedRolloutModel::another() const {
  return PromptedRolloutModel(questions_->another());
}

ICPI_INLINE void PromptedRolloutModel::serve_none() { questions_->serve_none(); }
ICPI_INLINE void PromptedRolloutModel::serve_also(PromptContext& prompt_context) {
  questions_->serve_also(prompt_context);
}

ICPI_INLINE void PromptedRolloutModel::observe_queries(QueryObserver observer) {
  questions_->observe_queries(std::move(observer));
}

ICPI_INLINE void PromptedRolloutModel::limit(const Until& until) { questions_->limit(until); }

ICPI_INLINE std::string PromptedRolloutModel::identity() const { return questions_->identity(); }

ICPI_INLINE std::string PromptedRolloutModel::description() const { return questions_->description(); }

ICPI_INLINE bool PromptedRolloutModel::agrees_with(const PromptedRolloutModel& other) const {
  return questions_->agrees_with(*other.questions_);
}

ICPI_INLINE void PromptedRolloutModel::answer(std::span<const Question> questions, std::span<Answer> answers) {
  questions_->answer(questions, answers);
}

ICPI_INLINE LegalActions PromptedRolloutModel::legal(std::uint32_t prompt_context, ObservationId observation) {
  return questions_->legal(prompt_context, observation);
}

ICPI_INLINE bool PromptedRolloutModel::whole_transitions(std::uint32_t prompt_context) const {
  return questions_->whole_transitions(prompt_context);
}

ICPI_INLINE bool PromptedRolloutModel::asynchronous() const { return questions_->asynchronous(); }

ICPI_INLINE std::size_t PromptedRolloutModel::concurrency() const { return questions_->concurrency(); }

ICPI_INLINE void PromptedRolloutModel::submit(const Question& question, std::uint64_t ticket) {
  questions_->submit(question, ticket);
}

ICPI_INLINE std::size_t PromptedRolloutModel::collect(std::span<FinishedAnswer> out) {
  return questions_->collect(out);
}

ICPI_INLINE void PromptedRolloutModel::cancel_all() { questions_->cancel_all(); }

#if !defined(ICPI_HEADER_ONLY)
template ICPI_API const RolloutModelRef::Calls& RolloutModelRef::calls_of<PromptedRolloutModel>();
#endif

}  // namespace icpi
