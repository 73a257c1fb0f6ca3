// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace icpi {

/// Length of a text in the model's tokens.
using TokenCounter = std::function<std::size_t(std::string_view)>;

/// When a prompt's examples are drawn.
enum class PromptMode : std::uint8_t {
  per_query,  ///< anew for every query, as in the paper: no two prompts share a prefix
  stable      ///< once; new experience is appended, so a model keeps what it computed for the prefix
};

/// How prompts are made. Defaults are the paper's.
struct PromptOptions {
  PromptMode mode = PromptMode::per_query;  ///< when examples are drawn
  /// Most tokens of a prompt; the completion comes on top. Room is kept for the longest observation and action seen; an
  /// imagined observation that is longer than any real one exceeds it. An observation that alone takes more than half of
  /// them is refused: no example would fit beside it.
  std::size_t context_tokens = 3800;
  std::size_t recency = 8;  ///< c: policy prompts show the last c trajectories
  bool balance = true;      ///< repeat examples of the smaller classes (terminations, rewards)
  bool constraints = true;  ///< examples of the same action and, for rewards, termination only
  /// `stable`: a prompt that no longer fits is drawn anew with this part of the room, so that it can grow again.
  double rebuild_fraction = 0.5;
  /// `stable`: policy prompts drawn per episode, used in turn by decisions and the steps of a rollout. With a single one
  /// an agent that returns to an observation would act as before, for ever.
  std::size_t policy_prompts = 4;
  /// Policy prompts show only trajectories whose undiscounted return is above this. Not set: all.
  std::optional<double> success_threshold{};
};

/// Tokens of a text for models that cannot count them: 0.38 a character, so that 3,800 tokens are 10,000 characters.
/// That is what the GPT-2 tokenizer makes of the paper's prompts.
[[nodiscard]] inline std::size_t estimated_tokens(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::ceil(0.38 * static_cast<double>(text.size())));
}

}  // namespace icpi
