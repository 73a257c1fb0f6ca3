// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/models/scripted.hpp"
#include "icpi/prompt/prompt_options.hpp"

namespace icpi {

static_assert(LanguageModel<ScriptedModel>);

ICPI_INLINE ScriptedModel::ScriptedModel(Script script) : script_(std::move(script)) {
  if (!script_) throw InvalidArgument("ScriptedModel: there is no script");
}

ICPI_INLINE ScriptedModel::ScriptedModel(std::vector<std::pair<std::string, std::string>> answers)
    : ScriptedModel([known = std::map<std::string, std::string, std::less<>>(std::move_iterator(answers.begin()),
                                                                             std::move_iterator(answers.end()))](
                        const CompletionRequest& request) {
        const auto found = known.find(request.query);
        if (found != known.end()) return answer(found->second);
        return failure(ErrorCategory::invalid_request, "the script has no answer to this query");
      }) {}

ICPI_INLINE Completion ScriptedModel::answer(std::string text) {
  Completion completion;
  completion.text = std::move(text);
  completion.finish = FinishReason::stop;
  return completion;
}

ICPI_INLINE Completion ScriptedModel::failure(ErrorCategory category, std::string message, double retry_after_seconds) {
  Completion completion;
  completion.error = {category, std::move(message), retry_after_seconds};
  return completion;
}

ICPI_INLINE void ScriptedModel::complete(std::span<const CompletionRequest> requests,
                                         std::span<Completion> completions) {
  if (requests.size() != completions.size())
    throw InvalidArgument(
        fmt::format("ScriptedModel::complete: {} requests but {} completions", requests.size(), completions.size()));
  ++batches_;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    ++calls_;
    completions[i] = script_(requests[i]);
    finish(requests[i], completions[i]);
  }
}

ICPI_INLINE void ScriptedModel::finish(const CompletionRequest& request, Completion& completion) {
  if (!completion.error && !request.choices.empty())
    completion = failure(ErrorCategory::invalid_request, "scripted: choices are not supported");
  if (!completion.error && request.want_logprobs && completion.tokens.empty())
    completion = failure(ErrorCategory::invalid_request, "scripted: the script gave no logprobs");
  if (!completion.error) completion.error = check_sampling(request.sampling);
  if (completion.error) {
    completion.finish = FinishReason::error;
    completion.text.clear();
    completion.tokens.clear();
    return;
  }
  cut(request, completion);
  completion.usage.prompt_tokens = estimated_tokens(request.prefix.text) + estimated_tokens(request.query);
  completion.usage.completion_tokens = estimated_tokens(completion.text);
}

ICPI_INLINE void ScriptedModel::cut(const CompletionRequest& request, Completion& completion) {
  std::size_t end = completion.text.size();
  for (const std::string_view stop : request.stop) {
    if (!stop.empty()) end = std::min(end, completion.text.find(stop));
  }
  if (end < completion.text.size()) {
    completion.text.resize(end);
    completion.finish = FinishReason::stop;
  }
  if (!request.sampling.max_tokens) return;
  const auto limit = static_cast<std::size_t>(std::max(0, *request.sampling.max_tokens));
  if (estimated_tokens(completion.text) <= limit) return;
  while (estimated_tokens(completion.text) > limit) completion.text.pop_back();
  completion.finish = FinishReason::length;
}

}  // namespace icpi
