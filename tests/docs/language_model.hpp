// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/error.hpp"

namespace skeletons {

/// Answers every request with one text, cut where the request says. Its tokens are letters.
class ConstantModel {
 public:
  explicit ConstantModel(std::string text) : text_(std::move(text)) {}

  // Name and settings that change its answers: the key under which caches keep them.
  [[nodiscard]] std::string identity() const { return "constant/" + text_; }

  // completions[i] answers requests[i] and depends on it alone. Every field is overwritten. A request that cannot be
  // honoured gets an error of its own; only misuse throws.
  void complete(std::span<const icpi::CompletionRequest> requests, std::span<icpi::Completion> completions) {
    if (requests.size() != completions.size()) throw icpi::InvalidArgument("ConstantModel: spans differ in length");
    for (std::size_t i = 0; i < requests.size(); ++i) answer(requests[i], completions[i]);
  }

 private:
  void answer(const icpi::CompletionRequest& request, icpi::Completion& completion) const {
    completion = {};
    if (!request.choices.empty() || request.want_logprobs || icpi::check_sampling(request.sampling)) {
      completion.error = {icpi::ErrorCategory::invalid_request, "ConstantModel: cannot honour this request", 0};
      return;
    }
    std::size_t end = text_.size();
    for (const std::string_view stop : request.stop) end = std::min(end, text_.find(stop));
    const auto most = static_cast<std::size_t>(request.sampling.max_tokens.value_or(100));
    completion.finish = end > most ? icpi::FinishReason::length : icpi::FinishReason::stop;
    completion.text = text_.substr(0, std::min(end, most));  // without the stop string
    completion.usage.prompt_tokens = request.prefix.text.size() + request.query.size();
    completion.usage.completion_tokens = completion.text.size();
  }

  std::string text_;
};

static_assert(icpi::LanguageModel<ConstantModel>);

}  // namespace skeletons
