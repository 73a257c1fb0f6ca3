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
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/collect_rest.hpp"
#include "icpi/core/error.hpp"
#include "icpi/models/finished_queue.hpp"
#include "icpi/store/cache_backend.hpp"

namespace icpi::store::detail {

/// Others may ask it now. What the backend says to that is of no interest: its claim ends by itself.
inline void give_up(CacheBackend& backend, const RequestFingerprint& key) noexcept {
  try_cancel([&] {
    Completion nothing;
    nothing.error = {ErrorCategory::cancelled, "not asked", 0};
    const CacheBackend::Answer answer{key, &nothing};
    backend.insert({&answer, 1});
  });
}

/// Looks up what may be asked nowhere else: in require-cache mode there is always something, an answer or an error.
inline void look_up(CacheBackend& backend, std::span<const CacheBackend::Question> questions,
                    std::span<CacheBackend::Finding> findings) {
  backend.look_up(questions, findings);
  if (!backend.require()) return;
  for (CacheBackend::Finding& finding : findings) {
    if (finding.standing == CacheBackend::Standing::known) continue;
    finding.standing = CacheBackend::Standing::known;
    finding.completion.error = {
        ErrorCategory::invalid_request,
        fmt::format("not in the completion cache {}, which is all that may be asked", backend.name()), 0};
  }
}

/// Between two looks at what other workers ask.
inline constexpr std::chrono::milliseconds pause_between_looks{20};

struct KeyHash {
  std::size_t operator()(const RequestFingerprint& key) const noexcept { return key.low; }
};

/// Who wants an answer: a submission, or a place of a running complete(). The request's views are good until then.
struct CacheWaiter {
  CompletionRequest request;
  std::optional<Ticket> ticket{};
  Completion* place = nullptr;
};
using CacheWaiters = std::vector<CacheWaiter>;

/// What a completion cache in front of an asynchronous model waits for: answers of the model, and answers that other
/// workers asked for. The model and the backend are the cache's, which may be moved: they are told with each call.
template <AsynchronousLanguageModel LM>
class CacheInFlight {
 public:
  /// Adds a waiter to an equal request that is under way, here or elsewhere; false if there is none.
  bool join(const RequestFingerprint& key, const CacheWaiter& waiter) {
    if (const auto running = running_.find(key); running != running_.end())
      asked_.at(running->second).waiters.push_back(waiter);
    else if (const auto other = elsewhere_.find(key); other != elsewhere_.end())
      other->second.push_back(waiter);
    else
      return false;
    count(waiter);
    return true;
  }

  /// Does what was found about a request that is not under way.
  void take(LM& model, CacheBackend& backend, const RequestFingerprint& key, CacheBackend::Finding finding,
            CacheWaiter waiter) {
    count(waiter);
    if (finding.standing == CacheBackend::Standing::known)
      hand_out({std::move(waiter)}, finding.completion);
    else if (finding.standing == CacheBackend::Standing::theirs)
      elsewhere_[key].push_back(std::move(waiter));
    else
      start(model, backend, key, {std::move(waiter)});
  }

  /// Waits for answers, for at most so long, and hands them out.
  void receive(LM& model, CacheBackend& backend, std::chrono::milliseconds wait, std::size_t at_most) {
    std::exception_ptr problem;
    if (!elsewhere_.empty()) wait = std::min(wait, pause_between_looks);
    if (!asked_.empty())
      take_answers(model, backend, wait, at_most, problem);
    else if (!elsewhere_.empty())
      std::this_thread::sleep_for(wait);
    if (!elsewhere_.empty() && std::chrono::steady_clock::now() >= next_look_) look_again(model, backend);
    if (problem) std::rethrow_exception(problem);
  }

  /// See AsynchronousLanguageModel.
  void cancel(LM& model, Ticket ticket) {
    const auto is_ours = [&](const CacheWaiter& waiter) { return waiter.ticket == ticket; };
    for (auto entry = elsewhere_.begin(); entry != elsewhere_.end(); ++entry) {
      if (std::erase_if(entry->second, is_ours) == 0) continue;
      if (entry->second.empty()) elsewhere_.erase(entry);
      return push_cancelled(ticket);
    }
    for (auto& [inner, asked] : asked_) {
      const auto found = std::find_if(asked.waiters.begin(), asked.waiters.end(), is_ours);
      if (found == asked.waiters.end()) continue;
      if (asked.waiters.size() == 1) {
        running_.erase(asked.key);  // later ones do not share its fate
        model.cancel(inner);
      } else if (found != asked.waiters.begin()) {  // the first one's request is under way: its views are in use
        asked.waiters.erase(found);
        push_cancelled(ticket);
      }
      return;
    }
  }

  /// Places of a running complete() end with it: nothing of them stays in flight, unless the model throws again and again.
  void cancel_places(LM& model, CacheBackend& backend) {
    const auto has_place = [](const CacheWaiter& waiter) { return waiter.place != nullptr; };
    for (auto entry = elsewhere_.begin(); entry != elsewhere_.end();) {
      places_ -= std::erase_if(entry->second, has_place);
      entry = entry->second.empty() ? elsewhere_.erase(entry) : std::next(entry);
    }
    for (const auto& [inner, asked] : asked_)
      if (std::all_of(asked.waiters.begin(), asked.waiters.end(), has_place))
        try_cancel([&, ticket = inner] { model.cancel(ticket); });
    constexpr int most_attempts = 8;
    for (int attempt = 0; places_ > 0 && attempt < most_attempts; ++attempt) {
      try {
        while (places_ > 0) receive(model, backend, std::chrono::minutes(10), 64);
      } catch (...) {  // the first exception says why
      }
    }
    for (auto& [inner, asked] : asked_) std::erase_if(asked.waiters, has_place);
    places_ = 0;
  }

  /// Lets others ask what this one will not hear of any more.
  void give_up_all(CacheBackend& backend) noexcept {
    for (const auto& [inner, asked] : asked_) give_up(backend, asked.key);
  }

  [[nodiscard]] bool empty() const noexcept { return asked_.empty() && elsewhere_.empty(); }
  [[nodiscard]] bool waits_elsewhere() const noexcept { return !elsewhere_.empty(); }
  [[nodiscard]] std::size_t places() const noexcept { return places_; }  ///< of a running complete() that wait
  [[nodiscard]] icpi::detail::FinishedQueue& ready() noexcept { return ready_; }

 private:
  struct Asked {
    RequestFingerprint key;
    CacheWaiters waiters;  ///< the first one's request is under way
  };

  void count(const CacheWaiter& waiter) noexcept { places_ += waiter.place != nullptr ? 1 : 0; }

  void push_cancelled(Ticket ticket) {
    Completion cancelled;
    cancelled.error = {ErrorCategory::cancelled, "cancelled by the caller", 0};
    ready_.push(ticket, std::move(cancelled));
  }

  void hand_out(const CacheWaiters& waiters, const Completion& completion) {
    for (const CacheWaiter& waiter : waiters) {
      if (waiter.ticket) ready_.push(*waiter.ticket, completion);
      if (waiter.place == nullptr) continue;
      *waiter.place = completion;
      --places_;
    }
  }

  void start(LM& model, CacheBackend& backend, const RequestFingerprint& key, CacheWaiters waiters) {
    const Ticket inner = next_ticket_++;
    try {
      model.submit(waiters.front().request, inner);
    } catch (...) {
      for (const CacheWaiter& waiter : waiters) places_ -= waiter.place != nullptr ? 1 : 0;
      give_up(backend, key);
      throw;
    }
    running_.emplace(key, inner);
    asked_.emplace(inner, Asked{key, std::move(waiters)});
  }

  void take_answers(LM& model, CacheBackend& backend, std::chrono::milliseconds wait, std::size_t at_most,
                    std::exception_ptr& problem) {
    received_.resize(at_most);
    const std::size_t count = model.collect(std::span<FinishedCompletion>(received_), wait);
    if (count > at_most) throw too_many_collected(count, at_most);
    std::vector<CacheBackend::Answer> answers;
    for (std::size_t i = 0; i < count; ++i) {
      if (const auto asked = asked_.find(received_[i].ticket); asked != asked_.end())
        answers.push_back({asked->second.key, &received_[i].completion});
      else
        problem = std::make_exception_ptr(unknown_ticket_collected(received_[i].ticket));
    }
    try {
      if (!answers.empty()) backend.insert(answers);
    } catch (const Error&) {
      problem = std::current_exception();
    }
    for (std::size_t i = 0; i < count; ++i) {
      const auto asked = asked_.find(received_[i].ticket);
      if (asked == asked_.end()) continue;
      hand_out(asked->second.waiters, received_[i].completion);
      const auto running = running_.find(asked->second.key);
      if (running != running_.end() && running->second == asked->first) running_.erase(running);
      asked_.erase(asked);
    }
  }

  /// Looks at all that others ask: what they answered is handed out, what they gave up is asked here.
  void look_again(LM& model, CacheBackend& backend) {
    next_look_ = std::chrono::steady_clock::now() + pause_between_looks;
    const std::string name = model.identity();
    std::vector<CacheBackend::Question> questions;
    for (const auto& [key, waiters] : elsewhere_) questions.push_back({key, name, &waiters.front().request});
    std::vector<CacheBackend::Finding> findings(questions.size());
    look_up(backend, questions, findings);
    std::exception_ptr problem;
    for (std::size_t i = 0; i < questions.size(); ++i) {
      if (findings[i].standing == CacheBackend::Standing::theirs) continue;
      CacheWaiters waiters = std::move(elsewhere_.extract(questions[i].key).mapped());
      if (findings[i].standing == CacheBackend::Standing::known) {
        hand_out(waiters, findings[i].completion);
        continue;
      }
      try {
        start(model, backend, questions[i].key, waiters);
      } catch (...) {
        problem = std::current_exception();
        for (const CacheWaiter& waiter : waiters)
          if (waiter.ticket) push_cancelled(*waiter.ticket);
      }
    }
    if (problem) std::rethrow_exception(problem);
  }

  Ticket next_ticket_ = 1;
  std::unordered_map<RequestFingerprint, Ticket, KeyHash> running_;
  std::unordered_map<Ticket, Asked> asked_;  ///< by the inner ticket
  std::unordered_map<RequestFingerprint, CacheWaiters, KeyHash> elsewhere_;
  std::chrono::steady_clock::time_point next_look_{};
  std::size_t places_ = 0;
  icpi::detail::FinishedQueue ready_;
  std::vector<FinishedCompletion> received_;
};

/// What a cache in front of the model keeps: nothing, where the model is not asynchronous.
template <LanguageModel LM>
struct InFlightOf {
  struct Type {};
};
template <AsynchronousLanguageModel LM>
struct InFlightOf<LM> {
  using Type = CacheInFlight<LM>;
};

}  // namespace icpi::store::detail

#endif
