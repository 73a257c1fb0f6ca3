// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/concepts/language_model.hpp"

namespace icpi::testing {

/// A model of no cost: it repeats, request by request, what another model answered when the same requests came in the
/// same order. Replaying allocates nothing.
template <LanguageModel Source>
class ReplayingModel {
 public:
  explicit ReplayingModel(Source source) : source_(std::move(source)) {}

  [[nodiscard]] std::string identity() const { return "replaying " + std::string(source_.identity()); }

  /// From now on asks the source and writes tape number `tape`.
  void record(std::size_t tape) {
    if (tapes_.size() <= tape) tapes_.resize(tape + 1);
    tape_ = &tapes_[tape];
    *tape_ = {};
    recording_ = true;
  }

  /// From now on answers from the beginning of tape number `tape`.
  void replay(std::size_t tape) {
    tape_ = &tapes_.at(tape);
    next_ = 0;
    recording_ = false;
  }

  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    if (recording_) {
      recorded_.resize(requests.size());
      source_.complete(requests, recorded_);
      next_ = tape_->ends.size();
      for (const auto& completion : recorded_) append(completion);
    }
    for (auto& completion : completions) answer(completion);
  }

  /// Memory of the tapes.
  [[nodiscard]] std::size_t bytes() const noexcept {
    std::size_t sum = tapes_.capacity() * sizeof(Tape) + recorded_.capacity() * sizeof(Completion);
    for (const auto& tape : tapes_) sum += tape.text.capacity() + tape.ends.capacity() * sizeof(std::size_t);
    for (const auto& completion : recorded_) sum += completion.text.capacity();
    return sum;
  }

 protected:
  void answer(Completion& completion) {
    if (next_ == tape_->ends.size()) throw std::logic_error("the tape is at its end: the requests have changed");
    const std::size_t begin = next_ == 0 ? 0 : tape_->ends[next_ - 1];
    completion.text.assign(tape_->text, begin, tape_->ends[next_] - begin);
    completion.finish = FinishReason::stop;
    completion.tokens.clear();
    completion.usage = {};
    completion.error.category = ErrorCategory::none;
    ++next_;
  }

 private:
  struct Tape {
    std::string text;
    std::vector<std::size_t> ends;
  };

  void append(const Completion& completion) {
    if (completion.finish != FinishReason::stop) throw std::logic_error("only complete answers are recorded");
    tape_->text += completion.text;
    tape_->ends.push_back(tape_->text.size());
  }

  Source source_;
  std::vector<Tape> tapes_;
  Tape* tape_ = nullptr;
  std::size_t next_ = 0;
  bool recording_ = false;
  std::vector<Completion> recorded_;  ///< the source's own memory: the caller's keeps its room
};

/// The same, asynchronous: answers come in the order of the submissions.
template <LanguageModel Source>
class SubmittedReplayingModel : public ReplayingModel<Source> {
 public:
  SubmittedReplayingModel(Source source, std::size_t concurrency)
      : ReplayingModel<Source>(std::move(source)), concurrency_(concurrency), waiting_(concurrency) {}

  [[nodiscard]] std::size_t concurrency() const noexcept { return concurrency_; }
  void cancel(Ticket) {}

  void submit(const CompletionRequest& request, Ticket ticket) {
    auto& slot = waiting_.at(count_++);
    slot.ticket = ticket;
    this->complete(std::span(&request, 1), std::span(&slot.completion, 1));
  }

  /// Everything that was submitted, or as much as fits.
  std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds) {
    const std::size_t taken = std::min(finished.size(), count_);
    for (std::size_t i = 0; i < taken; ++i) std::swap(finished[i], waiting_[i]);
    for (std::size_t i = taken; i < count_; ++i) std::swap(waiting_[i - taken], waiting_[i]);
    count_ -= taken;
    return taken;
  }

 private:
  std::size_t concurrency_;
  std::vector<FinishedCompletion> waiting_;
  std::size_t count_ = 0;
};

}  // namespace icpi::testing
