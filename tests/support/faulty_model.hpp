// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/random.hpp"

namespace icpi::testing {

/// How often a FaultyModel does what.
struct FaultRates {
  double errors = 0;      ///< an item fails
  double nonsense = 0;    ///< an item's text is damaged
  double exceptions = 0;  ///< a call throws, although the concept forbids it
};

/// Any model as an asynchronous one that answers in random order, fails, talks nonsense and throws.
template <LanguageModel LM>
class FaultyModel {
 public:
  FaultyModel(LM model, FaultRates rates, std::size_t concurrency, RandomKey key)
      : model_(std::move(model)), rates_(rates), concurrency_(concurrency), stream_(key) {}

  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    throw_sometimes();
    model_.complete(requests, completions);
    for (auto& completion : completions) spoil(completion);
  }
  [[nodiscard]] std::string identity() const {
    const bool sound = rates_.errors == 0 && rates_.nonsense == 0;
    return (sound ? "" : "faulty/") + model_.identity();
  }

  void submit(const CompletionRequest& request, Ticket ticket) {
    throw_sometimes();
    in_flight_.push_back({request, ticket, false});
  }
  std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds) {
    throw_sometimes();
    if (in_flight_.empty() || finished.empty()) return 0;
    const std::size_t count = 1 + stream_.index(std::min(finished.size(), in_flight_.size()));
    for (std::size_t i = 0; i < count; ++i) {
      std::swap(in_flight_[stream_.index(in_flight_.size())], in_flight_.back());
      auto& [ticket, completion] = finished[i];
      ticket = in_flight_.back().ticket;
      completion = {};
      if (in_flight_.back().cancelled) {
        completion.error = {ErrorCategory::cancelled, "cancelled", 0};
      } else {
        model_.complete(std::span(&in_flight_.back().request, 1), std::span(&completion, 1));
        spoil(completion);
      }
      in_flight_.pop_back();
    }
    return count;
  }
  void cancel(Ticket ticket) {
    for (auto& each : in_flight_) each.cancelled = each.cancelled || each.ticket == ticket;
  }
  [[nodiscard]] std::size_t concurrency() const { return concurrency_; }

  /// Submissions that were not collected.
  [[nodiscard]] std::size_t in_flight() const { return in_flight_.size(); }

 private:
  struct Submission {
    CompletionRequest request;
    Ticket ticket = 0;
    bool cancelled = false;
  };

  [[nodiscard]] bool happens(double rate) { return rate > 0 && stream_.uniform() < rate; }

  void throw_sometimes() {
    if (happens(rates_.exceptions)) throw std::runtime_error("the model threw");
  }

  void spoil(Completion& completion) {
    if (happens(rates_.errors)) {
      constexpr std::array categories{ErrorCategory::transport,        ErrorCategory::timeout,
                                      ErrorCategory::rate_limited,     ErrorCategory::authentication,
                                      ErrorCategory::context_overflow, ErrorCategory::invalid_request};
      completion.error = {categories[stream_.index(categories.size())], "injected", 0};
      completion.finish = FinishReason::error;
    } else if (happens(rates_.nonsense)) {
      switch (stream_.index(4)) {
        case 0: completion.text.clear(); break;
        case 1: completion.text += "\n\nassert done"; break;
        case 2: completion.finish = FinishReason::length; break;
        default: completion.text.insert(stream_.index(completion.text.size() + 1), 1, '\xff');
      }
    }
  }

  LM model_;
  FaultRates rates_;
  std::size_t concurrency_;
  RandomStream stream_;
  std::vector<Submission> in_flight_;
};

}  // namespace icpi::testing
