// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/prompt_lines.hpp"
#include "icpi/concepts/query_kind.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/json_line.hpp"

namespace icpi {

/// What a formatter makes of a transition. Every text passed check_lines, every answer check_answer.
struct TransitionText {
  std::string head;              ///< observation and action: what a query ends with
  std::string termination;       ///< answer
  std::string reward;            ///< answer
  std::string next_observation;  ///< answer
  std::string step;              ///< of a trajectory
};

/// The beginning of a text of any bytes, in quotes and on one line, for messages.
[[nodiscard]] inline std::string excerpt(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::string shown;
  append_json_string(text.substr(0, longest), shown);
  return text.size() > longest ? shown + "..." : shown;
}

/// Throws InvalidArgument unless `text` is whole lines, none of them blank: prompts would fall apart elsewhere than
/// between examples. `what` names it.
inline void check_lines(std::string_view text, std::string_view what) {
  if (is_whole_lines(text)) return;
  throw InvalidArgument(
      fmt::format("formatter: the text {} of {} must be whole lines, none of them blank", excerpt(text), what));
}

/// Throws InvalidArgument unless `text` is whole lines and ends at its first stop string: a part of it would pass for
/// an answer elsewhere.
inline void check_answer(std::string_view text, std::string_view stop, std::string_view what) {
  check_lines(text, what);
  if (stops_once(text, stop)) return;
  throw InvalidArgument(
      fmt::format("formatter: the text {} of {} must end in its stop string {}, and hold it only once", excerpt(text),
                  what, excerpt(stop)));
}

/// Writes a transition. Throws InvalidArgument, as check_lines and check_answer, when the formatter's texts would not
/// stay apart in prompts; passes on what the formatter throws.
template <Environment Env, PromptFormatter<Env> Formatter>
[[nodiscard]] TransitionText write_transition(const Formatter& formatter, const TransitionOf<Env>& transition) {
  TransitionText text;
  text.head = formatter.observation(transition.observation);
  check_answer(text.head, formatter.stop(QueryKind::observation), "an observation");
  const std::string action(formatter.action(transition.action));
  check_answer(action, formatter.stop(QueryKind::action), "an action");
  text.head += action;
  text.termination = formatter.termination(transition.terminated);
  check_answer(text.termination, formatter.stop(QueryKind::termination), "a termination");
  text.reward = formatter.reward(transition.reward);
  check_answer(text.reward, formatter.stop(QueryKind::reward), "a reward");
  text.next_observation = formatter.observation(transition.next_observation);
  check_answer(text.next_observation, formatter.stop(QueryKind::observation), "an observation");
  text.step = formatter.trajectory_step(transition);
  check_lines(text.step, "a trajectory's step");
  return text;
}

}  // namespace icpi
