// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <span>
#include <unordered_map>
#include <vector>

#include "icpi/core/prompt_text.hpp"
#include "loaded_model.hpp"
#include "prompt_tokens.hpp"

namespace icpi::llama {

/// The tokens of prefixes in the model's memory, and how much of it everybody takes.
///
/// Every prefix is one sequence. One that begins like another shares that one's cells and depends on it; completions
/// borrow a prefix by pinning it and copying its sequence. What is neither pinned nor depended upon may be forgotten.
/// Every cell that is used or may be used by something admitted is accounted for, so computing never runs out of cells.
class PrefixTree {
 public:
  struct Prefix {
    std::uint64_t identity = 0;  ///< see PromptPrefix; 0 also when the tokens are not this identity's any more
    TextTokens text;             ///< its tokens; the rest only where identity is not 0
    std::size_t computed = 0;    ///< tokens that are in memory
    std::size_t shared = 0;      ///< of them in cells of its parent
    Prefix* parent = nullptr;
    Sequence sequence = 0;
    std::size_t children = 0;
    std::size_t pins = 0;  ///< completions that use it
    std::uint64_t last_use = 0;

    [[nodiscard]] bool complete() const noexcept { return computed == text.tokens.size(); }
  };

  /// A prefix and how many of its first tokens are some tokens' first.
  struct Match {
    Prefix* prefix = nullptr;
    std::size_t common = 0;
  };

  /// `model` must outlive this object, and its memory be empty.
  explicit PrefixTree(LoadedModel& model);

  /// The prefix of this identity; null: none.
  [[nodiscard]] Prefix* find(std::uint64_t identity);
  /// The prefix that shares most tokens with `tokens`, the most recently used of equals. `whole`: of those that share all
  /// they have.
  [[nodiscard]] Match longest(std::span<const Token> tokens, bool whole = false);

  /// Makes room for `cells` and `sequences` by forgetting prefixes, least recently used first; false: there are not
  /// enough that may be forgotten, or spent cells stand in the way (LoadedModel::spent_cells).
  [[nodiscard]] bool make_room(std::size_t cells, std::size_t sequences);

  /// A prefix of these tokens, the first `match.common` shared with match.prefix as far as they are computed. There
  /// must be room for the others and a sequence.
  Prefix& add(TextTokens text, std::uint64_t identity, const Match& match);
  /// Replaces the tokens behind the first `keep` ones, which are the same. There must be room for them. Nobody may
  /// use what is dropped.
  void replace_end(Prefix& prefix, TextTokens text, std::size_t keep);
  /// From now on `prefix` is not what is found for its identity.
  void disown(Prefix& prefix);

  void pin(Prefix& prefix);
  /// A prefix that nobody waits for any more is not computed any further.
  void unpin(Prefix& prefix);

  /// Sequences and cells for a completion. There must be room.
  [[nodiscard]] std::vector<Sequence> take(std::size_t sequences, std::size_t cells);
  /// Gives them back and empties the sequences.
  void give_back(std::span<const Sequence> sequences, std::size_t cells);

  /// Moves prefixes together, so that no cell is spent and all are in order. Nothing but prefixes may be in memory.
  void close_ranks();
  /// Forgets every prefix that may be forgotten.
  void forget_unused();

  [[nodiscard]] std::size_t size() const noexcept { return prefixes_.size(); }
  [[nodiscard]] std::uint64_t used_bytes() const noexcept;
  [[nodiscard]] std::uint64_t most_used_bytes() const noexcept { return most_used_bytes_; }
  [[nodiscard]] std::uint64_t forgotten() const noexcept { return forgotten_; }

 private:
  bool forget_oldest();
  void forget(std::list<Prefix>::iterator prefix);
  void use(std::size_t cells);

  LoadedModel* model_;
  std::list<Prefix> prefixes_;  ///< a list: pointers stay valid
  std::unordered_map<std::uint64_t, Prefix*> by_identity_;
  std::vector<Sequence> free_sequences_;
  std::size_t used_ = 0;
  std::uint64_t most_used_bytes_ = 0;
  std::uint64_t clock_ = 0;
  std::uint64_t forgotten_ = 0;
};

/// How many tokens two lists have in common at their beginning.
[[nodiscard]] std::size_t common_tokens(std::span<const Token> a, std::span<const Token> b) noexcept;

}  // namespace icpi::llama
