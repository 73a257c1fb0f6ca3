// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <utility>
#include <vector>

#include "icpi/core/collect_rest.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/owned.hpp"
#include "icpi/prompt/prompted_questions.hpp"

namespace icpi {

/// The asynchronous half of PromptedRolloutModel: takes single questions, and every answer is passed on as soon as it is
/// there. A question that equals one in flight waits for that one's answer.
/// Thread-safety: one object by one thread at a time.
class SubmittedQuestions : public PromptedQuestions {
 public:
  /// See PromptedRolloutModel.
  SubmittedQuestions(LanguageModelRef model, const QueryOptions& options)
      : PromptedQuestions(model, options, options.threads),
        scoring_(options.restrict_answers && !can_.constrains_choices) {}

  /// See PromptedRolloutModel::another.
  [[nodiscard]] Owned<SubmittedQuestions> another() const {
    return Owned<SubmittedQuestions>(new SubmittedQuestions(*this));
  }

  /// See KnowsLegalActions.
  [[nodiscard]] LegalActions legal(std::uint32_t prompt_context, ObservationId observation) {
    return prompt_contexts_[prompt_context]->legal(observation);
  }

  /// See KnowsWholeTransitions.
  [[nodiscard]] bool whole_transitions(std::uint32_t prompt_context) const {
    return prompt_contexts_[prompt_context]->state().book.whole_transitions();
  }

  /// False for models that work in batches only, and when answers are chosen by scores.
  [[nodiscard]] bool asynchronous() const { return can_.asynchronous && !scoring_; }

  /// See RolloutModel.
  void answer(std::span<const Question> questions, std::span<Answer> answers) {
    if (!asynchronous()) return PromptedQuestions::answer(questions, answers);
    std::size_t submitted = 0;
    std::size_t in_flight = 0;
    std::vector<FinishedAnswer> came(concurrency());
    const auto take = [&] {
      const std::size_t count = collect(came);
      for (const auto& [ticket, answer] : std::span(came).first(count)) answers[ticket] = answer;
      in_flight -= count;
      return count;
    };
    try {
      for (; (submitted < questions.size() || in_flight > 0) && !until_.over(); take()) {
        for (; submitted < questions.size() && in_flight < came.size() && !until_.over(); ++submitted, ++in_flight)
          submit(questions[submitted], submitted);
      }
    } catch (...) {
      cancel(in_flight, take);
      throw;
    }
    cancel(in_flight, take);
    for (; submitted < questions.size(); ++submitted) answers[submitted] = {AnswerStatus::failed};
  }

  /// See AsynchronousRolloutModel.
  [[nodiscard]] std::size_t concurrency() const { return std::max<std::size_t>(1, model_.concurrency()); }

  /// See AsynchronousRolloutModel.
  void submit(const Question& question, std::uint64_t ticket) {
    check_model();
    Answer answer;
    bool added = false;
    const auto slot = route(question, answer, added);
    if (slot == AnswerMemo::Entry::none) {
      ready_.push_back({ticket, answer});
      return;
    }
    wait_for(slot, ticket);
    if (!added) return;
    try {
      if (!stable(state(question))) state(question).book.forget_look_ups();
      look_up(*slots_[slot]);
      write(*slots_[slot], scratch_[0]);
      send_or_hold(slot);
    } catch (...) {
      free_places_.push_back(std::exchange(queues_[slot].first, none));  // its one ticket is not collected
      end(slot);
      throw;
    }
  }

  /// Waits until at least one submitted question has its answer, or the time is up: then 0.
  std::size_t collect(std::span<FinishedAnswer> out) {
    while (ready_.empty()) {
      if (until_.over()) return 0;
      if (finished_.size() < concurrency()) finished_.resize(concurrency());
      check_model();
      const std::size_t came = collect_completions();
      for (std::size_t i = 0; i < came; ++i) take(finished_[i]);
      if (problem_) std::rethrow_exception(std::exchange(problem_, nullptr));
    }
    const std::size_t count = std::min(out.size(), ready_.size());
    std::move(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(count), out.begin());
    ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
  }

  /// What is in flight is no longer wanted; it still has to be collected.
  void cancel_all() {
    for (const auto slot : std::exchange(held_, {})) {
      fail(slot, {ErrorCategory::cancelled, "no longer wanted", 0});
    }
    for (std::uint32_t slot = 0; slot < queues_.size(); ++slot) {
      if (queues_[slot].in_flight) try_cancel([&] { model_.cancel(queues_[slot].submission); });
    }
  }

 private:
  SubmittedQuestions(const SubmittedQuestions& alike)
      : PromptedQuestions(alike.model_, alike.options_, 1), scoring_(alike.scoring_) {}

  static constexpr std::uint32_t none = ~std::uint32_t{0};

  /// What answer() has in flight is cancelled and taken; it comes at once, however late it is.
  template <class Take>
  void cancel(std::size_t in_flight, Take& take) {
    if (in_flight == 0) return;
    const Until limit = std::exchange(until_, {});
    cancel_all();
    collect_rest(in_flight, take);
    until_ = limit;
  }

  /// Somebody who waits for a slot's answer, and who waits after that.
  struct Waiting {
    std::uint64_t ticket = 0;
    std::uint32_t next = none;
  };

  /// Those who wait for one slot's answer, in the order of their coming.
  struct Queue {
    std::uint32_t first = none;
    std::uint32_t last = none;
    bool in_flight = false;
    Ticket submission = 0;  ///< the model's ticket: the slot in the lower half, how often it was used above
  };

  void wait_for(std::uint32_t slot, std::uint64_t ticket) {
    if (free_places_.empty()) {
      free_places_.push_back(static_cast<std::uint32_t>(waiting_.size()));
      waiting_.emplace_back();
    }
    const auto place = free_places_.back();
    free_places_.pop_back();
    waiting_[place] = {ticket, none};
    if (queues_.size() < slots_.size()) queues_.resize(slots_.size());
    auto& queue = queues_[slot];
    (queue.first == none ? queue.first : waiting_[queue.last].next) = place;
    queue.last = place;
  }

  /// Sends it, unless another request is just having its prefix computed.
  void send_or_hold(std::uint32_t slot) {
    const auto identity = slots_[slot]->prefix.identity;
    if (!options_.prime_prefixes || identity == 0 || primed_.contains(identity)) return send(slot);
    if (std::find(priming_.begin(), priming_.end(), identity) != priming_.end()) return held_.push_back(slot);
    priming_.reserve(priming_.size() + 1);  // what is sent is noted
    send(slot);
    priming_.push_back(identity);
  }

  void send(std::uint32_t slot) {
    auto& queue = queues_[slot];
    queue.submission = ((queue.submission >> 32U) + 1) << 32U | slot;
    model_.submit(request(*slots_[slot]), queue.submission);
    queue.in_flight = true;
  }

  /// What is in flight in a broken model may never come, and what it may still read will not stay.
  void check_model() const {
    if (broken_) throw Error("the language model broke off with submissions in flight: it cannot be asked any more");
  }

  std::size_t collect_completions() {
    constexpr int most_exceptions = 8;
    std::size_t came = 0;
    try {
      came = model_.collect(finished_, until_.wait(std::chrono::milliseconds(1000)));
    } catch (...) {
      broken_ = ++exceptions_in_a_row_ == most_exceptions;
      throw;
    }
    exceptions_in_a_row_ = 0;
    if (came <= finished_.size()) return came;
    broken_ = true;
    throw too_many_collected(came, finished_.size());
  }

  void take(FinishedCompletion& finished) {
    const auto slot = static_cast<std::uint32_t>(finished.ticket);
    if (slot >= queues_.size() || !queues_[slot].in_flight || queues_[slot].submission != finished.ticket) {
      broken_ = true;
      problem_ = std::make_exception_ptr(unknown_ticket_collected(finished.ticket));
      return;
    }
    std::swap(slots_[slot]->completion, finished.completion);
    queues_[slot].in_flight = false;
    const auto identity = slots_[slot]->prefix.identity;
    deliver(slot);
    if (std::erase(priming_, identity) > 0) {
      primed_.note(identity, slots_[slot]->completion);
      release(identity);
    }
  }

  /// Sends what waited for this prefix. What the model does not take counts as failed, and collect() throws.
  void release(std::uint64_t identity) {
    const auto later = std::partition(held_.begin(), held_.end(),
                                      [&](std::uint32_t held) { return slots_[held]->prefix.identity != identity; });
    for (auto held = later; held != held_.end(); ++held) {
      try {
        send(*held);
      } catch (...) {
        problem_ = std::current_exception();
        fail(*held, {ErrorCategory::invalid_request, "the model refused the submission", 0});
      }
    }
    held_.erase(later, held_.end());
  }

  void fail(std::uint32_t slot, const CompletionError& error) {
    auto& completion = slots_[slot]->completion;
    completion = {};
    completion.error = error;
    deliver(slot);
  }

  /// Reads the slot's completion and passes the answer to everyone who waits for it.
  void deliver(std::uint32_t slot) {
    settle(*slots_[slot], problem_);
    auto& queue = queues_[slot];
    for (auto place = std::exchange(queue.first, none); place != none; place = waiting_[place].next) {
      ready_.push_back({waiting_[place].ticket, slots_[slot]->answer});
      free_places_.push_back(place);
    }
    free_.push_back(slot);
  }

  bool scoring_;
  std::vector<Waiting> waiting_;
  std::vector<std::uint32_t> free_places_;  ///< of waiting_
  std::vector<Queue> queues_;               ///< by slot
  std::vector<FinishedAnswer> ready_;
  std::vector<FinishedCompletion> finished_;
  std::vector<std::uint32_t> held_;
  std::vector<std::uint64_t> priming_;
  std::exception_ptr problem_;   ///< for collect() to throw once everything that came is taken
  int exceptions_in_a_row_ = 0;  ///< of the model's collect()
  bool broken_ = false;          ///< the model broke its contract
};

}  // namespace icpi
