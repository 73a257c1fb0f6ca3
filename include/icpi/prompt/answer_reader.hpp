// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
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

/// Reads `written`, which has no stop string, into the answer's field for this kind; whether it could be read. Predicted
/// observations must be fit for prompts: see PromptBook::admits. `text` is working memory.
[[nodiscard]] inline bool read_part(PromptState& state, QueryKind kind, std::string_view written, Answer& answer,
                                    std::string& text) {
  const PromptSource& source = *state.source;
  switch (kind) {
    case QueryKind::termination:
      if (const auto terminated = source.read_termination(written)) {
        answer.terminated = *terminated;
        return true;
      }
      break;
    case QueryKind::reward:
      if (const auto reward = source.read_reward(written); reward && std::isfinite(*reward)) {
        answer.reward = *reward;
        return true;
      }
      break;
    case QueryKind::observation:
      if (source.accepts_observation(written)) {
        text.assign(written).append(state.book.stop(kind));
        if (!state.book.admits(text)) break;
        answer.observation = state.observations.intern(text);
        return true;
      }
      break;
    case QueryKind::action:
      if (const auto action = source.read_action(written)) {
        answer.action = *action;
        return true;
      }
      break;
    case QueryKind::transition: break;
  }
  return false;
}

/// Takes what ends in `stop` off the front of `left` and returns it without. `ended`: a newline that was part of the
/// completion's stop string belongs to the end of `left`. nullopt: nothing ends so.
[[nodiscard]] inline std::optional<std::string_view> take_part(std::string_view& left, std::string_view stop,
                                                               bool ended) {
  if (const auto end = left.find(stop); end != std::string_view::npos) {
    const std::string_view part = left.substr(0, end);
    left.remove_prefix(end + stop.size());
    return part;
  }
  stop.remove_suffix(1);
  if (!ended || left.empty() || !left.ends_with(stop)) return std::nullopt;
  const std::string_view part = left.substr(0, left.size() - stop.size());
  left = {};
  return part;
}

/// Reads a whole transition: termination, reward and, if it goes on, the next observation, each up to its stop string. It
/// ends at the first that cannot be read; what follows the last is not read. `restricted`: only known terminations and
/// rewards will do.
[[nodiscard]] inline Answer read_transition(PromptState& state, const Completion& completion, bool restricted,
                                            std::string& text) {
  Answer answer;
  std::string_view left = completion.text;
  for (const QueryKind kind : {QueryKind::termination, QueryKind::reward, QueryKind::observation}) {
    if (kind == QueryKind::observation && answer.terminated) break;
    const auto part = take_part(left, state.book.stop(kind), completion.finish == FinishReason::stop);
    if (!part) return answer;
    const auto known = state.book.known_answers(kind);
    if (restricted && !known.empty() && std::find(known.begin(), known.end(), *part) == known.end()) return answer;
    if (!read_part(state, kind, *part, answer, text)) return answer;
    ++answer.parts;
  }
  answer.status = AnswerStatus::valid;
  return answer;
}

/// Reads a completion as the answer to a question of this kind. A completion that was cut off is no answer, except where a
/// transition was whole before; nor one that goes on past its stop string, whatever the formatter thinks of it.
/// `restricted`: see read_transition. `text` is working memory.
[[nodiscard]] inline Answer read_answer(PromptState& state, QueryKind kind, const Completion& completion,
                                        std::string& text, bool restricted = false) {
  Answer answer;
  if (completion.error) {
    answer.status = AnswerStatus::failed;
    answer.final = !passes(completion.error.category);
    return answer;
  }
  if (completion.text.find(state.book.stop(kind)) != std::string::npos) return answer;
  if (kind == QueryKind::transition && completion.finish != FinishReason::error)
    return read_transition(state, completion, restricted, text);
  if (completion.finish == FinishReason::stop && read_part(state, kind, completion.text, answer, text))
    answer.status = AnswerStatus::valid;
  return answer;
}

}  // namespace icpi
