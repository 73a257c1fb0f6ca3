// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "icpi/models/stop_on_failure.hpp"

namespace icpi {

ICPI_INLINE ModelFailure::ModelFailure(CompletionError error)
    : Error(fmt::format("the model gave no answer ({}): {}", name(error.category), error.message)),
      error_(std::move(error)) {}

namespace detail {

ICPI_INLINE void FailureWatch::check_completions(std::span<Completion> completions) {
  for (const Completion& each : completions)
    if (each.error) throw ModelFailure(each.error);
}

ICPI_INLINE void FailureWatch::check_scores(std::span<Scores> scores) {
  for (const Scores& each : scores)
    if (each.error) throw ModelFailure(each.error);
}

ICPI_INLINE void FailureWatch::submitted(Ticket ticket) { forget(ticket); }

ICPI_INLINE void FailureWatch::cancelled(Ticket ticket) {
  const auto place = std::lower_bound(cancelled_.begin(), cancelled_.end(), ticket);
  if (place == cancelled_.end() || *place != ticket) cancelled_.insert(place, ticket);
}

ICPI_INLINE void FailureWatch::check_finished(std::span<FinishedCompletion> finished, std::size_t count) {
  finished = finished.first(count);
  for (const FinishedCompletion& each : finished) {
    const bool wanted = !forget(each.ticket);
    if (!wanted || !each.completion.error) continue;
    ModelFailure failure(each.completion.error);
    for (FinishedCompletion& kept : finished) kept_.push(kept.ticket, std::move(kept.completion));
    throw failure;
  }
}

ICPI_INLINE bool FailureWatch::forget(Ticket ticket) {
  const auto place = std::lower_bound(cancelled_.begin(), cancelled_.end(), ticket);
  if (place == cancelled_.end() || *place != ticket) return false;
  cancelled_.erase(place);
  return true;
}

}  // namespace detail

}  // namespace icpi
