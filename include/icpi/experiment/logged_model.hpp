// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/error.hpp"
#include "icpi/experiment/run_part.hpp"
#include "icpi/models/any_language_model.hpp"
#include "icpi/models/completion_record.hpp"
#include "icpi/models/finished_queue.hpp"
#include "icpi/models/model_decorator.hpp"
#include "icpi/models/stop_on_failure.hpp"

namespace icpi {

/// What a LoggedModel does with failed answers.
enum class ModelFailures : std::uint8_t {
  /// It throws ModelFailure once what did arrive is recorded: nothing is decided on what the model did not say, and the
  /// run can be continued later.
  stop,
  /// They are recorded like others, and fail again when the run is played again. Throws all the same when a budget is
  /// used up, and when something is called off that the caller wants.
  record
};

/// Answers as another model does, and puts every answer into a run log before it is used. When a run is played again,
/// what the log has is answered from there and the model is not asked.
///
/// Thread-safety: one object by one thread at a time.
template <LanguageModel LM>
class LoggedModel : public ModelDecorator<LM> {
 public:
  /// `part` must outlive the model.
  LoggedModel(LM model, RunPart& part, ModelFailures failures = ModelFailures::stop)
      : ModelDecorator<LM>(std::move(model)), part_(&part), failures_(failures) {}

  /// See LanguageModel. Asynchronous models get the requests one by one, and every answer is recorded as it comes.
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    if (requests.size() != completions.size())
      throw InvalidArgument(
          fmt::format("LoggedModel::complete: {} requests but {} completions", requests.size(), completions.size()));
    missing_.clear();
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const auto request = fingerprint(requests[i]);
      if (!take(request, completions[i])) missing_.push_back({i, request});
    }
    if (missing_.size() < requests.size()) recall(requests);
    if (missing_.empty()) return;
    if (part_->is_decided()) part_->contradict("the model is asked what it was not asked");
    if (asynchronous()) {
      complete_one_by_one(requests, completions);
    } else {
      complete_together(requests, completions);
    }
  }

  /// See AsynchronousLanguageModel. When a decision is played again, what is not in the log was called off.
  void submit(const CompletionRequest& request, Ticket ticket)
    requires AsynchronousLanguageModel<LM>
  {
    Completion known;
    const auto print = fingerprint(request);
    if (take(print, known)) {
      ready_.push(ticket, std::move(known));
    } else if (part_->is_decided()) {
      known.error = {ErrorCategory::cancelled, "was called off when this was recorded", 0};
      ready_.push(ticket, std::move(known));
    } else {
      start(request, {print, ticket, nullptr, false});
    }
  }

  /// See AsynchronousLanguageModel.
  [[nodiscard]] std::size_t collect(std::span<FinishedCompletion> finished, std::chrono::milliseconds wait)
    requires AsynchronousLanguageModel<LM>
  {
    if (!asked_.empty()) receive(ready_.empty() ? wait : std::chrono::milliseconds::zero());
    return ready_.hand_over(finished);
  }

  /// See AsynchronousLanguageModel.
  void cancel(Ticket ticket)
    requires AsynchronousLanguageModel<LM>
  {
    for (auto& [inner, asked] : asked_) {
      if (asked.place != nullptr || asked.ticket != ticket) continue;
      asked.unwanted = true;
      return this->model_.cancel(inner);
    }
  }

  /// See AsynchronousLanguageModel.
  [[nodiscard]] std::size_t concurrency()
    requires AsynchronousLanguageModel<LM>
  {
    return this->model_.concurrency();
  }

  /// See ScoresContinuations. Recorded like completions.
  void score(std::span<const ScoreRequest> requests, std::span<Scores> scores)
    requires ScoresContinuations<LM>
  {
    missing_.clear();
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const auto request = fingerprint_of(requests[i]);
      if (const auto answer = part_->take_answer(request)) {
        scores[i] = read_scores(*answer);
      } else {
        missing_.push_back({i, request});
      }
    }
    if (missing_.empty()) return;
    if (part_->is_decided()) part_->contradict("the model is asked what it was not asked");
    std::vector<ScoreRequest> asked;
    for (const auto& each : missing_) asked.push_back(requests[each.place]);
    std::vector<Scores> answers(asked.size());
    this->model_.score(std::span<const ScoreRequest>(asked), std::span<Scores>(answers));
    begin_list();
    for (std::size_t i = 0; i < answers.size(); ++i) add_scores(missing_[i].request, answers[i]);
    end_list();
    for (std::size_t i = 0; i < answers.size(); ++i) scores[missing_[i].place] = std::move(answers[i]);
  }

 private:
  struct Missing {
    std::size_t place = 0;
    RequestFingerprint request;
  };
  struct Asked {
    RequestFingerprint request;
    Ticket ticket = 0;            ///< of the caller, who submitted it, or
    Completion* place = nullptr;  ///< of a running complete()
    bool unwanted = false;        ///< the caller called it off
  };

  [[nodiscard]] bool asynchronous() const {
    if constexpr (!AsynchronousLanguageModel<LM>) {
      return false;
    } else if constexpr (requires(const LM& model) { model.capabilities().asynchronous; }) {
      return this->model_.capabilities().asynchronous;
    } else {
      return true;
    }
  }

  bool take(const RequestFingerprint& request, Completion& completion) {
    const auto answer = part_->take_answer(request);
    if (answer) completion = detail::read_completion(*answer);
    return answer.has_value();
  }

  /// Lets the model keep what it would keep if it had answered: costs are then the same afterwards.
  void recall(std::span<const CompletionRequest> requests) {
    if constexpr (RecallsPrompts<LM>) this->model_.recall(requests);
  }

  void complete_together(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    if (missing_.size() == requests.size()) {
      this->model_.complete(requests, completions);
    } else {
      std::vector<CompletionRequest> asked;
      for (const auto& each : missing_) asked.push_back(requests[each.place]);
      std::vector<Completion> answers(asked.size());
      this->model_.complete(std::span<const CompletionRequest>(asked), std::span<Completion>(answers));
      for (std::size_t i = 0; i < answers.size(); ++i) completions[missing_[i].place] = std::move(answers[i]);
    }
    begin_list();
    for (const auto& each : missing_) add(each.request, completions[each.place], false);
    end_list();
  }

  void complete_one_by_one(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    if constexpr (AsynchronousLanguageModel<LM>) {
      places_left_ = 0;
      try {
        for (const auto& each : missing_) {
          start(requests[each.place], {each.request, 0, &completions[each.place], false});
          ++places_left_;
        }
        while (places_left_ > 0) receive(std::chrono::minutes(10));
      } catch (...) {
        failed_ = true;
        call_off();
        throw;
      }
    }
  }

  /// Requests and places end with complete(): nothing of it stays in flight, unless the model throws again and again.
  void call_off()
    requires AsynchronousLanguageModel<LM>
  {
    for (auto& [inner, asked] : asked_)
      if (asked.place != nullptr) this->model_.cancel(inner);
    constexpr int most_attempts = 8;
    for (int attempt = 0; places_left_ > 0 && attempt < most_attempts; ++attempt) {
      try {
        while (places_left_ > 0) receive(std::chrono::minutes(10));
      } catch (...) {  // the first exception says why
      }
    }
    std::erase_if(asked_, [](const auto& entry) { return entry.second.place != nullptr; });
  }

  void start(const CompletionRequest& request, const Asked& asked)
    requires AsynchronousLanguageModel<LM>
  {
    if (failed_) throw Error("LoggedModel: a model that has failed is asked");
    this->model_.submit(request, next_ticket_);
    asked_.emplace(next_ticket_++, asked);
  }

  /// Hands over first and throws afterwards: no ticket is lost. It throws at most once; then nothing is recorded any
  /// more, and callers collect what is in flight.
  void receive(std::chrono::milliseconds wait)
    requires AsynchronousLanguageModel<LM>
  {
    received_.resize(64);
    const std::size_t count = this->model_.collect(std::span<FinishedCompletion>(received_), wait);
    begin_list();
    for (std::size_t i = 0; i < count; ++i) {
      const auto node = asked_.extract(received_[i].ticket);
      if (node.empty()) continue;  // given up
      const Asked& asked = node.mapped();
      add(asked.request, received_[i].completion, asked.unwanted);
      if (asked.place == nullptr) {
        ready_.push(asked.ticket, std::move(received_[i].completion));
      } else {
        *asked.place = std::move(received_[i].completion);
        --places_left_;
      }
    }
    if (std::exchange(failed_, true)) return;
    end_list();
    failed_ = false;
  }

  [[nodiscard]] bool is_recorded(const CompletionError& error) const {
    if (!error) return true;
    return failures_ == ModelFailures::record && error.category != ErrorCategory::cancelled &&
           error.category != ErrorCategory::budget_exhausted;
  }

  void begin_list() {
    list_ = "[";
    obstacle_ = {};
  }

  void add(const RequestFingerprint& request, const Completion& completion, bool unwanted) {
    if (!is_recorded(completion.error)) {
      if (!unwanted) obstacle_ = completion.error;
      return;
    }
    JsonLine item;
    item.add("request", request.str());
    detail::add_completion(item, completion);
    add_item(item);
  }

  void add_scores(const RequestFingerprint& request, const Scores& scores) {
    if (!is_recorded(scores.error)) {
      obstacle_ = scores.error;
      return;
    }
    Completion rest;
    rest.usage = scores.usage;
    rest.error = scores.error;
    JsonLine item;
    item.add("request", request.str());
    item.add_list("logprobs", scores.logprobs, [](double logprob, std::string& out) {
      out += std::isfinite(logprob) ? fmt::format("{}", logprob) : "null";
    });
    detail::add_completion(item, rest);
    add_item(item);
  }

  static Scores read_scores(const Json& json) {
    Completion rest = detail::read_completion(json);
    Scores scores;
    scores.usage = rest.usage;
    scores.error = std::move(rest.error);
    for (const Json& logprob : json["logprobs"].array()) {
      const bool impossible = logprob.kind() == Json::Kind::null;
      scores.logprobs.push_back(impossible ? -std::numeric_limits<double>::infinity() : logprob.number());
    }
    return scores;
  }

  void add_item(const JsonLine& item) {
    if (list_.size() > 1) list_ += ',';
    list_ += item.str();
  }

  void end_list() {
    if (list_.size() > 1) part_->answered(list_ + ']');
    if (obstacle_) throw ModelFailure(obstacle_);
  }

  /// Another one than that of any completion: those have no such sample index.
  static RequestFingerprint fingerprint_of(const ScoreRequest& request) {
    CompletionRequest same;
    same.prefix = request.prefix;
    same.query = request.query;
    same.choices = request.continuations;
    same.sample_index = std::numeric_limits<std::uint32_t>::max();
    return fingerprint(same);
  }

  RunPart* part_;
  ModelFailures failures_;
  std::vector<Missing> missing_;
  std::string list_;
  CompletionError obstacle_;  ///< why the run cannot go on
  bool failed_ = false;       ///< an exception was thrown with requests in flight
  Ticket next_ticket_ = 1;
  std::unordered_map<Ticket, Asked> asked_;  ///< by the inner ticket
  std::size_t places_left_ = 0;              ///< of a running complete()
  detail::FinishedQueue ready_;
  std::vector<FinishedCompletion> received_;
};

}  // namespace icpi
