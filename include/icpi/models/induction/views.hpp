// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "icpi/models/induction/evidence.hpp"
#include "icpi/models/induction/parts.hpp"
#include "icpi/models/induction/tests.hpp"
#include "icpi/models/induction/tokens.hpp"

namespace icpi::induction {

/// How an answer is described: by a constant that is added to the view's base, or by its token.
struct Label {
  bool relative = false;
  std::int64_t difference = 0;
  TokenId token = no_token;

  friend bool operator==(const Label&, const Label&) = default;
};

/// A way to describe answers: as they are, or relative to a cell, to the sum or to the difference of two.
struct View {
  enum class Kind : std::uint8_t { literal, relative, sum, difference };

  Kind kind = Kind::literal;
  std::uint8_t a = 0;
  std::uint8_t b = 0;
  double log_prior = 0;
  std::vector<Label> labels;
  std::vector<RowSet> rows;  ///< by label
  std::vector<double> log_base;
  RowSet others;         ///< rows whose label is too rare to be listed
  double log_other = 0;  ///< their base probability

  /// The number to which a label's difference is added. False: this view says nothing about these cells.
  template <class Cells>
  [[nodiscard]] bool base(const Cells& cells, std::int64_t& value) const {
    if (kind == Kind::literal) return false;
    const Cell& x = cells(a);
    value = x.value;
    if (kind == Kind::relative) return x.number;
    const Cell& y = cells(b);
    value = kind == Kind::sum ? x.value + y.value : x.value - y.value;
    return x.number && y.number;
  }
};

/// Builds the views of a table.
class ViewFinder {
 public:
  /// `targets[r]`: the answers as cells.
  void find(const std::vector<std::vector<Cell>>& cells, const std::vector<char>& varies,
            const std::vector<Cell>& targets, std::vector<View>& views) {
    views.clear();
    targets_ = &targets;
    candidates_.clear();
    const auto numbers =
        static_cast<std::size_t>(std::count_if(targets.begin(), targets.end(), [](const Cell& x) { return x.number; }));
    const bool numeric = 2 * numbers >= targets.size() && numbers > 0;
    for (std::size_t c = 0; c < cells.size(); ++c)
      if (varies[c] != 0 && left_out != Part::relative_views) consider(View::Kind::relative, c, c, cells);
    const std::size_t relatives = std::max<std::size_t>(1, candidates_.size());
    std::size_t pairs = 0;
    if (numeric && targets.size() >= 3 && left_out != Part::pair_views)
      for (std::size_t a = 0; a < cells.size(); ++a)
        for (std::size_t b = a + 1; b < cells.size(); ++b) {
          if (varies[a] == 0 || varies[b] == 0 || !mostly_numbers(cells[a]) || !mostly_numbers(cells[b])) continue;
          ++pairs;
          consider(View::Kind::sum, a, b, cells);
          consider(View::Kind::difference, a, b, cells);
          consider(View::Kind::difference, b, a, cells);
        }
    keep_best();
    views.push_back(build({View::Kind::literal, 0, 0, 0}, cells, std::log(0.4)));
    for (const Candidate& candidate : candidates_) {
      const double prior = candidate.kind == View::Kind::relative
                               ? std::log(0.4 / static_cast<double>(relatives))
                               : std::log(0.2 / static_cast<double>(3 * std::max<std::size_t>(1, pairs)));
      views.push_back(build(candidate, cells, prior));
    }
  }

 private:
  struct Candidate {
    View::Kind kind;
    std::size_t a;
    std::size_t b;
    std::size_t covered;
  };

  static constexpr std::size_t most_labels = 15;
  static constexpr std::size_t most_relative = 6;
  static constexpr std::size_t most_pairs = 3;

  static bool mostly_numbers(const std::vector<Cell>& column) {
    return 2 * static_cast<std::size_t>(
                   std::count_if(column.begin(), column.end(), [](const Cell& x) { return x.number; })) >=
           column.size();
  }

  Label label(View::Kind kind, const Cell& x, const Cell& y, const Cell& target) const {
    if (kind == View::Kind::literal) return {false, 0, target.token};
    if (kind == View::Kind::relative) {
      if (x.number && target.number) return {true, target.value - x.value, no_token};
      if (x.token == target.token) return {true, 0, no_token};
      return {false, 0, target.token};
    }
    if (!x.number || !y.number || !target.number) return {false, 0, target.token};
    return {true, target.value - (kind == View::Kind::sum ? x.value + y.value : x.value - y.value), no_token};
  }

  /// Keeps a view whose commonest constant describes a good part of the rows.
  void consider(View::Kind kind, std::size_t a, std::size_t b, const std::vector<std::vector<Cell>>& cells) {
    counts_.clear();
    std::size_t best = 0;
    for (std::size_t r = 0; r < targets_->size(); ++r) {
      const Label here = label(kind, cells[a][r], cells[b][r], (*targets_)[r]);
      if (!here.relative) continue;
      const auto found = std::find_if(counts_.begin(), counts_.end(), [&](const auto& x) { return x.first == here; });
      std::size_t count = 1;
      if (found != counts_.end())
        count = ++found->second;
      else if (counts_.size() < 2 * most_labels)
        counts_.emplace_back(here, 1);
      best = std::max(best, count);
    }
    const std::size_t needed = kind == View::Kind::relative ? targets_->size() / 6 : targets_->size() / 2;
    if (best > needed) candidates_.push_back({kind, a, b, best});
  }

  void keep_best() {
    std::stable_sort(candidates_.begin(), candidates_.end(),
                     [](const Candidate& x, const Candidate& y) { return x.covered > y.covered; });
    std::size_t relative = 0;
    std::size_t pairs = 0;
    const auto rest = std::remove_if(candidates_.begin(), candidates_.end(), [&](const Candidate& x) {
      return x.kind == View::Kind::relative ? ++relative > most_relative : ++pairs > most_pairs;
    });
    candidates_.erase(rest, candidates_.end());
  }

  View build(const Candidate& candidate, const std::vector<std::vector<Cell>>& cells, double log_prior) {
    View view;
    view.kind = candidate.kind;
    view.a = static_cast<std::uint8_t>(candidate.a);
    view.b = static_cast<std::uint8_t>(candidate.b);
    view.log_prior = log_prior;
    counts_.clear();
    const Cell nothing;
    for (std::size_t r = 0; r < targets_->size(); ++r) {
      const bool literal = view.kind == View::Kind::literal;
      const Label here =
          label(view.kind, literal ? nothing : cells[view.a][r], literal ? nothing : cells[view.b][r], (*targets_)[r]);
      auto found = std::find_if(counts_.begin(), counts_.end(), [&](const auto& x) { return x.first == here; });
      if (found == counts_.end()) found = counts_.insert(counts_.end(), {here, 0});
      ++found->second;
      row_label_.resize(targets_->size());
      row_label_[r] = static_cast<std::size_t>(found - counts_.begin());
    }
    order_.resize(counts_.size());
    for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = i;
    std::stable_sort(order_.begin(), order_.end(),
                     [&](std::size_t x, std::size_t y) { return counts_[x].second > counts_[y].second; });
    fill(view);
    return view;
  }

  void fill(View& view) {
    std::size_t constants = 0;
    std::size_t literals = 0;
    for (const auto& [label, count] : counts_) {
      if (!label.relative)
        ++literals;
      else if (label.difference != 0)
        ++constants;
    }
    const bool literal_view = view.kind == View::Kind::literal;
    const double literal_base = (literal_view ? 1.0 : 0.1) / static_cast<double>(literals + 1);
    const double constant_base = 0.45 / static_cast<double>(constants + 1);
    view.log_other = std::log(literal_view ? literal_base : std::min(literal_base, constant_base));
    const std::size_t listed = std::min(order_.size(), most_labels);
    view.rows.resize(listed);
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const Label& label = counts_[order_[i]].first;
      if (i < listed) {
        view.labels.push_back(label);
        view.log_base.push_back(std::log(!label.relative         ? literal_base
                                         : label.difference == 0 ? 0.45
                                                                 : constant_base));
      }
      for (std::size_t r = 0; r < row_label_.size(); ++r)
        if (row_label_[r] == order_[i]) (i < listed ? view.rows[i] : view.others).insert(r);
    }
  }

  const std::vector<Cell>* targets_ = nullptr;
  std::vector<Candidate> candidates_;
  std::vector<std::pair<Label, std::size_t>> counts_;
  std::vector<std::size_t> row_label_;
  std::vector<std::size_t> order_;
};

}  // namespace icpi::induction
