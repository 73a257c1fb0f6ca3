// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/random.hpp"

namespace icpi::testing {

/// Any model as an asynchronous one whose answers arrive in random order, some at a time.
template <LanguageModel LM>
class ShuffledLanguageModel {
 public:
  static constexpr bool gives_logprobs = GivesLogprobs<LM>;  ///< as the model held
  ShuffledLanguageModel(LM model, std::size_t concurrency, std::uint64_t seed)
      : model_(std::move(model)), concurrency_(concurrency), order_(RandomKey(seed)) {}

  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    model_.complete(requests, completions);
  }
  [[nodiscard]] std::string identity() const { return model_.identity(); }
  void submit(const CompletionRequest& request, Ticket ticket) { waiting_.push_back({request, ticket}); }
  std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds) {
    const std::size_t count = 1 + order_.index(std::min(finished.size(), waiting_.size()));
    for (std::size_t i = 0; i < count; ++i) {
      std::swap(waiting_[order_.index(waiting_.size())], waiting_.back());
      auto& completion = finished[i].completion;
      finished[i].ticket = waiting_.back().ticket;
      model_.complete(std::span(&waiting_.back().request, 1), std::span(&completion, 1));
      waiting_.pop_back();
    }
    return count;
  }
  void cancel(Ticket) {}
  [[nodiscard]] std::size_t concurrency() const { return concurrency_; }

 private:
  struct Waiting {
    CompletionRequest request;
    Ticket ticket = 0;
  };

  LM model_;
  std::size_t concurrency_;
  RandomStream order_;
  std::vector<Waiting> waiting_;
};

}  // namespace icpi::testing
