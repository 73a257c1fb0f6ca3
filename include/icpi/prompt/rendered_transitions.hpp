// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/concepts/history.hpp"
#include "icpi/concepts/replay_buffer.hpp"
#include "icpi/core/prompt_text.hpp"
#include "icpi/prompt/prompt_options.hpp"
#include "icpi/prompt/prompt_writer.hpp"
#include "icpi/prompt/step_outcomes.hpp"
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
  Counted head;             ///< observation and action, which begins at `answer`
  Counted termination;      ///< example
  Counted reward;           ///< example
  Counted observation;      ///< example
  Counted step;             ///< of a trajectory
  Counted transition;       ///< example; empty where none is wanted
  std::string reward_text;  ///< the answer alone
  bool terminated = false;  ///< whether it ended
  double gained = 0;        ///< the reward itself
};

/// Every transition of a buffer as text: rendered and counted once, when it arrives. Prompts are copied together from
/// these pieces. Thread-safety: const members may be called concurrently.
class RenderedTransitions {
 public:
  /// `count_tokens` counts in the units of the model; `whole`: whether examples of whole transitions are wanted.
  explicit RenderedTransitions(TokenCounter count_tokens, bool whole = false)
      : count_tokens_(std::move(count_tokens)), whole_(whole) {}

  /// Makes the texts into a complete example of each kind of world-model query, and one step of a trajectory.
  [[nodiscard]] RenderedTransition render(TransitionText text) const {
    RenderedTransition rendered;
    rendered.termination = example(text.head, text.termination);
    rendered.reward = example(text.head, text.reward);
    rendered.observation = example(text.head, text.next_observation);
    if (whole_)
      rendered.transition =
          example(text.head, text.termination + text.reward + (text.terminated ? "" : text.next_observation));
    rendered.step = counted(std::move(text.step));
    // A formatter that writes steps in another way leaves them without borders.
    if (rendered.step.text.starts_with(text.head)) {
      rendered.step.answer = text.action_at;
      rendered.step.answer_end = text.head.size();
    }
    rendered.head = counted(std::move(text.head));
    rendered.head.answer = text.action_at;
    rendered.terminated = text.terminated;
    rendered.gained = text.gained;
    rendered.reward_text = std::move(text.reward);
    return rendered;
  }

  /// Takes in the next transition.
  void add(RenderedTransition&& next) {
    pieces_.push_back({store(next.termination), store(next.reward), store(next.observation), store(next.step),
                       store(next.transition), narrow(next.head.tokens), narrow(next.head.answer), next.terminated,
                       next.gained});
    ++query_lengths_[pieces_.back().query_tokens];
    auto arrived = step(pieces_.back());
    arrived.id = static_cast<TransitionId>(size() - 1);
    outcomes_.add(arrived);
  }

  /// The next transition left before it was taken in.
  void skip() { pieces_.emplace_back(); }

  /// Forgets those that `holds(id)` denies. What is kept of the others is moved up now and then: memory stays below twice
  /// what they take.
  template <class Holds>
  void forget(const Holds& holds) {
    for (std::size_t i = 0; i < pieces_.size(); ++i)
      if (!pieces_[i].gone() && !holds(static_cast<TransitionId>(first_ + i))) drop(pieces_[i]);
    outcomes_.forget_gains();
    for (const Pieces& each : pieces_)
      if (!each.gone()) outcomes_.note_gain(step(each));
    const auto held = std::find_if(pieces_.begin(), pieces_.end(), [](const Pieces& each) { return !each.gone(); });
    const auto unused = static_cast<std::size_t>(held - pieces_.begin());
    if (2 * unused > pieces_.size()) {
      pieces_.erase(pieces_.begin(), held);
      first_ += unused;
    }
    if (2 * unused_bytes_ > text_.size()) move_up();
  }

  /// Transitions that ever came: one past the last id.
  [[nodiscard]] std::size_t size() const noexcept { return first_ + pieces_.size(); }
  /// None below is still there.
  [[nodiscard]] TransitionId first() const noexcept { return static_cast<TransitionId>(first_); }
  /// Whether one of them is still there.
  [[nodiscard]] bool holds(TransitionId id) const noexcept { return id >= first_ && !pieces_[id - first_].gone(); }

  /// The example of a world-model query (observation, action, answer, blank line), or for QueryKind::action the step.
  [[nodiscard]] const TextPiece& piece(QueryKind kind, TransitionId id) const {
    const auto& pieces = pieces_[id - first_];
    switch (kind) {
      case QueryKind::termination: return pieces.termination;
      case QueryKind::reward: return pieces.reward;
      case QueryKind::observation: return pieces.observation;
      case QueryKind::action: return pieces.step;
      case QueryKind::transition: break;
    }
    return pieces.transition;
  }

  /// Valid until the next addition.
  [[nodiscard]] std::string_view text(const TextPiece& piece) const noexcept {
    return {text_.data() + piece.offset, piece.length};
  }

  /// Observation and action of a transition, as they are asked about. Valid until the next addition.
  [[nodiscard]] std::string_view question(TransitionId id) const noexcept {
    const TextPiece& example = pieces_[id - first_].termination;
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
  [[nodiscard]] bool seen(const std::string& head) const { return outcomes_.seen(head); }

  /// What came of transitions that begin so.
  [[nodiscard]] OutcomeCounts outcomes(const std::string& head) const { return outcomes_.counts(head); }

  /// What transitions that begin alike came to, one of the ways. A view, valid until the next addition.
  struct Seen {
    bool terminated = false;            ///< whether they ended
    double gained = 0;                  ///< the reward itself
    std::string_view next_observation;  ///< its text
    std::size_t times = 0;              ///< how many they are; at least 1
  };

  /// Replaces `seen` by what came of transitions that begin so, in the order in which it first came.
  void recall(const std::string& head, std::vector<Seen>& seen) const {
    seen.clear();
    std::vector<StepOutcomes::Example> examples;
    outcomes_.examples(head, examples);
    for (const auto& [id, times] : examples) {
      const Pieces& pieces = pieces_[id - first_];
      const TextPiece& next = pieces.observation;
      seen.push_back(
          {pieces.terminated, pieces.gained, text(next).substr(next.answer, next.answer_end - next.answer), times});
    }
  }

  /// What is known of the action with this text.
  [[nodiscard]] ActionExperience experience(const std::string& action) const { return outcomes_.experience(action); }

  /// Tokens of the longest observation with action seen: what a prompt keeps free for its query.
  [[nodiscard]] std::size_t longest_query() const noexcept {
    return query_lengths_.empty() ? 0 : query_lengths_.rbegin()->first;
  }

 private:
  struct Pieces {
    TextPiece termination, reward, observation, step, transition;  ///< in the order in which they lie in the store
    std::uint32_t query_tokens = 0;
    std::uint32_t action_at = 0;  ///< where in the question the action begins
    bool terminated = false;
    double gained = 0;

    [[nodiscard]] std::array<TextPiece*, 5> all() noexcept {
      return {&termination, &reward, &observation, &step, &transition};
    }

    /// Examples are not empty.
    [[nodiscard]] bool gone() const noexcept { return termination.length == 0; }
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

  /// A step as its parts lie in the store.
  [[nodiscard]] StepOutcomes::Step step(const Pieces& pieces) const {
    const auto answer = [&](const TextPiece& piece) { return text(piece).substr(piece.answer); };
    const auto head = text(pieces.termination).substr(0, pieces.termination.answer);
    return {head,
            head.substr(pieces.action_at),
            {answer(pieces.termination), answer(pieces.reward), answer(pieces.observation)},
            pieces.terminated,
            pieces.gained};
  }

  void drop(Pieces& pieces) {
    outcomes_.remove(step(pieces));
    const auto length = query_lengths_.find(pieces.query_tokens);
    if (--length->second == 0) query_lengths_.erase(length);
    for (const TextPiece* part : pieces.all()) unused_bytes_ += part->length;
    pieces = {};
  }

  /// Closes the gaps in the store: pieces lie in it in the order of their ids.
  void move_up() {
    std::size_t end = 0;
    for (Pieces& pieces : pieces_) {
      if (pieces.gone()) continue;
      for (TextPiece* part : pieces.all()) {
        std::memmove(text_.data() + end, text_.data() + part->offset, part->length);
        part->offset = end;
        end += part->length;
      }
    }
    text_.resize(end);
    unused_bytes_ = 0;
  }

  TokenCounter count_tokens_;
  bool whole_;
  std::string text_;
  std::size_t unused_bytes_ = 0;  ///< of text_
  std::size_t first_ = 0;         ///< the id of pieces_[0]
  std::vector<Pieces> pieces_;
  StepOutcomes outcomes_;
  std::map<std::uint32_t, std::size_t> query_lengths_;  ///< in tokens; how many transitions have each
};

}  // namespace icpi
