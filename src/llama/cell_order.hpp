// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "batch_token.hpp"

namespace icpi::llama {

/// Which cells the tokens of sequences have, and when those that nobody has any more become free.
///
/// libllama gives tokens the lowest free cells, and attention is summed up in the order of cells: where a sequence's cells are
/// not in the order of its tokens, the last bits of its logits hang on who was in memory before. So cells are a stack: all up
/// to an end are taken, and new tokens come behind it. A cell that nobody has is spent, and kept from being free by a sequence
/// that stands for nothing else, until all behind it are spent, too. Such keepers divide the memory among themselves, since
/// only all cells of a sequence can be freed. It decides; the caller tells libllama.
class CellOrder {
 public:
  /// Tokens of a sequence, from the position `from` up to `to`, that `keeper` must hold from now on.
  struct Kept {
    std::size_t from = 0;
    std::size_t to = 0;
    Sequence keeper = 0;
  };

  /// Keeps nothing: of memories that need no order.
  CellOrder() = default;
  /// Keepers are the `keepers` sequences behind the first `sequences`, which tokens may belong to.
  CellOrder(std::size_t cells, std::size_t sequences, std::size_t keepers);

  /// The tokens of the batch were computed.
  void add(std::span<const BatchToken> batch);
  /// The first `count` tokens of `from` are those of `to`, too, which was empty.
  void share(Sequence from, Sequence to, std::size_t count);
  /// The sequence's tokens from `position` on are dropped: what must be held instead, before they are.
  [[nodiscard]] std::vector<Kept> drop(Sequence sequence, std::size_t position);
  /// Keepers whose cells must be freed now.
  [[nodiscard]] std::vector<Sequence> release();
  /// The same of all keepers: for room, at the price of the order, which is back once nothing is in memory.
  [[nodiscard]] std::vector<Sequence> give_up();
  void clear();

  [[nodiscard]] std::size_t spent() const noexcept { return spent_; }  ///< cells that keepers hold
  [[nodiscard]] bool empty() const noexcept { return tokens_ == 0; }   ///< no sequence has any token
  [[nodiscard]] bool in_order() const noexcept { return in_order_; }   ///< whether give_up() was not needed

 private:
  [[nodiscard]] Sequence keeper(std::size_t band) const noexcept {
    return static_cast<Sequence>(cells_of_.size() + band);
  }

  std::size_t width_ = 1;                             ///< cells that a keeper is there for
  std::vector<std::vector<std::uint32_t>> cells_of_;  ///< of sequences, in the order of their tokens
  std::vector<std::uint16_t> users_;                  ///< of cells: sequences that have it
  std::vector<std::size_t> spent_of_;                 ///< of keepers
  std::size_t spent_ = 0;
  std::size_t tokens_ = 0;  ///< of all sequences
  std::size_t top_ = 0;     ///< behind the last cell that a sequence may have
  std::size_t end_ = 0;     ///< behind the last cell that is not free
  bool in_order_ = true;
};

}  // namespace icpi::llama
