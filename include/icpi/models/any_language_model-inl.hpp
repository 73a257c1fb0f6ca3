// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "icpi/models/any_language_model.hpp"

namespace icpi {

static_assert(CountsTokens<AnyLanguageModel> && HasContextLimit<AnyLanguageModel>);
static_assert(ScoresContinuations<AnyLanguageModel> && AsynchronousLanguageModel<AnyLanguageModel>);

ICPI_INLINE Capabilities AnyLanguageModel::capabilities() const { return model_.capabilities(); }

ICPI_INLINE std::string AnyLanguageModel::identity() const { return model_.identity(); }

ICPI_INLINE void AnyLanguageModel::complete(std::span<const CompletionRequest> requests,
                                            std::span<Completion> completions) {
  model_.complete(requests, completions);
}

ICPI_INLINE void AnyLanguageModel::recall(std::span<const CompletionRequest> requests) { model_.recall(requests); }

ICPI_INLINE void AnyLanguageModel::score(std::span<const ScoreRequest> requests, std::span<Scores> scores) {
  if (requests.size() != scores.size())
    throw InvalidArgument("AnyLanguageModel::score: requests and scores differ in number");
  if (type_.scores) return model_.score(requests, scores);
  for (Scores& each : scores) {
    each = {};
    each.error = {ErrorCategory::invalid_request, identity() + " does not score continuations", 0};
  }
}

ICPI_INLINE std::size_t AnyLanguageModel::count_tokens(std::string_view text) {
  if (!type_.counts_tokens) throw InvalidArgument("count_tokens: " + identity() + " does not count tokens");
  return model_.count_tokens(text);
}

ICPI_INLINE std::size_t AnyLanguageModel::context_limit() const { return model_.context_limit(); }

ICPI_INLINE void AnyLanguageModel::submit(const CompletionRequest& request, Ticket ticket) {
  if (type_.asynchronous) return model_.submit(request, ticket);
  FinishedCompletion answered{ticket, {}};
  model_.complete(std::span(&request, 1), std::span(&answered.completion, 1));
  finished_.push_back(std::move(answered));  // only now: a submission that threw has taken nothing
}

ICPI_INLINE std::size_t AnyLanguageModel::collect(std::span<FinishedCompletion> finished,
                                                  std::chrono::milliseconds wait) {
  if (type_.asynchronous) return model_.collect(finished, wait);
  const std::size_t count = std::min(finished.size(), finished_.size());
  for (std::size_t i = 0; i < count; ++i) std::swap(finished[i], finished_[i]);
  finished_.erase(finished_.begin(), finished_.begin() + static_cast<std::ptrdiff_t>(count));
  return count;
}

ICPI_INLINE void AnyLanguageModel::cancel(Ticket ticket) {
  if (type_.asynchronous) model_.cancel(ticket);
}

ICPI_INLINE std::size_t AnyLanguageModel::concurrency() { return type_.asynchronous ? model_.concurrency() : 1; }

}  // namespace icpi
