// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "icpi/concepts/language_model.hpp"

namespace icpi::http {

/// What was taken away from a chat answer before it was read.
struct Cleaning {
  bool blanks = false;       ///< newlines, and blanks at the beginning of a line
  bool fence = false;        ///< a code fence around the answer, with words around it perhaps
  bool quotes = false;       ///< quotation or emphasis marks around the answer
  bool repetition = false;   ///< the last lines of the prompt, once more
  bool explanation = false;  ///< what came after the answer
  bool stopped = false;      ///< a stop string ended it, as it was asked for

  [[nodiscard]] bool any() const noexcept { return blanks || fence || quotes || repetition || explanation; }
};

/// The parts of what a chat model wrote.
struct ChatText {
  std::string thought;      ///< what stood in <think>
  std::string answer;       ///< the rest
  bool unfinished = false;  ///< the text ends within the thought
};

/// Takes a thought (`<think>` or `<thinking>`, which may have begun in the prompt) off the beginning.
[[nodiscard]] ChatText split_thought(std::string_view text);

/// The inside of a code fence around the text, if there is one, without blanks and newlines at its ends.
[[nodiscard]] std::string_view without_fence(std::string_view text);

/// What chat models put around a continuation is taken away, in this order: newlines and blanks in front; a code fence;
/// where what is inside begins with the word that an example's answer begins with, and the text with none such, the
/// words around the only code fence, or one pair of marks (`"`, `'`, "`", `**`) around all; what repeats the prompt: all
/// of it, the question's last lines, or its last examples with the question; the beginning of the line in which the
/// prompt breaks off; what follows the first stop string, also one whose last newline is missing; blanks at the end.
/// Blanks in front stay where the prompt ends within a line.
[[nodiscard]] std::string clean_answer(std::string_view answer, const CompletionRequest& request, Cleaning& cleaning);

}  // namespace icpi::http
