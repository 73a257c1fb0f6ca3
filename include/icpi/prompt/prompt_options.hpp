// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "icpi/core/export.hpp"
#include "icpi/prompt/example_selection.hpp"
#include "icpi/prompt/trajectory_selection.hpp"

namespace icpi {

/// Length of a text in the model's tokens.
using TokenCounter = std::function<std::size_t(std::string_view)>;

/// The recommended strategies: what PromptOptions begin with.
namespace recommended {
/// AppendOnlyExamples{.rebuild_fraction = 0.8, .balance_chance = false, .growth = 0.1}
[[nodiscard]] ICPI_API ExampleSelection examples();
[[nodiscard]] ICPI_API TrajectorySelection trajectories();  ///< LastTrajectories{}
}  // namespace recommended

/// How termination, reward and next observation of an imagined step are asked for.
enum class TransitionQuestions : std::uint8_t {
  separate,  ///< by a question each, as in the paper
  /// By one question, whose answer is all three in this order, each as in an answer of its own; a terminal one ends after
  /// the reward. Examples are whole transitions, balanced by termination, and by reward within each: little more than a third
  /// of the calls, and one prompt an action in place of four. An example is longer, so fewer find room.
  whole
};

/// How prompts are made. Defaults are the recommended set; paper_options() has the paper's.
struct PromptOptions {
  ExampleSelection examples = recommended::examples();             ///< what world-model prompts show
  TrajectorySelection trajectories = recommended::trajectories();  ///< what policy prompts draw from
  /// Most tokens of a prompt; the completion comes on top. Many, since what a coin pays is a matter of
  /// many examples: a model that reads fewer needs fewer, one that is paid by the token may do with 3,800. Room is kept for the longest observation and action seen; an
  /// imagined observation that is longer than any real one exceeds it. An observation that alone takes more than half of
  /// them is refused: no example would fit beside it.
  std::size_t context_tokens = 12000;
  bool constraints = true;  ///< examples of the same action and, for rewards, termination only
  TransitionQuestions transition_questions = TransitionQuestions::separate;  ///< how many questions a step takes
  /// What there is to do, for the model to read first: every prompt begins with it, then a blank line. Whole lines, none of
  /// them blank, without the last newline; at most half of context_tokens. Empty, as in the paper: nothing is said.
  std::string task{};

  /// All that changes prompts, in one line.
  [[nodiscard]] ICPI_API std::string description() const;

  friend bool operator==(const PromptOptions&, const PromptOptions&) = default;
};

/// Tokens of a text for models that cannot count them: 0.38 a character, so that 3,800 tokens are 10,000 characters.
/// That is what the GPT-2 tokenizer makes of the paper's prompts.
[[nodiscard]] ICPI_API std::size_t estimated_tokens(std::string_view text) noexcept;

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/prompt/prompt_options-inl.hpp"
#endif
