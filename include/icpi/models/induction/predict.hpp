// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "icpi/models/induction/fit.hpp"
#include "icpi/models/induction/parts.hpp"
#include "icpi/models/induction/query_text.hpp"

namespace icpi::induction {

/// Applies fits to queries.
class Predictor {
 public:
  /// The next token of `query`, whose record has the form that `fit` was learned for.
  void predict(const Fit& fit, QueryText& query, Prediction& prediction) {
    prediction.options.clear();
    read_cells(fit, query);
    double largest = -1e300;
    for (const LevelFit& level : fit.levels)
      for (const LevelFit::Hypothesis& hypothesis : level.hypotheses)
        largest = std::max(largest, hypothesis.log_weight);
    total_ = 0;
    pending_.clear();
    for (const LevelFit& level : fit.levels) vote(fit, level, query, largest);
    recall(fit, prediction);
    prediction.finish();
  }

 private:
  void read_cells(const Fit& fit, const QueryText& query) {
    cells_.clear();
    for (const Column column : fit.columns) {
      const auto line = query.line(column.depth);
      if (column.place >= line.size()) {
        cells_.push_back({});
        continue;
      }
      const TokenInfo& info = query.info(line[column.place]);
      cells_.push_back({line[column.place], info.kind == TokenKind::number, info.value});
    }
  }

  /// Adds what the hypotheses of one level say, weighted.
  void vote(const Fit& fit, const LevelFit& level, QueryText& query, double largest) {
    const auto cells = [&](std::size_t column) -> const Cell& { return cells_[level.columns[column]]; };
    truth_.assign(level.tests.size(), -1);
    for (std::size_t v = 0; v < level.views.size(); ++v) {
      const View& view = level.views[v];
      label_.assign(view.labels.size(), 0);
      double voted = 0;
      for (const LevelFit::Hypothesis& hypothesis : level.hypotheses) {
        if (hypothesis.view != v) continue;
        const double weight = std::exp(hypothesis.log_weight - largest);
        if (weight < 1e-5) continue;
        descend(level, hypothesis, cells, 0, weight);
        voted += weight;
      }
      if (voted == 0) continue;
      std::int64_t base = 0;
      const bool numeric = view.base(cells, base);
      for (std::size_t l = 0; l < view.labels.size(); ++l) {
        const TokenId token = token_of(fit, view, view.labels[l], numeric, base, cells, query);
        if (token != no_token) pending_.push_back({token, label_[l]});
      }
      total_ += voted;
    }
  }

  template <class Cells>
  void descend(const LevelFit& level, const LevelFit::Hypothesis& hypothesis, const Cells& cells, std::size_t node,
               double weight) {
    const std::int16_t test = hypothesis.test[node];
    if (test < 0) {
      const float* leaf = &level.probabilities[hypothesis.leaf[node]];
      for (std::size_t l = 0; l < label_.size(); ++l) label_[l] += weight * static_cast<double>(leaf[l]);
      return;
    }
    double& truth = truth_[static_cast<std::size_t>(test)];
    if (truth < 0) truth = level.tests[static_cast<std::size_t>(test)].holds(cells);
    if (truth > 0) descend(level, hypothesis, cells, hypothesis.yes[node], weight * truth);
    if (truth < 1) descend(level, hypothesis, cells, hypothesis.no[node], weight * (1 - truth));
  }

  template <class Cells>
  TokenId token_of(const Fit& fit, const View& view, const Label& label, bool numeric, std::int64_t base,
                   const Cells& cells, QueryText& query) {
    if (!label.relative) return label.token;
    if (!numeric) return view.kind == View::Kind::relative && label.difference == 0 ? cells(view.a).token : no_token;
    if (view.kind == View::Kind::relative && label.difference == 0) {
      const TokenInfo& same = query.info(cells(view.a).token);
      if (fit.decimals < 0 || same.decimals == fit.decimals) return cells(view.a).token;
    }
    return number(fit, base + label.difference, query);
  }

  TokenId number(const Fit& fit, std::int64_t value, QueryText& query) {
    int decimals = fit.decimals;
    if (decimals < 0) {
      decimals = value_digits;
      for (std::int64_t rest = value; decimals > 0 && rest % 10 == 0; rest /= 10) --decimals;
    }
    text_.clear();
    append_number(text_, value, decimals);
    return query.id_of(text_, detail::lex_number(text_, 0).kind);  // a word when it has too many digits
  }

  /// Normalises, and blends in what followed exactly the same record.
  void recall(const Fit& fit, Prediction& prediction) {
    std::uint64_t hash = 0;
    for (const Cell& cell : cells_) hash = hash_cell(hash, cell.token);
    auto memory = std::lower_bound(fit.memories.begin(), fit.memories.end(), hash,
                                   [](const Fit::Memory& m, std::uint64_t h) { return m.hash < h; });
    double times = 0;
    if (left_out == Part::repetitions) memory = fit.memories.end();
    for (auto m = memory; m != fit.memories.end() && m->hash == hash; ++m) times += m->times;
    const double trust = times / (times + fit.distrust);
    if (total_ > 0)
      for (const Option& option : pending_) prediction.add(option.token, option.probability * (1 - trust) / total_);
    for (; memory != fit.memories.end() && memory->hash == hash; ++memory)
      prediction.add(memory->target, trust * memory->times / times * (times / (times + 0.02)));
  }

  std::vector<Cell> cells_;
  std::vector<double> truth_;
  std::vector<double> label_;
  std::vector<Option> pending_;
  double total_ = 0;
  std::string text_;
};

}  // namespace icpi::induction
