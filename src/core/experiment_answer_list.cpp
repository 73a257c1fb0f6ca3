// SPDX-License-Identifier: MIT
#include "experiment_answer_list.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

#include "icpi/models/stop_on_failure.hpp"

namespace icpi::detail {

void AnswerList::begin() {
  list_ = "[";
  obstacle_ = {};
}

void AnswerList::add(const RequestFingerprint& request, const Completion& completion, bool unwanted) {
  if (!is_recorded(completion.error)) {
    if (!unwanted) obstacle_ = completion.error;
    return;
  }
  add_item(answer_line(request, completion));
}

void AnswerList::add(const RequestFingerprint& request, const Scores& scores) {
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
  add_completion(item, rest);
  add_item(item);
}

void AnswerList::end(RunPart& part) {
  if (list_.size() > 1) part.answered(list_ + ']');
  if (obstacle_) throw ModelFailure(obstacle_);
}

bool AnswerList::is_recorded(const CompletionError& error) const {
  if (!error) return true;
  return failures_ == ModelFailures::record && error.category != ErrorCategory::cancelled &&
         error.category != ErrorCategory::budget_exhausted;
}

void AnswerList::add_item(const JsonLine& item) {
  if (list_.size() > 1) list_ += ',';
  list_ += item.str();
}

Scores read_scores(const Json& json) {
  Completion rest = read_answer(json).completion;
  Scores scores;
  scores.usage = rest.usage;
  scores.error = std::move(rest.error);
  for (const Json& logprob : json["logprobs"].array()) {
    const bool impossible = logprob.kind() == Json::Kind::null;
    scores.logprobs.push_back(impossible ? -std::numeric_limits<double>::infinity() : logprob.number());
  }
  return scores;
}

}  // namespace icpi::detail
