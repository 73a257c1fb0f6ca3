// SPDX-License-Identifier: MIT
// Beside a memory that gives cells as libllama does.
#include "llama/cell_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "icpi/core/random.hpp"

namespace {

using icpi::llama::BatchToken;
using icpi::llama::CellOrder;
using icpi::llama::Sequence;

constexpr std::size_t cell_count = 200;
constexpr std::size_t sequence_count = 8;

/// Tokens get the lowest free cells; a cell without any sequence is free.
class Memory {
 public:
  explicit Memory(std::size_t keepers) : order(cell_count, sequence_count, keepers) {}

  /// Whether there was room.
  bool add(const std::vector<Sequence>& sequences) {
    const auto cell = std::find_if(cells_.begin(), cells_.end(), [](const auto& each) { return each.users.empty(); });
    if (cell == cells_.end()) return false;
    cell->users = {sequences.begin(), sequences.end()};
    cell->position = size_of(sequences.front()) - 1;
    const BatchToken token{0, static_cast<std::int32_t>(cell->position), sequences, false};
    order.add({&token, 1});
    return true;
  }

  void share(Sequence from, Sequence to, std::size_t count) {
    hold(from, 0, count, to);
    order.share(from, to, count);
  }

  void forget(Sequence sequence, std::size_t position) {
    for (const CellOrder::Kept& kept : order.drop(sequence, position)) hold(sequence, kept.from, kept.to, kept.keeper);
    for (Cell& each : cells_)
      if (each.position >= position) each.users.erase(sequence);
    free(order.release());
  }

  void free(const std::vector<Sequence>& keepers) {
    for (Cell& cell : cells_)
      for (const Sequence each : keepers) cell.users.erase(each);
  }

  [[nodiscard]] std::size_t size_of(Sequence sequence) const {
    return static_cast<std::size_t>(
        std::count_if(cells_.begin(), cells_.end(), [&](const Cell& each) { return each.users.contains(sequence); }));
  }

  /// Whether the cells of every sequence are in the order of its tokens.
  [[nodiscard]] bool in_order() const {
    for (Sequence sequence = 0; sequence < static_cast<Sequence>(sequence_count); ++sequence) {
      std::size_t next = 0;
      for (const Cell& each : cells_)
        if (each.users.contains(sequence) && each.position != next++) return false;
    }
    return true;
  }

  [[nodiscard]] std::size_t kept_in_vain() const {
    return static_cast<std::size_t>(std::count_if(cells_.begin(), cells_.end(), [](const Cell& each) {
      return !each.users.empty() && *each.users.begin() >= static_cast<Sequence>(sequence_count);
    }));
  }

  CellOrder order;

 private:
  struct Cell {
    std::set<Sequence> users;
    std::size_t position = 0;
  };

  void hold(Sequence sequence, std::size_t from, std::size_t to, Sequence holder) {
    for (Cell& each : cells_)
      if (each.users.contains(sequence) && each.position >= from && each.position < to) each.users.insert(holder);
  }

  std::array<Cell, cell_count> cells_;
};

void add(Memory& memory, Sequence sequence, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(memory.add({sequence}));
}

TEST(CellOrder, FreesWhatIsOnTopAtOnce) {
  Memory memory(4);
  add(memory, 0, 10);
  memory.share(0, 1, 10);
  add(memory, 1, 5);
  memory.forget(1, 0);
  EXPECT_EQ(memory.order.spent(), 0U);
  memory.forget(0, 7);
  EXPECT_EQ(memory.order.spent(), 0U);
  add(memory, 0, 1);
  EXPECT_EQ(memory.size_of(0), 8U);
  EXPECT_FALSE(memory.order.empty());
  memory.forget(0, 0);
  EXPECT_TRUE(memory.order.empty());
}

TEST(CellOrder, KeepsWhatIsBelowOthers) {
  Memory memory(4);
  add(memory, 0, 10);
  add(memory, 1, 10);
  memory.forget(0, 4);
  EXPECT_EQ(memory.order.spent(), 6U);
  add(memory, 1, 10);
  EXPECT_TRUE(memory.in_order());
  memory.forget(1, 0);
  EXPECT_EQ(memory.order.spent(), 0U);
  EXPECT_EQ(memory.kept_in_vain(), 0U);
}

TEST(CellOrder, GivesUpForRoomUntilNothingIsInMemory) {
  Memory memory(4);
  add(memory, 0, 50);
  add(memory, 1, 150);
  memory.forget(0, 0);
  EXPECT_FALSE(memory.add({1}));
  EXPECT_EQ(memory.order.spent(), 50U);
  memory.free(memory.order.give_up());
  EXPECT_FALSE(memory.order.in_order());
  EXPECT_EQ(memory.order.spent(), 0U);
  add(memory, 1, 20);
  EXPECT_FALSE(memory.in_order());
  memory.forget(1, 0);
  ASSERT_TRUE(memory.order.empty());
  memory.order.clear();
  EXPECT_TRUE(memory.order.in_order());
}

class CellOrders : public testing::TestWithParam<std::size_t> {};

TEST_P(CellOrders, HoldWhateverComes) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    icpi::RandomStream stream{icpi::RandomKey(seed)};
    Memory memory(GetParam());
    const auto any = [&] { return static_cast<Sequence>(stream.index(sequence_count)); };
    for (int step = 0; step < 400; ++step) {
      const Sequence one = any();
      const Sequence other = any();
      const std::size_t size = memory.size_of(one);
      switch (stream.index(4)) {
        case 0:
          if (one != other && memory.size_of(other) == 0) memory.share(one, other, stream.index(size + 1));
          break;
        case 1: memory.forget(one, stream.index(2) == 0 ? 0 : stream.index(size + 1)); break;
        default:
          for (std::size_t i = stream.index(6); i > 0 && memory.order.in_order(); --i)
            if (!memory.add({one})) memory.forget(other, 0);
      }
      ASSERT_TRUE(memory.in_order()) << "seed " << seed << ", step " << step;
      ASSERT_EQ(memory.order.spent(), memory.kept_in_vain()) << "seed " << seed << ", step " << step;
    }
    for (std::size_t i = 0; i < sequence_count; ++i) memory.forget(static_cast<Sequence>(i), 0);
    EXPECT_TRUE(memory.order.empty());
    EXPECT_EQ(memory.kept_in_vain(), 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Keepers, CellOrders, testing::Values(1, 3, 64));

}  // namespace
