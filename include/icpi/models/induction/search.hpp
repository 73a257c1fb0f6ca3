// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

#include "icpi/models/induction/evidence.hpp"
#include "icpi/models/induction/parts.hpp"
#include "icpi/models/induction/tests.hpp"
#include "icpi/models/induction/views.hpp"

namespace icpi::induction {

/// A small decision tree over tests; each leaf holds a distribution over the labels of one view.
struct Tree {
  static constexpr std::size_t most_nodes = 7;

  struct Node {
    std::int16_t test = -1;  ///< group of tests; -1: a leaf
    std::uint8_t yes = 0;
    std::uint8_t no = 0;
    RowSet rows;
  };

  std::size_t view = 0;
  std::array<Node, most_nodes> nodes{};
  std::size_t size = 1;
  double log_prior = 0;
  double score = 0;  ///< log prior plus log evidence
};

/// Looks for the trees with the most evidence: exhaustively for one split, by beam for more.
class TreeSearch {
 public:
  /// Fills `trees`, best first. `rows`: those to explain; `known`: those of them whose evidence is not counted in the
  /// final score because they only inform (the score then is how well the tree foretells the rest).
  void find(const std::vector<View>& views, const std::vector<TestGroup>& tests, const RowWeights& weights,
            const RowSet& rows, const RowSet& known, std::vector<Tree>& trees) {
    views_ = &views;
    tests_ = &tests;
    weights_ = &weights;
    trees.clear();
    for (std::size_t v = 0; v < views.size(); ++v) trees.push_back(root(v, rows));
    std::stable_sort(trees.begin(), trees.end(), better);
    std::size_t next = 0;  // trees before it were grown
    constexpr std::array<std::size_t, 3> beam{6, 8, 4};
    for (const std::size_t width : beam) {
      if (left_out == Part::tests || (left_out == Part::several_tests && next > 0)) break;
      const std::size_t end = trees.size();
      grown_.clear();
      std::size_t grown = 0;
      for (std::size_t i = next; i < end && grown < width; ++i) {
        if (trees[i].score < best_score(trees) - reach) break;
        if (grow(trees[i], i)) ++grown;
      }
      if (grown_.empty()) break;
      const auto precedes = [](const Growth& a, const Growth& b) {
        return a.score != b.score ? a.score > b.score
                                  : std::tie(a.tree, a.leaf, a.test) < std::tie(b.tree, b.leaf, b.test);
      };
      const std::size_t kept = std::min(grown_.size(), most_kept);
      std::partial_sort(grown_.begin(), grown_.begin() + static_cast<std::ptrdiff_t>(kept), grown_.end(), precedes);
      grown_.resize(kept);
      next = trees.size();
      for (const Growth& growth : grown_) trees.push_back(split(trees[growth.tree], growth));
    }
    std::stable_sort(trees.begin(), trees.end(), better);
    const double least = trees.front().score - negligible;
    while (trees.size() > most_kept || trees.back().score < least) trees.pop_back();
    subtract_known(known, trees);
  }

  /// Log evidence of the rows of a leaf.
  [[nodiscard]] double evidence(const View& view, const RowSet& rows) const {
    const EvidenceTables& table = EvidenceTables::get();
    unsigned total = 0;
    double sum = 0;
    for (std::size_t i = 0; i < view.rows.size(); ++i) {
      const unsigned weight = weights_->of(view.rows[i], rows);
      if (weight == 0) continue;
      total += weight;
      sum += view.log_base[i] + table.label(weight);
    }
    const unsigned other = weights_->of(view.others, rows);
    if (other > 0) {
      sum += 0.5 * other * (view.log_other + table.label(2));
      total += other;
    }
    return sum - table.total(total);
  }

 private:
  static constexpr std::size_t most_kept = 48;
  static constexpr double negligible = 9;
  static constexpr double reach = 14;
  static constexpr double log_split = -1.2;
  static constexpr double log_leaf = -0.36;

  /// A tree with one split more, before it is made.
  struct Growth {
    double score;
    double prior;
    std::uint32_t tree;
    std::uint16_t leaf;
    std::uint16_t test;
  };

  static bool better(const Tree& a, const Tree& b) noexcept { return a.score > b.score; }
  static double best_score(const std::vector<Tree>& trees) {
    return std::max_element(trees.begin(), trees.end(), [](const Tree& a, const Tree& b) { return a.score < b.score; })
        ->score;
  }

  Tree root(std::size_t v, const RowSet& rows) const {
    const View& view = (*views_)[v];
    Tree tree;
    tree.view = v;
    tree.nodes[0].rows = rows;
    tree.log_prior = view.log_prior + log_leaf;
    tree.score = tree.log_prior + evidence(view, rows);
    return tree;
  }

  [[nodiscard]] bool pure(const View& view, const RowSet& rows) const {
    int labels = (view.others & rows).empty() ? 0 : 2;
    for (std::size_t i = 0; i < view.rows.size() && labels < 2; ++i)
      if (!(view.rows[i] & rows).empty()) ++labels;
    return labels < 2;
  }

  /// Adds every tree with one split more to `grown_` (the poor ones are dropped at once).
  bool grow(const Tree& tree, std::size_t number) {
    if (tree.size + 2 > Tree::most_nodes) return false;
    const View& view = (*views_)[tree.view];
    bool any = false;
    for (std::size_t n = 0; n < tree.size; ++n) {
      const Tree::Node& leaf = tree.nodes[n];
      if (leaf.test >= 0 || pure(view, leaf.rows)) continue;
      any = true;
      const double without = tree.score - evidence(view, leaf.rows);
      for (std::size_t t = 0; t < tests_->size(); ++t) {
        const RowSet yes = leaf.rows & (*tests_)[t].rows;
        if (yes.empty() || yes == leaf.rows) continue;
        const RowSet no = leaf.rows.without((*tests_)[t].rows);
        const double prior = log_split + log_leaf + (*tests_)[t].log_prior;
        const double score = without + prior + evidence(view, yes) + evidence(view, no);
        if (score < tree.score - negligible) continue;
        grown_.push_back({score, prior, static_cast<std::uint32_t>(number), static_cast<std::uint16_t>(n),
                          static_cast<std::uint16_t>(t)});
      }
    }
    return any;
  }

  [[nodiscard]] Tree split(const Tree& tree, const Growth& growth) const {
    Tree grown = tree;
    const RowSet rows = tree.nodes[growth.leaf].rows;
    const RowSet& test = (*tests_)[growth.test].rows;
    Tree::Node& node = grown.nodes[growth.leaf];
    node.test = static_cast<std::int16_t>(growth.test);
    node.yes = static_cast<std::uint8_t>(grown.size);
    node.no = static_cast<std::uint8_t>(grown.size + 1);
    grown.nodes[grown.size++] = {-1, 0, 0, rows & test};
    grown.nodes[grown.size++] = {-1, 0, 0, rows.without(test)};
    grown.log_prior += growth.prior;
    grown.score = growth.score;
    return grown;
  }

  /// score becomes the logarithm of: posterior of the tree given the known rows, times evidence of the others.
  void subtract_known(const RowSet& known, std::vector<Tree>& trees) {
    if (known.empty()) return;
    double largest = -1e300;
    informed_.clear();
    for (const Tree& tree : trees) {
      double score = tree.log_prior;
      for (std::size_t n = 0; n < tree.size; ++n)
        if (tree.nodes[n].test < 0) score += evidence((*views_)[tree.view], tree.nodes[n].rows & known);
      informed_.push_back(score);
      largest = std::max(largest, score);
    }
    double sum = 0;
    for (const double score : informed_) sum += std::exp(score - largest);
    const double total = largest + std::log(sum);
    for (Tree& tree : trees) tree.score -= total;
  }

  const std::vector<View>* views_ = nullptr;
  const std::vector<TestGroup>* tests_ = nullptr;
  const RowWeights* weights_ = nullptr;
  std::vector<Growth> grown_;
  std::vector<double> informed_;
};

}  // namespace icpi::induction
