// SPDX-License-Identifier: MIT
#pragma once

#if defined(ICPI_HEADER_ONLY)
#error "icpi/store is compiled: link icpi::store, which brings icpi::icpi, instead of icpi::header_only"
#else

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/until.hpp"
#include "icpi/models/model_decorator.hpp"
#include "icpi/store/cache_backend.hpp"
#include "icpi/store/cache_in_flight.hpp"
#include "icpi/store/completion_store.hpp"

namespace icpi::store {

/// Asks the model only what was never answered before. A language model itself; asynchronous when `LM` is. Answers from
/// the cache carry the usage of the original answer, so a replayed run writes the same records.
/// Equal requests that are under way at once are asked once; where the backend knows that another worker asks, its answer
/// is waited for. What the backend cannot take is handed out all the same: the exception comes after the answers that
/// arrived together are in their places or ready to be collected.
/// Thread-safety: one object by one thread at a time.
template <LanguageModel LM>
class CompletionCache : public ModelDecorator<LM> {
 public:
  /// Keeps answers in a file. Throws as CompletionStore does.
  CompletionCache(LM model, CacheOptions options)
      : CompletionCache(std::move(model), std::make_shared<CompletionStore>(std::move(options))) {}
  /// Keeps answers there. Precondition: `backend` is not null; several caches may share one that is thread-safe.
  CompletionCache(LM model, std::shared_ptr<CacheBackend> backend)
      : ModelDecorator<LM>(std::move(model)), backend_(std::move(backend)) {}
  CompletionCache(CompletionCache&&) noexcept = default;             ///< leaves nothing behind that may be used
  CompletionCache& operator=(CompletionCache&&) noexcept = default;  ///< as construction
  /// What is still in flight is left to others.
  ~CompletionCache() {
    if constexpr (AsynchronousLanguageModel<LM>) {
      if (backend_) in_flight_.give_up_all(*backend_);
    }
  }

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
    const RequestFingerprint key = fingerprints_.of(request, name);
    if (in_flight_.join(key, {request, ticket})) return;
    const CacheBackend::Question question{key, name, &request};
    CacheBackend::Finding finding;
    detail::look_up(*backend_, {&question, 1}, {&finding, 1});
    in_flight_.take(this->model_, *backend_, key, std::move(finding), {request, ticket});
  }

  /// See AsynchronousLanguageModel.
  [[nodiscard]] std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait)
    requires AsynchronousLanguageModel<LM>
  {
    const Until until = Until::after(wait);
    icpi::detail::FinishedQueue& ready = in_flight_.ready();
    do {
      if (in_flight_.empty()) break;
      in_flight_.receive(this->model_, *backend_, ready.empty() ? until.wait(wait) : std::chrono::milliseconds::zero(),
                         finished.size());
    } while (ready.empty() && in_flight_.waits_elsewhere() && !until.over());
    return ready.hand_over(finished);
  }

  /// A submission that others wait for too is finished all the same.
  void cancel(Ticket ticket)
    requires AsynchronousLanguageModel<LM>
  {
    in_flight_.cancel(this->model_, ticket);
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
  /// Where the answers are.
  [[nodiscard]] CacheBackend& store() noexcept { return *backend_; }
  /// What happened since it was opened.
  [[nodiscard]] CacheStatistics statistics() const noexcept { return backend_->statistics(); }

 private:
  using Standing = CacheBackend::Standing;

  /// Requests with different keys, looked up at once.
  struct Batch {
    std::vector<std::size_t> places;  ///< of the requests
    std::vector<CacheBackend::Question> questions;
    std::vector<CacheBackend::Finding> findings;

    void add(std::size_t place, const CacheBackend::Question& question) {
      places.push_back(place);
      questions.push_back(question);
    }
    void look_up(CacheBackend& backend) {
      findings.assign(questions.size(), {});
      detail::look_up(backend, questions, findings);
    }
  };

  /// Every answer is stored as it comes.
  void complete_one_by_one(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    try {
      start_missing(requests, completions);
      while (in_flight_.places() > 0) in_flight_.receive(this->model_, *backend_, std::chrono::minutes(10), 64);
    } catch (...) {
      in_flight_.cancel_places(this->model_, *backend_);
      throw;
    }
  }

  void start_missing(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    const std::string name = this->model_.identity();
    std::unordered_map<RequestFingerprint, std::vector<std::size_t>, detail::KeyHash> further;  // of equal requests
    Batch batch;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const RequestFingerprint key = fingerprints_.of(requests[i], name);
      if (in_flight_.join(key, {requests[i], std::nullopt, &completions[i]})) continue;
      const auto [equal, is_new] = further.try_emplace(key);
      if (is_new)
        batch.add(i, {key, name, &requests[i]});
      else
        equal->second.push_back(i);
    }
    batch.look_up(*backend_);
    std::size_t next = 0;
    try {
      for (; next < batch.places.size(); ++next) {
        const std::size_t i = batch.places[next];
        const RequestFingerprint& key = batch.questions[next].key;
        in_flight_.take(this->model_, *backend_, key, batch.findings[next],
                        {requests[i], std::nullopt, &completions[i]});
        for (const std::size_t equal : further.at(key))
          if (!in_flight_.join(key, {requests[equal], std::nullopt, &completions[equal]}))
            completions[equal] = completions[i];
      }
    } catch (...) {
      give_up_from(batch, next + 1);
      throw;
    }
  }

  /// Lets others ask what this one was to ask.
  void give_up_from(const Batch& batch, std::size_t first) noexcept {
    for (std::size_t i = first; i < batch.findings.size(); ++i)
      if (batch.findings[i].standing == Standing::ours) detail::give_up(*backend_, batch.questions[i].key);
  }

  /// Small slices: what a killed process loses is one slice of answers at most.
  void complete_in_slices(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    const std::string name = this->model_.identity();
    std::unordered_map<RequestFingerprint, std::size_t, detail::KeyHash> first_place;
    std::vector<std::pair<std::size_t, std::size_t>> copies;  // to, from
    Batch batch;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const RequestFingerprint key = fingerprints_.of(requests[i], name);
      const auto [first, is_new] = first_place.emplace(key, i);
      if (is_new)
        batch.add(i, {key, name, &requests[i]});
      else
        copies.emplace_back(i, first->second);
    }
    // What is ours is asked before anything is waited for: two workers never wait for each other.
    while (!batch.places.empty()) {
      batch.look_up(*backend_);
      Batch rest = settle(batch, requests, completions);
      if (!rest.places.empty()) std::this_thread::sleep_for(detail::pause_between_looks);
      batch = std::move(rest);
    }
    for (const auto& [to, from] : copies) completions[to] = completions[from];
  }

  /// Hands out what is known and asks what is ours; returns what others ask.
  Batch settle(const Batch& batch, std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    constexpr std::size_t slice = 32;
    Batch rest;
    std::vector<std::size_t> missing;
    std::size_t next = 0;
    try {
      for (; next < batch.places.size(); ++next) {
        const std::size_t place = batch.places[next];
        switch (batch.findings[next].standing) {
          case Standing::known: completions[place] = batch.findings[next].completion; break;
          case Standing::theirs: rest.add(place, batch.questions[next]); break;
          case Standing::ours: missing.push_back(place);
        }
        if (missing.size() == slice) ask(requests, completions, missing);
      }
      ask(requests, completions, missing);
    } catch (...) {
      const std::string name = this->model_.identity();
      for (const std::size_t place : missing) detail::give_up(*backend_, fingerprints_.of(requests[place], name));
      give_up_from(batch, next + 1);
      throw;
    }
    return rest;
  }

  /// Asks what is `missing`, and empties it once the answers are there.
  void ask(std::span<const CompletionRequest> requests, std::span<Completion> completions,
           std::vector<std::size_t>& missing) {
    if (missing.empty()) return;
    const std::string before = this->model_.identity();
    std::vector<CompletionRequest> asked;
    for (const std::size_t i : missing) asked.push_back(requests[i]);
    std::vector<Completion> answers(asked.size());
    this->model_.complete(std::span<const CompletionRequest>(asked), std::span<Completion>(answers));
    const std::string after = this->model_.identity();  // of the model that answered
    std::vector<CacheBackend::Answer> kept;
    for (std::size_t i = 0; i < missing.size(); ++i) {
      if (after != before) detail::give_up(*backend_, fingerprints_.of(asked[i], before));
      completions[missing[i]] = std::move(answers[i]);
      kept.push_back({fingerprints_.of(asked[i], after), &completions[missing[i]]});
    }
    missing.clear();
    backend_->insert(kept);
  }

  std::shared_ptr<CacheBackend> backend_;
  Fingerprints fingerprints_;
  typename detail::InFlightOf<LM>::Type in_flight_;
};

}  // namespace icpi::store

#endif
