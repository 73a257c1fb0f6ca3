// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "icpi/models/induction/evidence.hpp"
#include "icpi/models/induction/parts.hpp"
#include "icpi/models/induction/tokens.hpp"

namespace icpi::induction {

/// What a cell of the query or of a row holds.
struct Cell {
  TokenId token = no_token;
  bool number = false;
  std::int64_t value = 0;
};

/// A yes/no question about a record.
struct Test {
  enum class Kind : std::uint8_t { equals, at_most, same, less, greater };

  Kind kind = Kind::equals;
  bool negated = false;
  std::uint8_t a = 0;  ///< column
  std::uint8_t b = 0;  ///< other column of an order relation
  TokenId token = no_token;
  std::int64_t bound = 0;
  float share = 1;  ///< of the prior probability

  /// `cells(column)` gives a Cell.
  template <class Cells>
  [[nodiscard]] bool holds(const Cells& cells) const {
    const Cell& x = cells(a);
    switch (kind) {
      case Kind::equals: return (x.token == token) != negated;
      case Kind::at_most: return (x.number && x.value <= bound) != negated;
      default: break;
    }
    const Cell& y = cells(b);
    const bool numbers = x.number && y.number;
    if (kind == Kind::same) return (numbers && x.value == y.value) != negated;
    if (kind == Kind::less) return (numbers && x.value < y.value) != negated;
    return (numbers && x.value > y.value) != negated;
  }
};

/// Tests that no row tells apart: one hypothesis while fitting, a vote on a query.
struct TestGroup {
  RowSet rows;  ///< where the tests hold; never row 0
  std::vector<Test> members;
  float share = 0;
  double log_prior = 0;

  /// Share of the tests that hold.
  template <class Cells>
  [[nodiscard]] double holds(const Cells& cells) const {
    float yes = 0;
    for (const Test& test : members)
      if (test.holds(cells)) yes += test.share;
    return static_cast<double>(yes / share);
  }
};

/// The number between `low` and `high` (low <= result < high) that takes fewest digits to write.
inline std::int64_t roundest_between(std::int64_t low, std::int64_t high) noexcept {
  const auto floor_to = [](std::int64_t x, std::int64_t step) {
    const std::int64_t rest = x % step;
    return x - (rest < 0 ? rest + step : rest);
  };
  for (std::int64_t step = 1'000'000'000; step > 1; step /= 10) {
    const std::int64_t top = floor_to(high - 1, step);
    if (top < low) continue;
    const std::int64_t middle = floor_to(low + (high - low) / 2, step);
    return middle >= low ? middle : top;
  }
  return low;
}

/// Lists the tests that split the rows of a table, grouped by how they split them.
class TestFinder {
 public:
  /// `cells[c][r]`: columns of interest. `varies[c]`: whether the column does.
  void find(const std::vector<std::vector<Cell>>& cells, const std::vector<char>& varies, std::size_t rows,
            std::vector<TestGroup>& groups) {
    groups.clear();
    index_.clear();
    rows_ = rows;
    all_ = {};
    for (std::size_t r = 0; r < rows; ++r) all_.insert(r);
    numeric_.clear();
    for (std::size_t c = 0; c < cells.size(); ++c) {
      if (varies[c] != 0) value_tests(cells[c], static_cast<std::uint8_t>(c), groups);
      const auto numbers = std::count_if(cells[c].begin(), cells[c].end(), [](const Cell& x) { return x.number; });
      if (2 * static_cast<std::size_t>(numbers) >= rows && numeric_.size() < most_related)
        numeric_.push_back(static_cast<std::uint8_t>(c));
    }
    for (std::size_t i = 0; i < numeric_.size() && left_out != Part::relations; ++i)
      for (std::size_t j = i + 1; j < numeric_.size(); ++j)
        if (varies[numeric_[i]] != 0 || varies[numeric_[j]] != 0)
          relations(cells[numeric_[i]], cells[numeric_[j]], numeric_[i], numeric_[j], groups);
    double total = 0;
    for (const TestGroup& group : groups) total += static_cast<double>(group.share);
    for (TestGroup& group : groups) group.log_prior = std::log(static_cast<double>(group.share) / total);
  }

 private:
  static constexpr std::size_t most_values = 24;
  static constexpr std::size_t most_related = 12;
  static constexpr std::size_t most_groups = 768;
  static constexpr std::size_t most_members = 8;

  void value_tests(const std::vector<Cell>& column, std::uint8_t c, std::vector<TestGroup>& groups) {
    counts_.clear();
    values_.clear();
    for (const Cell& cell : column) {
      if (cell.token != no_token) ++counts_[cell.token];
      if (cell.number) values_.push_back(cell.value);
    }
    const bool few = counts_.size() <= most_values / 2;
    std::size_t used = 0;
    for (const Cell& cell : column) {  // in row order: the same tests on every platform
      const auto found = counts_.find(cell.token);
      if (found == counts_.end() || found->second == 0) continue;
      const std::size_t count = found->second;
      found->second = 0;
      if ((!few && count < 2) || used++ >= most_values) continue;
      Test test{Test::Kind::equals, false, c, 0, cell.token, 0, cell.number ? 0.5F : 0.6F};
      RowSet set;
      for (std::size_t r = 0; r < rows_; ++r)
        if (column[r].token == cell.token) set.insert(r);
      add(test, set, groups);
    }
    thresholds(column, c, groups);
  }

  void thresholds(const std::vector<Cell>& column, std::uint8_t c, std::vector<TestGroup>& groups) {
    std::sort(values_.begin(), values_.end());
    values_.erase(std::unique(values_.begin(), values_.end()), values_.end());
    if (values_.size() < 3 || left_out == Part::thresholds) return;
    const std::size_t gaps = values_.size() - 1;
    const std::size_t step = (gaps + 2 * most_values - 1) / (2 * most_values);
    for (std::size_t i = 0; i < gaps; i += step) {
      Test test{Test::Kind::at_most, false, c, 0, no_token, roundest_between(values_[i], values_[i + 1]), 0.3F};
      RowSet set;
      for (std::size_t r = 0; r < rows_; ++r)
        if (column[r].number && column[r].value <= test.bound) set.insert(r);
      add(test, set, groups);
    }
  }

  void relations(const std::vector<Cell>& x, const std::vector<Cell>& y, std::uint8_t a, std::uint8_t b,
                 std::vector<TestGroup>& groups) {
    RowSet same;
    RowSet less;
    RowSet greater;
    for (std::size_t r = 0; r < rows_; ++r) {
      if (!x[r].number || !y[r].number) continue;
      (x[r].value == y[r].value ? same : x[r].value < y[r].value ? less : greater).insert(r);
    }
    add({Test::Kind::same, false, a, b, no_token, 0, 0.5F}, same, groups);
    add({Test::Kind::less, false, a, b, no_token, 0, 0.4F}, less, groups);
    add({Test::Kind::greater, false, a, b, no_token, 0, 0.4F}, greater, groups);
  }

  void add(Test test, RowSet set, std::vector<TestGroup>& groups) {
    if (set.contains(0)) {
      set = all_.without(set);
      test.negated = true;
    }
    if (set.empty()) return;
    std::uint64_t hash = 0;
    for (const std::uint64_t bits : set.bits) hash = mix(hash, bits);
    const auto [entry, fresh] = index_.try_emplace(hash, groups.size());
    if (fresh) {
      if (groups.size() >= most_groups) {
        index_.erase(entry);
        return;
      }
      groups.push_back({set, {}, 0, 0});
    }
    TestGroup& group = groups[entry->second];
    if (group.members.size() >= most_members) return;
    group.share += test.share;
    group.members.push_back(test);
  }

  std::size_t rows_ = 0;
  RowSet all_;
  std::unordered_map<std::uint64_t, std::size_t> index_;
  std::unordered_map<TokenId, std::size_t> counts_;
  std::vector<std::int64_t> values_;
  std::vector<std::uint8_t> numeric_;
};

}  // namespace icpi::induction
