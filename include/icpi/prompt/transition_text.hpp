// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/prompt_lines.hpp"
#include "icpi/concepts/query_kind.hpp"
#include "icpi/core/export.hpp"

namespace icpi {

/// What a formatter makes of a transition. Every text passed check_lines, every answer check_answer.
struct TransitionText {
  std::string head;              ///< observation and action: what a query ends with
  std::string termination;       ///< answer
  std::string reward;            ///< answer
  std::string next_observation;  ///< answer
  std::string step;              ///< of a trajectory
};

/// Where answers end, by kind of query.
class StopStrings {
 public:
  /// Asks `formatter` once for each kind.
  template <StopsCompletions Formatter>
  explicit StopStrings(const Formatter& formatter) {
    for (const QueryKind kind : query_kinds) stops_[static_cast<std::size_t>(kind)] = formatter.stop(kind);
  }

  /// Of this kind.
  [[nodiscard]] const std::string& operator[](QueryKind kind) const noexcept {
    return stops_[static_cast<std::size_t>(kind)];
  }

 private:
  std::array<std::string, query_kinds.size()> stops_;
};

/// The beginning of a text of any bytes, in quotes and on one line, for messages.
[[nodiscard]] ICPI_API std::string excerpt(std::string_view text);

/// Throws InvalidArgument unless `text` is whole lines, none of them blank: prompts would fall apart elsewhere than
/// between examples. `what` names it.
ICPI_API void check_lines(std::string_view text, std::string_view what);

/// Throws InvalidArgument unless `text` is whole lines and ends at its first stop string: a part of it would pass for
/// an answer elsewhere.
ICPI_API void check_answer(std::string_view text, std::string_view stop, std::string_view what);

/// Writes a transition. Throws InvalidArgument, as check_lines and check_answer, when the formatter's texts would not
/// stay apart in prompts; passes on what the formatter throws.
template <Environment Env, PromptFormatter<Env> Formatter>
[[nodiscard]] TransitionText write_transition(const Formatter& formatter, const TransitionOf<Env>& transition,
                                              const StopStrings& stops) {
  TransitionText text;
  text.head = formatter.observation(transition.observation);
  check_answer(text.head, stops[QueryKind::observation], "an observation");
  const std::string action(formatter.action(transition.action));
  check_answer(action, stops[QueryKind::action], "an action");
  text.head += action;
  text.termination = formatter.termination(transition.terminated);
  check_answer(text.termination, stops[QueryKind::termination], "a termination");
  text.reward = formatter.reward(transition.reward);
  check_answer(text.reward, stops[QueryKind::reward], "a reward");
  text.next_observation = formatter.observation(transition.next_observation);
  check_answer(text.next_observation, stops[QueryKind::observation], "an observation");
  text.step = formatter.trajectory_step(transition);
  check_lines(text.step, "a trajectory's step");
  return text;
}

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/prompt/transition_text-inl.hpp"
#endif
