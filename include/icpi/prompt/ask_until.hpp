// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>

#include "icpi/concepts/language_model.hpp"
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

/// Asks for `count` items, but not beyond a limit of time: ask(first, count) is called for `chunk` of them at a time, so
/// that a model is late by at most one of these, and for all at once where nothing limits. Returns how many were asked for.
template <class Ask>
std::size_t ask_until(std::size_t count, const Until& until, std::size_t chunk, Ask&& ask) {
  if (!until.limits()) chunk = count;
  std::size_t first = 0;
  for (; first < count && !until.over(); first += std::min(chunk, count - first))
    ask(first, std::min(chunk, count - first));
  return first;
}

}  // namespace icpi
