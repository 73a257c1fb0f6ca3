// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "icpi/prompt/prompted_rollout_model.hpp"

namespace icpi {

/// Whether submissions to this model are worth while; asked at run time of models that know only then.
template <AsynchronousLanguageModel LM>
[[nodiscard]] bool is_asynchronous(const LM& model) {
  if constexpr (requires { model.capabilities().asynchronous; }) return model.capabilities().asynchronous;
  return true;
}

/// A prompted rollout model that also takes single questions, for language models that work on submissions: every
/// answer is passed on as soon as it is there. A question that equals one in flight waits for that one's answer.
template <AsynchronousLanguageModel LM, class Lane>
class SubmittingRolloutModel : public PromptedRolloutModel<LM, Lane> {
  using Base = PromptedRolloutModel<LM, Lane>;

 public:
  /// `model` must outlive this object.
  SubmittingRolloutModel(LM& model, const QueryOptions& options)
      : Base(model, options), scoring_(options.restrict_answers && !constrains_choices(model)) {}

  /// False for models that work in batches only, and when answers are chosen by scores.
  [[nodiscard]] bool asynchronous() const { return is_asynchronous(*this->model_) && !scoring_; }

  /// See AsynchronousRolloutModel.
  [[nodiscard]] std::size_t concurrency() const { return std::max<std::size_t>(1, this->model_->concurrency()); }

  /// See AsynchronousRolloutModel.
  void submit(const Question& question, std::uint64_t ticket) {
    Answer answer;
    bool added = false;
    const auto slot = this->route(question, answer, added);
    if (slot == AnswerMemo::Entry::none) {
      ready_.push_back({ticket, answer});
      return;
    }
    waiting_.push_back({slot, ticket});
    if (!added) return;
    this->write(this->slots_[slot], this->scratch_[0]);
    if (must_wait(slot)) {
      held_.push_back(slot);
    } else {
      send(slot);
    }
  }

  /// Waits until at least one submitted question has its answer.
  std::size_t collect(std::span<FinishedAnswer> out) {
    while (ready_.empty()) {
      if (finished_.size() < concurrency()) finished_.resize(concurrency());
      const std::size_t came = this->model_->collect(finished_, std::chrono::milliseconds(1000));
      for (std::size_t i = 0; i < came; ++i) take(finished_[i]);
    }
    const std::size_t count = std::min(out.size(), ready_.size());
    std::move(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(count), out.begin());
    ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
  }

  /// What is in flight is no longer wanted; it still has to be collected.
  void cancel_all() {
    for (const auto slot : std::exchange(held_, {})) {
      auto& completion = this->slots_[slot].completion;
      completion = {};
      completion.error = {ErrorCategory::cancelled, "no longer wanted", 0};
      deliver(slot);
    }
    for (const auto slot : in_flight_) this->model_->cancel(slot);
  }

 private:
  struct Waiting {
    std::uint32_t slot = 0;
    std::uint64_t ticket = 0;
  };

  /// Whether another request is just having this prefix computed.
  [[nodiscard]] bool must_wait(std::uint32_t slot) {
    const auto identity = this->slots_[slot].prefix.identity;
    if (!this->options_.prime_prefixes || identity == 0 || this->is_primed(identity)) return false;
    if (std::find(priming_.begin(), priming_.end(), identity) != priming_.end()) return true;
    priming_.push_back(identity);
    return false;
  }

  void send(std::uint32_t slot) {
    in_flight_.push_back(slot);
    this->model_->submit(this->request(this->slots_[slot]), slot);
  }

  void take(FinishedCompletion& finished) {
    const auto slot = static_cast<std::uint32_t>(finished.ticket);
    std::swap(this->slots_[slot].completion, finished.completion);
    in_flight_.erase(std::find(in_flight_.begin(), in_flight_.end(), slot));
    const auto identity = this->slots_[slot].prefix.identity;
    deliver(slot);
    if (std::erase(priming_, identity) > 0) {
      this->primed_.push_back(identity);
      const auto later = std::partition(held_.begin(), held_.end(), [&](std::uint32_t held) {
        return this->slots_[held].prefix.identity != identity;
      });
      for (auto held = later; held != held_.end(); ++held) send(*held);
      held_.erase(later, held_.end());
    }
  }

  /// Reads the slot's completion and passes the answer to everyone who waits for it.
  void deliver(std::uint32_t slot) {
    this->read(this->slots_[slot]);
    std::erase_if(waiting_, [&](const Waiting& waiting) {
      if (waiting.slot == slot) ready_.push_back({waiting.ticket, this->slots_[slot].answer});
      return waiting.slot == slot;
    });
    this->free_.push_back(slot);
  }

  bool scoring_;
  std::vector<Waiting> waiting_;
  std::vector<FinishedAnswer> ready_;
  std::vector<FinishedCompletion> finished_;
  std::vector<std::uint32_t> in_flight_;
  std::vector<std::uint32_t> held_;
  std::vector<std::uint64_t> priming_;
};

/// The rollout model that fits a language model.
template <LanguageModel LM, class Lane>
struct RolloutModelFor {
  using type = PromptedRolloutModel<LM, Lane>;  ///< the prompted rollout model
};
/// For models that take submissions.
template <AsynchronousLanguageModel LM, class Lane>
struct RolloutModelFor<LM, Lane> {
  using type = SubmittingRolloutModel<LM, Lane>;  ///< the prompted rollout model
};

}  // namespace icpi
