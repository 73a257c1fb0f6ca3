// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/models/budget.hpp"
#include "icpi/models/finished_queue.hpp"

namespace icpi {

namespace detail {

/// What of `usage` is still to be booked; then it counts as booked.
inline Usage take_unbooked(const Usage& usage, Usage& booked) {
  const auto rest = [](std::uint64_t all, std::uint64_t part) { return all - std::min(all, part); };
  const Usage left{rest(usage.prompt_tokens, booked.prompt_tokens), rest(usage.cached_tokens, booked.cached_tokens),
                   rest(usage.completion_tokens, booked.completion_tokens),
                   rest(usage.written_tokens, booked.written_tokens)};
  booked = {};
  return left;
}

/// What is set aside while a call to a model lasts; given back when that throws.
class ReservedCalls {
 public:
  explicit ReservedCalls(BudgetAccount& account) : account_(account) {}
  ReservedCalls(const ReservedCalls&) = delete;
  ReservedCalls& operator=(const ReservedCalls&) = delete;
  ~ReservedCalls() {
    for (const Reservation& each : open_) account_.settle(each, {});
  }
  [[nodiscard]] std::size_t size() const { return open_.size(); }
  void add(const Reservation& reservation) { open_.push_back(reservation); }
  template <class Result>
  void settle(std::span<Result> results) {
    for (std::size_t i = 0; i < results.size(); ++i) account_.settle(open_[i], newly_spent(results[i]));
    open_.clear();
  }

 private:
  static Usage newly_spent(const Scores& scores) { return scores.usage; }
  static Usage newly_spent(Completion& completion) { return take_unbooked(completion.usage, completion.booked); }

  BudgetAccount& account_;
  std::vector<Reservation> open_;
};

template <class Request, class Result, class Ask>
void ask_within(BudgetAccount& account, std::span<const Request> requests, std::span<Result> results, Ask ask) {
  if (requests.size() != results.size()) {
    throw InvalidArgument(
        fmt::format("BudgetedModel: got {} requests and {} places for answers", requests.size(), results.size()));
  }
  std::size_t done = 0;
  while (done < requests.size()) {
    ReservedCalls calls(account);
    auto admission = BudgetAccount::Admission::granted;
    while (done + calls.size() < requests.size()) {
      const Reservation reservation = account.estimate(requests[done + calls.size()]);
      admission = account.reserve(reservation);
      if (admission != BudgetAccount::Admission::granted) break;
      calls.add(reservation);
    }
    const std::size_t count = calls.size();
    if (count > 0) {
      ask(requests.subspan(done, count), results.subspan(done, count));
      calls.settle(results.subspan(done, count));
      done += count;
    } else if (admission == BudgetAccount::Admission::later) {
      account.wait_for_answers(std::chrono::hours(1));
    } else {
      break;
    }
  }
  for (; done < requests.size(); ++done) {
    results[done] = {};
    results[done].error = budget_refusal(account);
  }
}

ICPI_INLINE CompletionError budget_refusal(const BudgetAccount& account) {
  return {ErrorCategory::budget_exhausted,
          fmt::format("the budget of {} is used up: another question might pass it", account.exhausted_limit()), 0};
}

ICPI_INLINE void complete_within(BudgetAccount& account, LanguageModelRef model,
                                 std::span<const CompletionRequest> requests, std::span<Completion> completions) {
  ask_within(account, requests, completions, [&](auto some, auto answers) { model.complete(some, answers); });
}

ICPI_INLINE void score_within(BudgetAccount& account, LanguageModelRef model, std::span<const ScoreRequest> requests,
                              std::span<Scores> scores) {
  ask_within(account, requests, scores, [&](auto some, auto answers) { model.score(some, answers); });
}

class BudgetedSubmissions::Work {
 public:
  explicit Work(std::shared_ptr<BudgetAccount> account) : account_(std::move(account)) {
    if (!account_) throw InvalidArgument("BudgetedModel: there is no account");
  }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  ~Work() {
    for (const auto& [ticket, reservation] : open_) account_->settle(reservation, {});
  }

  [[nodiscard]] BudgetAccount& account() const noexcept { return *account_; }

  [[nodiscard]] bool admit(const CompletionRequest& request, Ticket ticket) {
    waiting_.push_back({request, ticket});
    if (waiting_.size() > 1) return false;  // it does not overtake
    return next().has_value();
  }

  void settle(Ticket ticket, const Usage& usage) {
    const auto found = std::find_if(open_.begin(), open_.end(), [&](const auto& each) { return each.first == ticket; });
    if (found == open_.end()) return;
    account_->settle(found->second, usage);
    *found = open_.back();
    open_.pop_back();
  }

  [[nodiscard]] std::size_t collect(LanguageModelRef model, std::span<FinishedCompletion> finished,
                                    std::chrono::milliseconds wait) {
    if (open_.empty() && !waiting_.empty()) account_->wait_for_answers(wait);
    submit_waiting(model);
    const std::size_t count = refused_.hand_over(finished);
    if (count == finished.size()) return count;
    if (count > 0) wait = std::chrono::milliseconds::zero();
    const std::size_t came = model.collect(finished.subspan(count), wait);
    for (FinishedCompletion& each : finished.subspan(count, came))
      settle(each.ticket, take_unbooked(each.completion.usage, each.completion.booked));
    return count + came;
  }

  bool cancel(Ticket ticket) {
    const auto found =
        std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& each) { return each.ticket == ticket; });
    if (found == waiting_.end()) return false;
    waiting_.erase(found);
    answer(ticket, {ErrorCategory::cancelled, "cancelled before it was sent", 0});
    return true;
  }

 private:
  struct Waiting {
    CompletionRequest request;
    Ticket ticket = 0;
  };

  /// A submission that waited and may go to the model now.
  std::optional<Waiting> next() {
    while (!waiting_.empty()) {
      const Waiting first = waiting_.front();
      Reservation reservation = account_->estimate(first.request);
      reservation.submitted = true;
      const auto admission = account_->reserve(reservation);
      if (admission == BudgetAccount::Admission::later) return std::nullopt;
      if (admission == BudgetAccount::Admission::granted) open_.emplace_back(first.ticket, reservation);
      if (admission == BudgetAccount::Admission::refused) answer(first.ticket, budget_refusal(*account_));
      waiting_.erase(waiting_.begin());
      if (admission == BudgetAccount::Admission::granted) return first;
    }
    return std::nullopt;
  }

  void submit_waiting(LanguageModelRef model) {
    while (const auto waited = next()) {
      try {
        model.submit(waited->request, waited->ticket);
      } catch (...) {
        settle(waited->ticket, {});
        waiting_.insert(waiting_.begin(), *waited);
        throw;
      }
    }
  }

  void answer(Ticket ticket, CompletionError error) {
    Completion completion;
    completion.error = std::move(error);
    refused_.push(ticket, std::move(completion));
  }

  std::shared_ptr<BudgetAccount> account_;
  std::vector<std::pair<Ticket, Reservation>> open_;
  std::vector<Waiting> waiting_;  ///< first come first served
  FinishedQueue refused_;
};

ICPI_INLINE BudgetedSubmissions::BudgetedSubmissions(std::shared_ptr<BudgetAccount> account)
    : work_(make_owned<Work>(std::move(account))) {}
ICPI_INLINE BudgetedSubmissions::BudgetedSubmissions(BudgetedSubmissions&&) noexcept = default;
ICPI_INLINE BudgetedSubmissions& BudgetedSubmissions::operator=(BudgetedSubmissions&&) noexcept = default;
ICPI_INLINE BudgetedSubmissions::~BudgetedSubmissions() = default;

ICPI_INLINE BudgetAccount& BudgetedSubmissions::account() const noexcept { return work_->account(); }
ICPI_INLINE bool BudgetedSubmissions::admit(const CompletionRequest& request, Ticket ticket) {
  return work_->admit(request, ticket);
}
ICPI_INLINE void BudgetedSubmissions::failed(Ticket ticket) { work_->settle(ticket, {}); }
ICPI_INLINE std::size_t BudgetedSubmissions::collect(LanguageModelRef model, std::span<FinishedCompletion> finished,
                                                     std::chrono::milliseconds wait) {
  return work_->collect(model, finished, wait);
}
ICPI_INLINE bool BudgetedSubmissions::cancel(Ticket ticket) { return work_->cancel(ticket); }

}  // namespace detail

}  // namespace icpi
