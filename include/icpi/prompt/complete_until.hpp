// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/language_model_ref.hpp"
#include "icpi/core/until.hpp"

namespace icpi {

/// What a request gets that was not answered in time.
inline void fill_cancelled(Completion& completion) {
  completion.text.clear();
  completion.thought.clear();
  completion.finish = FinishReason::error;
  completion.tokens.clear();
  completion.usage = {};
  completion.error = {ErrorCategory::cancelled, "the time was up", 0};
}

/// Lets a model answer a batch, item i of one into item i of the other, but not beyond a limit of time: it is asked for
/// `chunk` requests at a time, and late by at most one of them.
inline void complete_until(LanguageModelRef model, std::span<const CompletionRequest> requests,
                           std::span<Completion> completions, const Until& until, std::size_t chunk) {
  if (!until.limits()) return model.complete(requests, completions);
  for (std::size_t first = 0; first < requests.size(); first += chunk) {
    const std::size_t count = std::min(chunk, requests.size() - first);
    if (!until.over()) {
      model.complete(requests.subspan(first, count), completions.subspan(first, count));
      continue;
    }
    for (auto& each : completions.subspan(first)) fill_cancelled(each);
    return;
  }
}

}  // namespace icpi
