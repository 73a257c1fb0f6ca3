// SPDX-License-Identifier: MIT
#pragma once

#if defined(ICPI_HEADER_ONLY)
#error "icpi/store is compiled: link icpi::store, which brings icpi::icpi, instead of icpi::header_only"
#else

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/collect_rest.hpp"
#include "icpi/core/error.hpp"
#include "icpi/models/finished_queue.hpp"
#include "icpi/models/model_decorator.hpp"
#include "icpi/store/completion_store.hpp"

namespace icpi::store {

/// Asks the model only what was never answered before. A language model itself; asynchronous when `LM` is. Answers from
/// the cache carry the usage of the original answer, so a replayed run writes the same records.
/// Equal requests that are under way at once are asked once. What the file cannot take is handed out all the same: the
/// exception comes after the answers that arrived together are in their places or ready to be collected.
/// Thread-safety: one object by one thread at a time.
template <LanguageModel LM>
class CompletionCache : public ModelDecorator<LM> {
 public:
  /// Throws as CompletionStore does.
  CompletionCache(LM model, CacheOptions options) : ModelDecorator<LM>(std::move(model)), store_(std::move(options)) {}

  /// See LanguageModel.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    if (requests.size() != completions.size()) {
      throw InvalidArgument(fmt::format("CompletionCache: complete() got {} requests and {} places for completions",
                                        requests.size(), completions.size()));
    }
    if constexpr (AsynchronousLanguageModel<LM>) {
      complete_one_by_one(requests, completions);
    } else {
      complete_in_slices(requests, completions);
    }
  }

  /// See AsynchronousLanguageModel.
  void submit(const CompletionRequest& request, Ticket ticket)
    requires AsynchronousLanguageModel<LM>
  {
    const std::string name = this->model_.identity();
    const RequestFingerprint key = fingerprint(request, name);
    if (const auto running = running_.find(key); running != running_.end()) {
      asked_.at(running->second).tickets.push_back(ticket);
    } else if (auto found = look_up(key, name, request)) {
      ready_.push(ticket, *std::move(found));
    } else {
      start(request, key).tickets.push_back(ticket);
    }
  }

  /// See AsynchronousLanguageModel.
  [[nodiscard]] std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait)
    requires AsynchronousLanguageModel<LM>
  {
    if (!asked_.empty()) receive(ready_.empty() ? wait : std::chrono::milliseconds::zero(), finished.size());
    return ready_.hand_over(finished);
  }

  /// A submission that others wait for too is finished all the same.
  void cancel(Ticket ticket)
    requires AsynchronousLanguageModel<LM>
  {
    for (auto& [inner, asked] : asked_) {
      for (std::size_t i = 0; i < asked.tickets.size(); ++i) {
        if (asked.tickets[i] != ticket) continue;
        if (asked.tickets.size() == 1) {
          running_.erase(asked.key);  // later ones do not share its fate
          this->model_.cancel(inner);
        } else if (i > 0) {  // the first one's request is the one under way: its views are in use
          asked.tickets.erase(asked.tickets.begin() + static_cast<std::ptrdiff_t>(i));
          Completion cancelled;
          cancelled.error = {ErrorCategory::cancelled, "cancelled by the caller", 0};
          ready_.push(ticket, std::move(cancelled));
        }
        return;
      }
    }
  }

  /// See AsynchronousLanguageModel.
  [[nodiscard]] std::size_t concurrency()
    requires AsynchronousLanguageModel<LM>
  {
    return this->model_.concurrency();
  }
  /// Not cached.
  void score(std::span<const ScoreRequest> requests, std::span<Scores> scores)
    requires ScoresContinuations<LM>
  {
    this->model_.score(requests, scores);
  }
  /// The file.
  [[nodiscard]] CompletionStore& store() noexcept { return store_; }
  /// What happened since it was opened.
  [[nodiscard]] CacheStatistics statistics() const noexcept { return store_.statistics(); }

 private:
  struct KeyHash {
    std::size_t operator()(const RequestFingerprint& key) const noexcept { return key.low; }
  };
  struct Asked {
    RequestFingerprint key;
    std::vector<Ticket> tickets;      ///< the first one's request is under way
    std::vector<Completion*> places;  ///< of a running complete()
  };

  /// nullopt: the model must be asked. In require-cache mode there is always something: an answer or an error.
  std::optional<Completion> look_up(const RequestFingerprint& key, std::string_view name,
                                    const CompletionRequest& request) {
    auto found = store_.find(key, name, request);
    if (found || !store_.options().require) return found;
    Completion absent;
    absent.error = {
        ErrorCategory::invalid_request,
        fmt::format("not in the completion cache {}, which is all that may be asked", store_.options().file.string()),
        0};
    return absent;
  }

  Asked& start(const CompletionRequest& request, const RequestFingerprint& key) {
    const Ticket inner = next_ticket_++;
    this->model_.submit(request, inner);
    running_.emplace(key, inner);
    return asked_.emplace(inner, Asked{key, {}, {}}).first->second;
  }

  /// Every answer is stored as it comes.
  void complete_one_by_one(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    places_left_ = 0;
    try {
      start_missing(requests, completions);
      while (places_left_ > 0) receive(std::chrono::minutes(10), 64);
    } catch (...) {
      cancel_rest();
      throw;
    }
  }

  /// Requests and places end with complete(): nothing of it stays in flight, unless the model throws again and again.
  void cancel_rest() {
    for (const auto& [inner, asked] : asked_)
      if (!asked.places.empty() && asked.tickets.empty())
        try_cancel([&, ticket = inner] { this->model_.cancel(ticket); });
    constexpr int most_attempts = 8;
    for (int attempt = 0; places_left_ > 0 && attempt < most_attempts; ++attempt) {
      try {
        while (places_left_ > 0) receive(std::chrono::minutes(10), 64);
      } catch (...) {  // the first exception says why
      }
    }
    for (auto& [inner, asked] : asked_) asked.places.clear();
  }

  void start_missing(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    const std::string name = this->model_.identity();
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const RequestFingerprint key = fingerprint(requests[i], name);
      const auto running = running_.find(key);
      if (running == running_.end()) {
        if (auto found = look_up(key, name, requests[i])) {
          completions[i] = *std::move(found);
          continue;
        }
      }
      Asked& asked = running == running_.end() ? start(requests[i], key) : asked_.at(running->second);
      asked.places.push_back(&completions[i]);
      ++places_left_;
    }
  }

  /// Small slices: what a killed process loses is one slice of answers at most.
  void complete_in_slices(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    constexpr std::size_t slice = 32;
    const std::string name = this->model_.identity();
    std::unordered_map<RequestFingerprint, std::size_t, KeyHash> first_place;
    std::vector<std::size_t> missing;
    std::vector<std::pair<std::size_t, std::size_t>> copies;  // to, from
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const RequestFingerprint key = fingerprint(requests[i], name);
      const auto [first, is_new] = first_place.emplace(key, i);
      if (!is_new) {
        copies.emplace_back(i, first->second);
      } else if (auto found = look_up(key, name, requests[i])) {
        completions[i] = *std::move(found);
      } else {
        missing.push_back(i);
        if (missing.size() == slice) ask(requests, completions, missing);
      }
    }
    ask(requests, completions, missing);
    for (const auto& [to, from] : copies) completions[to] = completions[from];
  }

  void ask(std::span<const CompletionRequest> requests, std::span<Completion> completions,
           std::vector<std::size_t>& missing) {
    std::vector<CompletionRequest> asked;
    for (const std::size_t i : missing) asked.push_back(requests[i]);
    std::vector<Completion> answers(asked.size());
    this->model_.complete(std::span<const CompletionRequest>(asked), std::span<Completion>(answers));
    const std::string name = this->model_.identity();
    std::exception_ptr problem;
    for (std::size_t i = 0; i < missing.size(); ++i) {
      keep(fingerprint(asked[i], name), answers[i], problem);
      completions[missing[i]] = std::move(answers[i]);
    }
    missing.clear();
    if (problem) std::rethrow_exception(problem);
  }

  /// Stores an answer; after the first failure nothing is tried until it was told.
  void keep(const RequestFingerprint& key, const Completion& completion, std::exception_ptr& problem) {
    if (problem) return;
    try {
      store_.insert(key, completion);
    } catch (const Error&) {
      problem = std::current_exception();
    }
  }

  void receive(std::chrono::milliseconds wait, std::size_t at_most) {
    received_.resize(at_most);
    const std::size_t count = this->model_.collect(std::span<FinishedCompletion>(received_), wait);
    if (count > at_most) throw too_many_collected(count, at_most);
    std::exception_ptr problem;
    for (std::size_t i = 0; i < count; ++i) {
      const auto asked = asked_.find(received_[i].ticket);
      if (asked == asked_.end()) {
        problem = std::make_exception_ptr(unknown_ticket_collected(received_[i].ticket));
        continue;
      }
      const Completion& completion = received_[i].completion;
      keep(asked->second.key, completion, problem);
      for (const Ticket ticket : asked->second.tickets) ready_.push(ticket, completion);
      for (Completion* place : asked->second.places) *place = completion;
      places_left_ -= asked->second.places.size();
      const auto running = running_.find(asked->second.key);
      if (running != running_.end() && running->second == asked->first) running_.erase(running);
      asked_.erase(asked);
    }
    if (problem) std::rethrow_exception(problem);
  }

  CompletionStore store_;
  Ticket next_ticket_ = 1;
  std::unordered_map<RequestFingerprint, Ticket, KeyHash> running_;
  std::unordered_map<Ticket, Asked> asked_;  ///< by the inner ticket
  std::size_t places_left_ = 0;              ///< of a running complete()
  detail::FinishedQueue ready_;
  std::vector<FinishedCompletion> received_;
};

}  // namespace icpi::store

#endif
