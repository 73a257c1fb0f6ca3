// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/replay_buffer.hpp"

namespace icpi {

/// Length of a text in the model's tokens.
using TokenCounter = std::function<std::size_t(std::string_view)>;

/// A text inside a common store.
struct TextPiece {
  std::size_t offset = 0;    ///< where it begins
  std::uint32_t length = 0;  ///< in bytes
  std::uint32_t tokens = 0;  ///< in the model's units
};

/// Every transition of a buffer as text: rendered and counted once, when it arrives. Prompts are copied together from
/// these pieces. Thread-safety: const members may be called concurrently.
class RenderedTransitions {
 public:
  /// `count_tokens` counts in the units of the model.
  explicit RenderedTransitions(TokenCounter count_tokens) : count_tokens_(std::move(count_tokens)) {}

  /// Renders the next transition: a complete example of each kind of world-model query, and one step of a trajectory.
  template <class Formatter, class Env>
    requires PromptFormatter<Formatter, Env>
  void add(const Formatter& formatter, const TransitionOf<Env>& transition) {
    const std::string head =
        std::string(formatter.observation(transition.observation)) + std::string(formatter.action(transition.action));
    longest_query_ = std::max(longest_query_, count_tokens_(head));
    heads_.insert(head);
    pieces_.push_back({store(head + std::string(formatter.termination(transition.terminated)) + '\n'),
                       store(head + std::string(formatter.reward(transition.reward)) + '\n'),
                       store(head + std::string(formatter.observation(transition.next_observation)) + '\n'),
                       store(std::string(formatter.trajectory_step(transition)))});
  }

  /// Transitions rendered.
  [[nodiscard]] std::size_t size() const noexcept { return pieces_.size(); }

  /// The example of a world-model query (observation, action, answer, blank line), or for QueryKind::action the step.
  [[nodiscard]] const TextPiece& piece(QueryKind kind, TransitionId id) const {
    const auto& pieces = pieces_[id];
    switch (kind) {
      case QueryKind::termination: return pieces.termination;
      case QueryKind::reward: return pieces.reward;
      case QueryKind::observation: return pieces.observation;
      case QueryKind::action: break;
    }
    return pieces.step;
  }

  /// Valid until the next addition.
  [[nodiscard]] std::string_view text(const TextPiece& piece) const noexcept {
    return {text_.data() + piece.offset, piece.length};
  }

  /// Whether a transition begins with this observation and action.
  [[nodiscard]] bool seen(const std::string& head) const { return heads_.contains(head); }

  /// Tokens of the longest observation with action seen: what a prompt keeps free for its query.
  [[nodiscard]] std::size_t longest_query() const noexcept { return longest_query_; }

 private:
  struct Pieces {
    TextPiece termination, reward, observation, step;
  };

  TextPiece store(std::string_view text) {
    const TextPiece piece{text_.size(), static_cast<std::uint32_t>(text.size()),
                          static_cast<std::uint32_t>(count_tokens_(text))};
    text_.append(text);
    return piece;
  }

  TokenCounter count_tokens_;
  std::string text_;
  std::vector<Pieces> pieces_;
  std::unordered_set<std::string> heads_;
  std::size_t longest_query_ = 0;
};

}  // namespace icpi
