// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "icpi/concepts/rollout_model_ref.hpp"
#include "icpi/core/collect_rest.hpp"
#include "icpi/core/until.hpp"

namespace icpi {

/// Whether a question that got this answer at its attempt (from 0) is worth another of at most `attempts`.
[[nodiscard]] constexpr bool worth_another_attempt(const Answer& answer, std::uint32_t attempt, int attempts) noexcept {
  return answer.status != AnswerStatus::valid && answer.status != AnswerStatus::impossible && !answer.final &&
         static_cast<int>(attempt) + 1 < attempts;
}

/// Questions of one estimate on their way to a rollout model and back: the one way by which estimators ask. A model that
/// works in batches gets everything that was asked since, in one call; an asynchronous one gets each as soon as there is
/// room, and its answers pass in the order of their arrival.
///
/// start(), then run() of steps that exchange() and ask() again. Memory is kept from run to run.
/// Thread-safety: one object by one thread at a time.
class QuestionFlow {
 public:
  /// A run begins; the model must outlive it.
  void start(RolloutModelRef model, const Until& until) {
    until_ = until;
    model.limit(until);
    asynchronous_ = model.asynchronous();
    if (asynchronous_) finished_.resize(std::max<std::size_t>(1, model.concurrency()));
    batch_ = 1;
    forget();
  }

  /// Whether answers come one by one.
  [[nodiscard]] bool asynchronous() const noexcept { return asynchronous_; }
  /// Number of the batch that takes what is asked now, from 1; 0 where answers come one by one.
  [[nodiscard]] std::uint64_t batch() const noexcept { return asynchronous_ ? 0 : batch_; }
  /// Whether anything was asked that has no answer yet.
  [[nodiscard]] bool open() const noexcept { return sent_ < questions_.size() || in_flight_ > 0; }

  /// Puts a question, on behalf of `asker`.
  void ask(const Question& question, std::uint32_t asker) {
    questions_.push_back(question);
    askers_.push_back(asker);
  }
  /// The same for several: `put(questions)` appends them. Returns whether there were any.
  template <class Put>
  bool ask_for(std::uint32_t asker, Put&& put) {
    const std::size_t before = questions_.size();
    std::forward<Put>(put)(questions_);
    askers_.resize(questions_.size(), asker);
    return questions_.size() > before;
  }

  /// Sends what was asked, waits until something came or the time is up, and calls take(asker, question, answer) for it;
  /// asked again is only afterwards. `wanted(asker)`: whether a question that was not sent yet still has sense. Throws
  /// what the model throws.
  template <class Wanted, class Take>
  void exchange(RolloutModelRef model, Wanted&& wanted, Take&& take) {
    if (asynchronous_) return pass_on(model, wanted, take);
    answers_.assign(questions_.size(), Answer{});
    model.answer(questions_, answers_);
    for (std::size_t i = 0; i < questions_.size(); ++i) take(askers_[i], questions_[i], answers_[i]);
    ++batch_;
    forget();
  }

  /// Calls step() until it returns false or the time that start() was given is up, then cancels what is left, also when step() throws.
  template <class Step, class Dropped>
  void run(RolloutModelRef model, Step&& step, Dropped&& dropped) {
    try {
      while (!until_.over() && step()) {
      }
    } catch (...) {
      cancel(model, dropped);
      throw;
    }
    cancel(model, dropped);
  }

 private:
  /// Nobody waits for an answer any more: what is in flight is cancelled and collected, dropped(asker) for each of it.
  template <class Dropped>
  void cancel(RolloutModelRef model, Dropped&& dropped) {
    const std::size_t left = std::exchange(in_flight_, 0);
    bool told = false;
    if (left > 0) model.limit({});  // what was cancelled comes at once, however late it is
    collect_rest(left, [&] {
      if (!std::exchange(told, true)) model.cancel_all();
      const std::size_t came = model.collect(finished_);
      for (std::size_t i = 0; i < came; ++i) dropped(askers_[finished_[i].ticket]);
      return came;
    });
    if (left > 0) model.limit(until_);
    forget();
  }

 private:
  template <class Wanted, class Take>
  void pass_on(RolloutModelRef model, Wanted& wanted, Take& take) {
    for (; sent_ < questions_.size() && in_flight_ < model.concurrency() && !until_.over(); ++sent_) {
      if (!wanted(askers_[sent_])) continue;
      model.submit(questions_[sent_], sent_);
      ++in_flight_;
    }
    if (in_flight_ == 0) return;  // what was left had lost its sense, or the time is up
    const std::size_t came = model.collect(finished_);
    in_flight_ -= came;
    for (std::size_t i = 0; i < came; ++i) {
      const auto& [ticket, answer] = finished_[i];
      take(askers_[ticket], questions_[ticket], answer);
    }
  }

  void forget() {
    questions_.clear();
    askers_.clear();
    sent_ = 0;
    in_flight_ = 0;
  }

  std::vector<Question>
      questions_;  ///< of the batch; of the whole run where answers come one by one: tickets count them
  std::vector<std::uint32_t> askers_;
  std::vector<Answer> answers_;
  std::vector<FinishedAnswer> finished_;
  std::size_t sent_ = 0;       ///< where answers come one by one
  std::size_t in_flight_ = 0;  ///< submissions that were not collected yet
  std::uint64_t batch_ = 1;
  bool asynchronous_ = false;
  Until until_;
};

}  // namespace icpi
