// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "icpi/core/error.hpp"
#include "icpi/core/json_line.hpp"
#include "icpi/prompt/transition_text.hpp"

namespace icpi {

ICPI_INLINE std::string excerpt(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::string shown;
  append_json_string(text.substr(0, longest), shown);
  return text.size() > longest ? shown + "..." : shown;
}

ICPI_INLINE void check_lines(std::string_view text, std::string_view what) {
  if (is_whole_lines(text)) return;
  throw InvalidArgument(
      fmt::format("formatter: the text {} of {} must be whole lines, none of them blank", excerpt(text), what));
}

ICPI_INLINE void check_answer(std::string_view text, std::string_view stop, std::string_view what) {
  check_lines(text, what);
  if (stops_once(text, stop)) return;
  throw InvalidArgument(
      fmt::format("formatter: the text {} of {} must end in its stop string {}, and hold it only once", excerpt(text),
                  what, excerpt(stop)));
}

ICPI_INLINE void TransitionWriter::observation(std::string written) {
  check_answer(written, (*stops_)[QueryKind::observation], "an observation");
  text.head = std::move(written);
}

ICPI_INLINE void TransitionWriter::action(const std::string& written) {
  check_answer(written, (*stops_)[QueryKind::action], "an action");
  text.action_at = text.head.size();
  text.head += written;
}

ICPI_INLINE void TransitionWriter::termination(bool terminated, std::string written) {
  check_answer(written, (*stops_)[QueryKind::termination], "a termination");
  text.terminated = terminated;
  text.termination = std::move(written);
}

ICPI_INLINE void TransitionWriter::reward(std::string written) {
  check_answer(written, (*stops_)[QueryKind::reward], "a reward");
  text.reward = std::move(written);
}

ICPI_INLINE void TransitionWriter::next_observation(std::string written) {
  check_answer(written, (*stops_)[QueryKind::observation], "an observation");
  text.next_observation = std::move(written);
}

ICPI_INLINE void TransitionWriter::step(std::string written) {
  check_lines(written, "a trajectory's step");
  text.step = std::move(written);
}

ICPI_INLINE StopStrings::StopStrings(const StopStrings&) = default;
ICPI_INLINE StopStrings::StopStrings(StopStrings&&) noexcept = default;
ICPI_INLINE StopStrings& StopStrings::operator=(const StopStrings&) = default;
ICPI_INLINE StopStrings& StopStrings::operator=(StopStrings&&) noexcept = default;
ICPI_INLINE StopStrings::~StopStrings() = default;

ICPI_INLINE TransitionText::TransitionText() = default;
ICPI_INLINE TransitionText::TransitionText(const TransitionText&) = default;
ICPI_INLINE TransitionText::TransitionText(TransitionText&&) noexcept = default;
ICPI_INLINE TransitionText& TransitionText::operator=(const TransitionText&) = default;
ICPI_INLINE TransitionText& TransitionText::operator=(TransitionText&&) noexcept = default;
ICPI_INLINE TransitionText::~TransitionText() = default;

}  // namespace icpi
