// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/prompt_lines.hpp"
#include "icpi/concepts/query_kind.hpp"
#include "icpi/core/export.hpp"

namespace icpi {

/// What a formatter makes of a transition. Every text passed check_lines, every answer check_answer.
struct ICPI_API TransitionText {
  // Defined out of line, so that users' units need not make them.
  TransitionText();
  TransitionText(const TransitionText&);                 ///< a copy
  TransitionText(TransitionText&&) noexcept;             ///< takes over
  TransitionText& operator=(const TransitionText&);      ///< a copy
  TransitionText& operator=(TransitionText&&) noexcept;  ///< takes over
  ~TransitionText();

  std::string head;              ///< observation and action: what a query ends with
  std::size_t action_at = 0;     ///< where in `head` the action begins
  bool terminated = false;       ///< whether it ended
  double gained = 0;             ///< the reward itself
  std::string termination;       ///< answer
  std::string reward;            ///< answer
  std::string next_observation;  ///< answer
  std::string step;              ///< of a trajectory
};

/// Where answers end, by kind of query.
class ICPI_API StopStrings {
 public:
  // Defined out of line, so that users' units need not make them.
  StopStrings(const StopStrings&);                 ///< a copy
  StopStrings(StopStrings&&) noexcept;             ///< takes over
  StopStrings& operator=(const StopStrings&);      ///< a copy
  StopStrings& operator=(StopStrings&&) noexcept;  ///< takes over
  ~StopStrings();

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

/// Puts a transition's texts together, in this order. Every member throws InvalidArgument, as check_lines and
/// check_answer, when the text would not stay apart in prompts.
/// Thread-safety: one object by one thread at a time.
class ICPI_API TransitionWriter {
 public:
  /// `stops` must outlive the writer.
  explicit TransitionWriter(const StopStrings& stops) noexcept : stops_(&stops) {}

  void observation(std::string text);                   ///< what was seen
  void action(const std::string& text);                 ///< what was done
  void termination(bool terminated, std::string text);  ///< whether it ended
  void reward(std::string text);                        ///< what was gained
  void next_observation(std::string text);              ///< what was seen then
  void step(std::string text);                          ///< all of it, for trajectories

  TransitionText text;  ///< so far

 private:
  const StopStrings* stops_;
};

/// Writes a transition. Throws as TransitionWriter; passes on what the formatter throws.
template <Environment Env, PromptFormatter<Env> Formatter>
[[nodiscard]] TransitionText write_transition(const Formatter& formatter, const TransitionOf<Env>& transition,
                                              const StopStrings& stops) {
  TransitionWriter writer(stops);
  writer.observation(formatter.observation(transition.observation));
  writer.action(formatter.action(transition.action));
  writer.termination(transition.terminated, formatter.termination(transition.terminated));
  writer.reward(formatter.reward(transition.reward));
  writer.text.gained = transition.reward;
  writer.next_observation(formatter.observation(transition.next_observation));
  writer.step(formatter.trajectory_step(transition));
  return std::move(writer.text);
}

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/prompt/transition_text-inl.hpp"
#endif
