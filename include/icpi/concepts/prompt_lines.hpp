// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace icpi {

/// Whether a text is whole lines, at least one, and none of them blank. Such texts, one after another, never look like
/// the blank line between two examples.
[[nodiscard]] constexpr bool is_whole_lines(std::string_view text) noexcept {
  return !text.empty() && text.front() != '\n' && text.back() == '\n' && text.find("\n\n") == std::string_view::npos;
}

/// Whether the text ends in `stop`, which is not empty and occurs nowhere else in it: a completion that ends before its
/// first `stop` is then the whole of an answer, and never a part of one.
[[nodiscard]] constexpr bool stops_once(std::string_view text, std::string_view stop) noexcept {
  return !stop.empty() && text.size() >= stop.size() && text.find(stop) == text.size() - stop.size();
}

/// An answer as a completion has it: up to and without the stop string at its end.
[[nodiscard]] inline std::string_view without_stop(std::string_view answer, std::string_view stop) noexcept {
  return answer.ends_with(stop) ? answer.substr(0, answer.size() - stop.size()) : answer;
}

}  // namespace icpi
