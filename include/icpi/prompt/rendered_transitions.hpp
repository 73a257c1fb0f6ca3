// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "icpi/concepts/history.hpp"
#include "icpi/concepts/replay_buffer.hpp"
#include "icpi/core/prompt_text.hpp"
#include "icpi/prompt/prompt_options.hpp"
#include "icpi/prompt/prompt_writer.hpp"
#include "icpi/prompt/transition_text.hpp"

namespace icpi {

/// A text inside a common store: an example, or a step of a trajectory.
struct TextPiece {
  std::size_t offset = 0;        ///< where it begins
  std::uint32_t length = 0;      ///< in bytes
  std::uint32_t tokens = 0;      ///< in the model's units
  std::uint32_t answer = 0;      ///< where in it the answer begins
  std::uint32_t answer_end = 0;  ///< and ends; 0: it has none
};

/// A transition on its way into the store: written, checked and counted.
struct RenderedTransition {
  /// A text with its length in the model's units.
  struct Counted {
    std::string text;            ///< what it says
    std::size_t tokens = 0;      ///< of `text`
    std::size_t answer = 0;      ///< where in it the answer begins
    std::size_t answer_end = 0;  ///< and ends; 0: it has none
  };
  Counted head;             ///< observation and action
  Counted termination;      ///< example
  Counted reward;           ///< example
  Counted observation;      ///< example
  Counted step;             ///< of a trajectory
  std::string reward_text;  ///< the answer alone
};

/// Every transition of a buffer as text: rendered and counted once, when it arrives. Prompts are copied together from
/// these pieces. Thread-safety: const members may be called concurrently.
class RenderedTransitions {
 public:
  /// `count_tokens` counts in the units of the model.
  explicit RenderedTransitions(TokenCounter count_tokens) : count_tokens_(std::move(count_tokens)) {}

  /// Makes the texts into a complete example of each kind of world-model query, and one step of a trajectory.
  [[nodiscard]] RenderedTransition render(TransitionText text) const {
    RenderedTransition rendered;
    rendered.termination = example(text.head, text.termination);
    rendered.reward = example(text.head, text.reward);
    rendered.observation = example(text.head, text.next_observation);
    rendered.step = counted(std::move(text.step));
    // A formatter that writes steps in another way leaves them without borders.
    if (rendered.step.text.starts_with(text.head)) {
      rendered.step.answer = text.action_at;
      rendered.step.answer_end = text.head.size();
    }
    rendered.head = counted(std::move(text.head));
    rendered.reward_text = std::move(text.reward);
    return rendered;
  }

  /// Takes in the next transition.
  void add(RenderedTransition&& next) {
    longest_query_ = std::max(longest_query_, next.head.tokens);
    const std::size_t head = next.head.text.size();
    pieces_.push_back({store(next.termination), store(next.reward), store(next.observation), store(next.step)});
    Outcomes& outcomes = heads_[std::move(next.head.text)];
    ++outcomes.times;
    outcomes.add(QueryKind::termination, std::string_view(next.termination.text).substr(head));
    outcomes.add(QueryKind::reward, std::string_view(next.reward.text).substr(head));
    outcomes.add(QueryKind::observation, std::string_view(next.observation.text).substr(head));
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

  /// Observation and action of a transition, as they are asked about. Valid until the next addition.
  [[nodiscard]] std::string_view question(TransitionId id) const noexcept {
    const TextPiece& example = pieces_[id].termination;
    return text(example).substr(0, example.answer);
  }

  /// Appends an example to a prompt, and says where it stands.
  void append(const TextPiece& piece, std::string& out, std::vector<PromptExample>& examples) const {
    const auto begin = static_cast<std::uint32_t>(out.size());
    examples.push_back({begin, begin + piece.answer, begin + piece.answer_end});
    out.append(text(piece));
  }

  /// Appends an example to a prompt that is written.
  void append(const TextPiece& piece, PromptWriter& out) const {
    const std::uint32_t begin = out.size();
    out.mark({begin, begin + piece.answer, begin + piece.answer_end});
    out.add(text(piece));
  }

  /// Whether a transition begins with this observation and action.
  [[nodiscard]] bool seen(const std::string& head) const { return heads_.contains(head); }

  /// What came of transitions that begin so.
  [[nodiscard]] OutcomeCounts outcomes(const std::string& head) const {
    const auto found = heads_.find(head);
    return found == heads_.end() ? OutcomeCounts{} : found->second.counts();
  }

  /// Tokens of the longest observation with action seen: what a prompt keeps free for its query.
  [[nodiscard]] std::size_t longest_query() const noexcept { return longest_query_; }

 private:
  struct Pieces {
    TextPiece termination, reward, observation, step;
  };

  /// What came of one observation and action: the different answers, as hashes that end in their kind.
  struct Outcomes {
    std::size_t times = 0;
    std::vector<std::size_t> different;

    void add(QueryKind kind, std::string_view answer) {
      const std::size_t hash = std::hash<std::string_view>()(answer) << 2U | static_cast<std::size_t>(kind);
      if (std::find(different.begin(), different.end(), hash) == different.end()) different.push_back(hash);
    }

    [[nodiscard]] OutcomeCounts counts() const {
      OutcomeCounts counts{times, 0, 0, 0};
      for (const std::size_t hash : different) {
        const auto kind = static_cast<QueryKind>(hash & 3U);
        auto& count = kind == QueryKind::termination ? counts.terminations
                      : kind == QueryKind::reward    ? counts.rewards
                                                     : counts.observations;
        ++count;
      }
      return counts;
    }
  };

  [[nodiscard]] RenderedTransition::Counted counted(std::string text) const {
    const std::size_t tokens = count_tokens_(text);
    return {std::move(text), tokens};
  }

  [[nodiscard]] RenderedTransition::Counted example(const std::string& head, const std::string& answer) const {
    auto result = counted(head + answer + '\n');
    result.answer = head.size();
    result.answer_end = head.size() + answer.size();
    return result;
  }

  /// What no prompt has room for may count as less.
  static std::uint32_t narrow(std::size_t size) {
    return static_cast<std::uint32_t>(std::min<std::size_t>(size, std::numeric_limits<std::uint32_t>::max()));
  }

  TextPiece store(const RenderedTransition::Counted& part) {
    const TextPiece piece{text_.size(), narrow(part.text.size()), narrow(part.tokens), narrow(part.answer),
                          narrow(part.answer_end)};
    text_.append(part.text);
    return piece;
  }

  TokenCounter count_tokens_;
  std::string text_;
  std::vector<Pieces> pieces_;
  std::unordered_map<std::string, Outcomes> heads_;
  std::size_t longest_query_ = 0;
};

}  // namespace icpi
