// SPDX-License-Identifier: MIT
#include "icpi/experiment/logged_model.hpp"

#include <fmt/format.h>

#include <limits>
#include <optional>
#include <unordered_map>
#include <vector>

#include "experiment_answer_list.hpp"
#include "icpi/core/check_option.hpp"
#include "icpi/core/collect_rest.hpp"
#include "icpi/core/error.hpp"
#include "icpi/models/completion_record.hpp"
#include "icpi/models/finished_queue.hpp"

namespace icpi::detail {

namespace {

/// Its fingerprint is another one than that of any completion: those have no such sample index.
CompletionRequest like(const ScoreRequest& request) {
  CompletionRequest same;
  same.prefix = request.prefix;
  same.query = request.query;
  same.choices = request.continuations;
  same.sample_index = std::numeric_limits<std::uint32_t>::max();
  return same;
}

}  // namespace

class LoggedAnswers::Work {
 public:
  Work(RunPart& part, ModelFailures failures) : part_(&part), list_(failures) {}

  void complete(LanguageModelRef model, std::span<const CompletionRequest> requests,
                std::span<Completion> completions) {
    if (requests.size() != completions.size())
      throw InvalidArgument(
          fmt::format("LoggedModel::complete: {} requests but {} completions", requests.size(), completions.size()));
    missing_.clear();
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const auto request = fingerprints_.of(requests[i]);
      if (!take(request, completions[i])) missing_.push_back({i, request});
    }
    // The model keeps what it would keep if it had answered: costs are then the same afterwards.
    if (missing_.size() < requests.size()) model.recall(requests);
    if (missing_.empty()) return;
    if (part_->is_decided()) part_->contradict("the model is asked what it was not asked");
    if (model.capabilities().asynchronous) {
      complete_one_by_one(model, requests, completions);
    } else {
      complete_together(model, requests, completions);
    }
  }

  void submit(LanguageModelRef model, const CompletionRequest& request, Ticket ticket) {
    Completion known;
    const auto print = fingerprints_.of(request);
    if (take(print, known)) {
      ready_.push(ticket, std::move(known));
    } else if (part_->is_decided()) {
      known.error = {ErrorCategory::cancelled, "was cancelled when this was recorded", 0};
      ready_.push(ticket, std::move(known));
    } else {
      start(model, request, {print, ticket, nullptr, false});
    }
  }

  [[nodiscard]] std::size_t collect(LanguageModelRef model, std::span<FinishedCompletion> finished,
                                    std::chrono::milliseconds wait) {
    if (!asked_.empty()) receive(model, ready_.empty() ? wait : std::chrono::milliseconds::zero());
    return ready_.hand_over(finished);
  }

  void cancel(LanguageModelRef model, Ticket ticket) {
    for (auto& [inner, asked] : asked_) {
      if (asked.place != nullptr || asked.ticket != ticket) continue;
      asked.unwanted = true;
      return model.cancel(inner);
    }
  }

  void score(LanguageModelRef model, std::span<const ScoreRequest> requests, std::span<Scores> scores) {
    missing_.clear();
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const auto request = fingerprints_.of(like(requests[i]));
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
    model.score(asked, answers);
    list_.begin();
    for (std::size_t i = 0; i < answers.size(); ++i) list_.add(missing_[i].request, answers[i]);
    list_.end(*part_);
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
    bool unwanted = false;        ///< the caller cancelled it
  };

  bool take(const RequestFingerprint& request, Completion& completion) {
    const auto answer = part_->take_answer(request);
    if (answer) completion = read_answer(*answer).completion;
    return answer.has_value();
  }

  void complete_together(LanguageModelRef model, std::span<const CompletionRequest> requests,
                         std::span<Completion> completions) {
    if (missing_.size() == requests.size()) {
      model.complete(requests, completions);
    } else {
      std::vector<CompletionRequest> asked;
      for (const auto& each : missing_) asked.push_back(requests[each.place]);
      std::vector<Completion> answers(asked.size());
      model.complete(asked, answers);
      for (std::size_t i = 0; i < answers.size(); ++i) completions[missing_[i].place] = std::move(answers[i]);
    }
    list_.begin();
    for (const auto& each : missing_) list_.add(each.request, completions[each.place], false);
    list_.end(*part_);
  }

  void complete_one_by_one(LanguageModelRef model, std::span<const CompletionRequest> requests,
                           std::span<Completion> completions) {
    places_left_ = 0;
    try {
      for (const auto& each : missing_) {
        start(model, requests[each.place], {each.request, 0, &completions[each.place], false});
        ++places_left_;
      }
      while (places_left_ > 0) receive(model, std::chrono::minutes(10));
    } catch (...) {
      failed_ = true;
      cancel_rest(model);
      throw;
    }
  }

  /// Requests and places end with complete(): nothing of it stays in flight, unless the model throws again and again.
  void cancel_rest(LanguageModelRef model) {
    for (auto& [inner, asked] : asked_)
      if (asked.place != nullptr) try_cancel([&, ticket = inner] { model.cancel(ticket); });
    constexpr int most_attempts = 8;
    for (int attempt = 0; places_left_ > 0 && attempt < most_attempts; ++attempt) {
      try {
        while (places_left_ > 0) receive(model, std::chrono::minutes(10));
      } catch (...) {  // the first exception says why
      }
    }
    std::erase_if(asked_, [](const auto& entry) { return entry.second.place != nullptr; });
  }

  void start(LanguageModelRef model, const CompletionRequest& request, const Asked& asked) {
    if (failed_) throw Error("LoggedModel: a model that has failed is asked");
    model.submit(request, next_ticket_);
    asked_.emplace(next_ticket_++, asked);
  }

  /// Hands over first and throws afterwards: no ticket is lost. It throws at most once; then nothing is recorded any
  /// more, and callers collect what is in flight.
  void receive(LanguageModelRef model, std::chrono::milliseconds wait) {
    received_.resize(64);
    const std::size_t count = model.collect(received_, wait);
    list_.begin();
    for (std::size_t i = 0; i < count; ++i) {
      const auto node = asked_.extract(received_[i].ticket);
      if (node.empty()) continue;  // nobody waits for it
      const Asked& asked = node.mapped();
      list_.add(asked.request, received_[i].completion, asked.unwanted);
      if (asked.place == nullptr) {
        ready_.push(asked.ticket, std::move(received_[i].completion));
      } else {
        *asked.place = std::move(received_[i].completion);
        --places_left_;
      }
    }
    if (std::exchange(failed_, true)) return;
    list_.end(*part_);
    failed_ = false;
  }

  RunPart* part_;
  Fingerprints fingerprints_;
  std::vector<Missing> missing_;
  AnswerList list_;
  bool failed_ = false;  ///< an exception was thrown with requests in flight
  Ticket next_ticket_ = 1;
  std::unordered_map<Ticket, Asked> asked_;  ///< by the inner ticket
  std::size_t places_left_ = 0;              ///< of a running complete()
  FinishedQueue ready_;
  std::vector<FinishedCompletion> received_;
};

LoggedAnswers::LoggedAnswers(RunPart& part, ModelFailures failures) : work_(std::make_unique<Work>(part, failures)) {
  check_option(failures <= ModelFailures::record, "failures", static_cast<int>(failures), "stop, record");
}
LoggedAnswers::LoggedAnswers(LoggedAnswers&&) noexcept = default;
LoggedAnswers& LoggedAnswers::operator=(LoggedAnswers&&) noexcept = default;
LoggedAnswers::~LoggedAnswers() = default;

void LoggedAnswers::complete(LanguageModelRef model, std::span<const CompletionRequest> requests,
                             std::span<Completion> completions) {
  work_->complete(model, requests, completions);
}

void LoggedAnswers::submit(LanguageModelRef model, const CompletionRequest& request, Ticket ticket) {
  work_->submit(model, request, ticket);
}

std::size_t LoggedAnswers::collect(LanguageModelRef model, std::span<FinishedCompletion> finished,
                                   std::chrono::milliseconds wait) {
  return work_->collect(model, finished, wait);
}

void LoggedAnswers::cancel(LanguageModelRef model, Ticket ticket) { work_->cancel(model, ticket); }

void LoggedAnswers::score(LanguageModelRef model, std::span<const ScoreRequest> requests, std::span<Scores> scores) {
  work_->score(model, requests, scores);
}

}  // namespace icpi::detail
