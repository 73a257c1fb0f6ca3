// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/language_model_ref.hpp"
#include "icpi/core/collect_rest.hpp"
#include "icpi/core/error.hpp"
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

/// Lets a model answer a batch, but not beyond a limit of time. An asynchronous model is asked for all at once, and what
/// has not come when the time is up is cancelled. Others are asked for `chunk` requests at a time, and are late by at
/// most one of them.
class CompleteUntil {
 public:
  /// Answers item i of one into item i of the other.
  void complete(LanguageModelRef model, bool asynchronous, std::span<const CompletionRequest> requests,
                std::span<Completion> completions, const Until& until, std::size_t chunk) {
    if (!until.limits()) return model.complete(requests, completions);
    if (asynchronous) return submit(model, requests, completions, until);
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

 private:
  void submit(LanguageModelRef model, std::span<const CompletionRequest> requests, std::span<Completion> completions,
              const Until& until) {
    const std::size_t most = std::max<std::size_t>(1, model.concurrency());
    open_.assign(requests.size(), false);
    finished_.resize(std::max(finished_.size(), most));
    std::size_t submitted = 0;
    std::size_t in_flight = 0;
    try {
      while (submitted < requests.size() || in_flight > 0) {
        if (until.over()) break;
        for (; submitted < requests.size() && in_flight < most; ++submitted, ++in_flight) {
          model.submit(requests[submitted], submitted);
          open_[submitted] = true;
        }
        in_flight -= collect(model, completions, until.wait(std::chrono::milliseconds(1000)));
      }
    } catch (...) {
      call_off(model, completions, in_flight);
      throw;
    }
    call_off(model, completions, in_flight);
    for (; submitted < requests.size(); ++submitted) fill_cancelled(completions[submitted]);
  }

  std::size_t collect(LanguageModelRef model, std::span<Completion> completions, std::chrono::milliseconds wait) {
    const std::size_t came = model.collect(finished_, wait);
    if (came > finished_.size()) throw Error("the model's collect() returned more than it had room for");
    for (std::size_t i = 0; i < came; ++i) {
      const auto item = static_cast<std::size_t>(finished_[i].ticket);
      if (item >= open_.size() || !open_[item])
        throw Error("the model's collect() returned a ticket that is not in flight");
      open_[item] = false;
      std::swap(completions[item], finished_[i].completion);
    }
    return came;
  }

  /// What is in flight is cancelled and collected, unless the model throws again and again.
  void call_off(LanguageModelRef model, std::span<Completion> completions, std::size_t in_flight) {
    if (in_flight == 0) return;
    for (std::size_t item = 0; item < open_.size(); ++item)
      if (open_[item]) model.cancel(item);
    collect_rest(in_flight, [&] { return collect(model, completions, std::chrono::milliseconds(1000)); });
  }

  std::vector<char> open_;
  std::vector<FinishedCompletion> finished_;
};

}  // namespace icpi
