// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "icpi/models/induction.hpp"
#include "icpi/models/induction/batches.hpp"

namespace icpi {

static_assert(LanguageModel<InductionModel>);
static_assert(ConstrainsChoices<InductionModel>);
static_assert(ScoresContinuations<InductionModel>);
static_assert(RecallsPrompts<InductionModel>);

ICPI_INLINE InductionModel::InductionModel(InductionOptions options) : batches_(make_owned<Batches>(options)) {}
ICPI_INLINE InductionModel::InductionModel(InductionModel&&) noexcept = default;
ICPI_INLINE InductionModel& InductionModel::operator=(InductionModel&&) noexcept = default;
ICPI_INLINE InductionModel::~InductionModel() = default;

ICPI_INLINE std::string InductionModel::identity() const {
  return batches_->version() == InductionVersion::calibrated ? "induction/2" : "induction/1";
}

ICPI_INLINE void InductionModel::complete(std::span<const CompletionRequest> requests,
                                          std::span<Completion> completions) {
  batches_->complete(requests, completions);
}

ICPI_INLINE void InductionModel::recall(std::span<const CompletionRequest> requests) { batches_->recall(requests); }

ICPI_INLINE void InductionModel::score(std::span<const ScoreRequest> requests, std::span<Scores> scores) {
  batches_->score(requests, scores);
}

#if !defined(ICPI_HEADER_ONLY)
template ICPI_API const LanguageModelRef::Calls& LanguageModelRef::calls_of<InductionModel>();
#endif

}  // namespace icpi
