// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "icpi/concepts/language_model.hpp"
#include "icpi/concepts/rollout_model.hpp"
#include "icpi/core/random.hpp"
#include "icpi/prompt/prompt_state.hpp"

namespace icpi {

/// Draws one of the scored continuations with probability proportional to exp(logprob / temperature), as if the model
/// had completed with it.
inline void choose(const Scores& scores, std::span<const std::string_view> choices, double temperature,
                   std::uint64_t seed, Completion& completion) {
  completion.usage = scores.usage;
  completion.tokens.clear();
  completion.error = scores.error;
  completion.text.clear();
  completion.finish = FinishReason::error;
  if (scores.error || scores.logprobs.size() != choices.size()) return;
  const double best = *std::max_element(scores.logprobs.begin(), scores.logprobs.end());
  const auto weight = [&](double logprob) {
    if (temperature == 0) return logprob == best ? 1.0 : 0.0;
    return logprob == best ? 1.0 : std::exp((logprob - best) / temperature);
  };
  double total = 0;
  for (const double logprob : scores.logprobs) total += weight(logprob);
  double left = RandomStream(RandomKey(seed)).uniform() * total;
  std::size_t chosen = 0;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (weight(scores.logprobs[i]) == 0) continue;
    chosen = i;
    left -= weight(scores.logprobs[i]);
    if (left < 0) break;
  }
  completion.text.assign(choices[chosen]);
  completion.finish = FinishReason::stop;
}

/// Whether a failure of this category may be gone when the same request is sent again.
[[nodiscard]] constexpr bool passes(ErrorCategory category) noexcept {
  return category == ErrorCategory::transport || category == ErrorCategory::timeout ||
         category == ErrorCategory::rate_limited;
}

/// Reads a completion as the answer to a question of this kind. A completion that was cut off is no answer, nor one that
/// goes on past its stop string, whatever the formatter thinks of it; predicted observations must be fit for prompts:
/// see PromptBook::admits. `text` is working memory.
[[nodiscard]] inline Answer read_answer(PromptState& state, QueryKind kind, const Completion& completion,
                                        std::string& text) {
  Answer answer;
  if (completion.error) {
    answer.status = AnswerStatus::failed;
    answer.final = !passes(completion.error.category);
    return answer;
  }
  if (completion.finish != FinishReason::stop) return answer;
  const std::string& stop = state.book.stop(kind);
  if (completion.text.find(stop) != std::string::npos) return answer;
  const PromptSource& source = *state.source;
  bool valid = false;
  switch (kind) {
    case QueryKind::termination:
      if (const auto terminated = source.read_termination(completion.text)) {
        answer.terminated = *terminated;
        valid = true;
      }
      break;
    case QueryKind::reward:
      if (const auto reward = source.read_reward(completion.text); reward && std::isfinite(*reward)) {
        answer.reward = *reward;
        valid = true;
      }
      break;
    case QueryKind::observation:
      if (source.accepts_observation(completion.text)) {
        text.assign(completion.text).append(stop);
        valid = state.book.admits(text);
        if (valid) answer.observation = state.observations.intern(text);
      }
      break;
    case QueryKind::action:
      if (const auto action = source.read_action(completion.text)) {
        answer.action = *action;
        valid = true;
      }
      break;
  }
  if (valid) answer.status = AnswerStatus::valid;
  return answer;
}

}  // namespace icpi
