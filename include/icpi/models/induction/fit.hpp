// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "icpi/models/induction/query_text.hpp"
#include "icpi/models/induction/rows.hpp"
#include "icpi/models/induction/search.hpp"
#include "icpi/models/induction/weigher.hpp"

namespace icpi::induction {

/// A token that may come next. Probabilities of a prediction sum to one together with `escape`.
struct Option {
  TokenId token = no_token;
  double probability = 0;
};

struct Prediction {
  std::vector<Option> options;  ///< likeliest first
  double escape = 1;            ///< probability of a token for which nothing speaks

  void add(TokenId token, double probability) {
    for (Option& option : options)
      if (option.token == token) {
        option.probability += probability;
        return;
      }
    options.push_back({token, probability});
  }

  void finish() {
    std::stable_sort(options.begin(), options.end(),
                     [](const Option& a, const Option& b) { return a.probability > b.probability; });
    double sum = 0;
    for (const Option& option : options) sum += option.probability;
    escape = std::max(least_escape, 1 - sum);
    if (sum > 1 - least_escape)
      for (Option& option : options) option.probability *= (1 - least_escape) / sum;
  }

  /// Nothing is impossible.
  static constexpr double least_escape = 1e-6;
};

/// What was learned about one position: trees for one level of similarity.
struct LevelFit {
  struct Hypothesis {
    std::uint16_t view = 0;
    std::uint8_t size = 1;
    double log_weight = 0;
    std::array<std::int16_t, Tree::most_nodes> test{};
    std::array<std::uint8_t, Tree::most_nodes> yes{};
    std::array<std::uint8_t, Tree::most_nodes> no{};
    std::array<std::uint32_t, Tree::most_nodes> leaf{};  ///< where the leaf's label probabilities begin
  };

  std::vector<std::uint16_t> columns;  ///< of the position's columns: those that tests and views number
  std::vector<View> views;
  std::vector<TestGroup> tests;
  std::vector<Hypothesis> hypotheses;
  std::vector<float> probabilities;
};

/// Everything learned about one position.
struct Fit {
  struct Memory {
    std::uint64_t hash = 0;
    TokenId target = no_token;
    std::uint32_t times = 0;
  };

  std::vector<Column> columns;
  std::vector<LevelFit> levels;
  std::vector<Memory> memories;  ///< exact repetitions, by hash
  double conflict = 0;           ///< how often equal contexts had different answers
  double distrust = 0;           ///< repetitions that must be seen before they are trusted by half
  int decimals = -1;             ///< of the answers; -1: they vary

  /// Memory that it takes, about.
  [[nodiscard]] std::size_t bytes() const noexcept {
    std::size_t sum = sizeof *this + columns.size() * sizeof(Column) + memories.size() * sizeof(Memory);
    for (const LevelFit& level : levels) {
      sum += sizeof level + level.hypotheses.size() * sizeof(LevelFit::Hypothesis) +
             level.probabilities.size() * sizeof(float) + level.views.size() * sizeof(View);
      for (const View& view : level.views) sum += view.labels.size() * (sizeof(Label) + sizeof(double));
      for (const TestGroup& group : level.tests) sum += sizeof group + group.members.size() * sizeof(Test);
    }
    return sum;
  }
};

/// Learns fits from tables.
class FitBuilder {
 public:
  bool calibrated = false;  ///< see InductionVersion

  void build(const Vocabulary& vocabulary, const Table& table, Fit& fit) {
    fit.columns = table.columns;
    fit.levels.clear();
    remember(table, fit);
    choose_decimals(vocabulary, table, fit);
    for (std::size_t level = 0; level < level_count; ++level) {
      if (!has(table, static_cast<Level>(level))) continue;
      fit.levels.emplace_back();
      build_level(vocabulary, table, static_cast<Level>(level), fit.levels.back());
    }
  }

 private:
  static constexpr std::array<double, level_count> level_log_prior{0, -0.7, -1.5};
  static constexpr std::size_t most_columns = 48;

  static bool has(const Table& table, Level level) {
    return std::find(table.levels.begin(), table.levels.end(), level) != table.levels.end();
  }

  static Cell cell_of(const Vocabulary& vocabulary, TokenId token) {
    if (token == no_token) return {};
    const TokenInfo& info = vocabulary[token];
    return {token, info.kind == TokenKind::number, info.value};
  }

  void build_level(const Vocabulary& vocabulary, const Table& table, Level level, LevelFit& fit) {
    chosen_.clear();
    for (std::size_t r = 0; r < table.rows; ++r)
      if (table.levels[r] == Level::whole || table.levels[r] == level) chosen_.push_back(r);
    RowWeights weights;
    RowSet rows;
    RowSet known;
    targets_.clear();
    weights.words = (chosen_.size() + 63) / 64;
    const auto half_units = weigher_.weigh(table, chosen_, calibrated);
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
      const std::size_t r = chosen_[i];
      targets_.push_back(cell_of(vocabulary, table.targets[r]));
      rows.insert(i);
      if (table.levels[r] != Level::whole) known.insert(i);
      weights.set(i, static_cast<unsigned>(std::clamp(std::lround(half_units[i]), 1L, 7L)));
    }
    choose_columns(vocabulary, table, level, fit);
    tests_.find(cells_, varies_, chosen_.size(), fit.tests);
    views_.find(cells_, varies_, targets_, fit.views);
    search_.find(fit.views, fit.tests, weights, rows, known, trees_);
    const double prior = level_log_prior[static_cast<std::size_t>(level)];
    for (const Tree& tree : trees_) store(fit, tree, rows, weights, prior);
    for (View& view : fit.views) {
      view.rows.clear();
      view.rows.shrink_to_fit();
    }
  }

  /// Columns that differ between rows, and constant numbers; of equal ones the nearest to the position.
  void choose_columns(const Vocabulary& vocabulary, const Table& table, Level level, LevelFit& fit) {
    fit.columns.clear();
    cells_.clear();
    varies_.clear();
    for (std::size_t c = 0; c < table.columns.size() && cells_.size() < most_columns; ++c) {
      if (level == Level::line && table.columns[c].depth > 0) continue;
      column_.clear();
      bool varies = false;
      for (const std::size_t r : chosen_) {
        column_.push_back(cell_of(vocabulary, table.cell(c, r)));
        varies |= column_.back().token != column_.front().token;
      }
      if (column_.empty() || (!varies && !column_.front().number)) continue;
      const bool seen = std::any_of(cells_.begin(), cells_.end(), [&](const std::vector<Cell>& other) {
        return std::equal(other.begin(), other.end(), column_.begin(),
                          [](const Cell& a, const Cell& b) { return a.token == b.token; });
      });
      if (seen) continue;
      fit.columns.push_back(static_cast<std::uint16_t>(c));
      cells_.push_back(column_);
      varies_.push_back(varies ? 1 : 0);
    }
  }

  void store(LevelFit& fit, const Tree& tree, const RowSet& rows, const RowWeights& weights, double prior) {
    const View& view = fit.views[tree.view];
    LevelFit::Hypothesis& stored = fit.hypotheses.emplace_back();
    stored.view = static_cast<std::uint16_t>(tree.view);
    stored.size = static_cast<std::uint8_t>(tree.size);
    stored.log_weight = prior + tree.score;
    const double all = 0.5 * weights.of(rows, rows);
    for (std::size_t n = 0; n < tree.size; ++n) {
      stored.test[n] = tree.nodes[n].test;
      stored.yes[n] = tree.nodes[n].yes;
      stored.no[n] = tree.nodes[n].no;
      if (tree.nodes[n].test >= 0) continue;
      stored.leaf[n] = static_cast<std::uint32_t>(fit.probabilities.size());
      const double here = 0.5 * weights.of(rows, tree.nodes[n].rows);
      for (std::size_t l = 0; l < view.labels.size(); ++l) {
        const double overall =
            (0.5 * weights.of(view.rows[l], rows) + concentration * std::exp(view.log_base[l])) / (all + concentration);
        const double count = 0.5 * weights.of(view.rows[l], tree.nodes[n].rows);
        fit.probabilities.push_back(static_cast<float>((count + concentration * overall) / (here + concentration)));
      }
    }
  }

  void remember(const Table& table, Fit& fit) {
    fit.memories.clear();
    for (std::size_t r = 0; r < table.rows; ++r) {
      if (table.levels[r] != Level::whole) continue;
      std::uint64_t hash = 0;
      for (std::size_t c = 0; c < table.columns.size(); ++c) hash = hash_cell(hash, table.cell(c, r));
      fit.memories.push_back({hash, table.targets[r], table.times[r]});
    }
    std::stable_sort(fit.memories.begin(), fit.memories.end(),
                     [](const Fit::Memory& a, const Fit::Memory& b) { return a.hash < b.hash; });
    double pairs = 0;
    double equal = 0;
    for (std::size_t i = 0; i < fit.memories.size();) {
      double all = 0;
      double same = 0;
      const std::uint64_t hash = fit.memories[i].hash;
      for (; i < fit.memories.size() && fit.memories[i].hash == hash; ++i) {
        const double times = fit.memories[i].times;
        all += times;
        same += times * (times - 1);
      }
      pairs += all * (all - 1);
      equal += same;
    }
    fit.conflict = 1 - (equal + 0.98) / (pairs + 1);
    fit.distrust = 0.1 + (calibrated ? 6 : 20) * fit.conflict;
  }

  static void choose_decimals(const Vocabulary& vocabulary, const Table& table, Fit& fit) {
    fit.decimals = -2;
    for (std::size_t r = 0; r < table.rows; ++r) {
      const TokenInfo& info = vocabulary[table.targets[r]];
      if (info.kind != TokenKind::number) continue;
      if (fit.decimals == -2) fit.decimals = info.decimals;
      if (fit.decimals != info.decimals) fit.decimals = -1;
      if (fit.decimals == -1) break;
    }
  }

  RowWeigher weigher_;
  TestFinder tests_;
  ViewFinder views_;
  TreeSearch search_;
  std::vector<std::size_t> chosen_;
  std::vector<Cell> targets_;
  std::vector<Cell> column_;
  std::vector<std::vector<Cell>> cells_;
  std::vector<char> varies_;
  std::vector<Tree> trees_;
};

}  // namespace icpi::induction
