// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "icpi/models/induction/fit.hpp"
#include "icpi/models/induction/positions.hpp"
#include "icpi/models/induction/predict.hpp"
#include "icpi/models/induction/prefix_index.hpp"
#include "icpi/models/induction/query_text.hpp"

namespace icpi::induction {

/// What a prefix teaches, kept between queries: its index, and what was learned about the positions that queries
/// reached. Nothing that is kept depends on which queries came before.
class PrefixState {
 public:
  /// A position: a record's form so far, and the form of the line in progress.
  struct Node {
    const Context* context = nullptr;
    std::vector<Place> partial;
    std::span<const std::uint32_t> whole;  ///< lines that agree so far
    std::vector<std::uint32_t> own;        ///< them, where they are fewer than one token before
    std::vector<std::pair<TokenClass, Node*>> next;
    TokenId agreed = no_token;  ///< what follows in all of them, unless it is a number or they are few
    std::unique_ptr<Fit> fit;
  };

  /// Positions that take more bytes than that are forgotten, and learned again when a query comes by.
  explicit PrefixState(std::size_t most_kept_bytes = std::size_t{64} << 20) : most_kept_bytes_(most_kept_bytes) {}

  /// Whether what is learned from now on is InductionVersion::calibrated.
  void calibrate(bool calibrated) noexcept { builder_.calibrated = calibrated; }

  void clear() {
    index_.clear();
    forget_fits();
  }

  /// Reads a prefix that begins with everything read so far.
  void extend(std::string_view text) {
    if (text.size() == index_.text().size()) return;
    index_.extend(text);
    forget_fits();
  }

  [[nodiscard]] const PrefixIndex& index() const noexcept { return index_; }

  /// The position at the end of the query. Valid until the next call of start(), after() or extend().
  Node& start(const QueryText& query) { return walk(query); }

  /// The position after one more token, which was pushed to the query already.
  Node& after(Node& node, TokenId token, const QueryText& query) {
    const bool afresh = query.line(0).size() <= 1 || kept_bytes() > most_kept_bytes_;
    return afresh ? walk(query) : step(node, token, query);
  }

  /// Bytes that are kept of positions, about.
  [[nodiscard]] std::size_t kept_bytes() const noexcept { return kept_bytes_ + finder_.kept_bytes(); }

  void predict(Node& node, QueryText& query, Predictor& predictor, Prediction& prediction) {
    if (node.agreed != no_token) {
      const auto times = static_cast<double>(node.whole.size());
      prediction.options.assign(1, {node.agreed, times / (times + 0.05)});
      prediction.finish();
      return;
    }
    if (!node.fit) learn(node);
    if (node.fit->levels.empty())
      guess(query, prediction);
    else
      predictor.predict(*node.fit, query, prediction);
  }

 private:
  static constexpr std::size_t enough_to_agree = 6;
  static constexpr std::size_t longest_suffix = 4;

  void forget_fits() {
    contexts_.clear();
    nodes_.clear();
    all_.clear();
    finder_.forget();
    kept_bytes_ = 0;
  }

  Node& walk(const QueryText& query) {
    if (kept_bytes() > most_kept_bytes_) forget_fits();
    std::uint64_t key = query.history();
    for (std::size_t d = 1; d <= query.depth(); ++d) key = mix(key, query.line(d).size());
    Node*& root = nodes_[key];
    if (root == nullptr) root = &make_root(query);
    Node* node = root;
    for (const TokenId token : query.line(0)) node = &step(*node, token, query);
    return *node;
  }

  Node& make_root(const QueryText& query) {
    Context& context = *contexts_.emplace_back(std::make_unique<Context>());
    for (std::size_t d = 1; d <= query.depth(); ++d) {
      ContextLine& line = context.lines.emplace_back();
      line.form = query.describe(query.line(d), line.places);
      line.key = line.form;
      if (line.form != no_template) continue;
      for (const TokenId id : query.line(d))
        line.key = mix(line.key, query.info(id).kind == TokenKind::number ? number_class : hash_text(query.text(id)));
    }
    context.whole = index_.following(query.history());
    finder_.set_history(query.history());
    finder_.find_similar(index_, context);
    kept_bytes_ += sizeof(Context) + context.similar.capacity() * sizeof(std::uint32_t);
    for (const ContextLine& line : context.lines) kept_bytes_ += sizeof line + line.places.capacity() * sizeof(Place);
    Node& node = make_node(context);
    node.whole = context.whole;
    agree(node);
    return node;
  }

  Node& make_node(const Context& context) {
    Node& node = *all_.emplace_back(std::make_unique<Node>());
    node.context = &context;
    kept_bytes_ += sizeof node;
    return node;
  }

  Node& step(Node& node, TokenId token, const QueryText& query) {
    const std::size_t place = node.partial.size();
    const TokenClass seen = query.class_of(token);
    TokenClass kept = seen;
    scratch_.clear();
    for (const std::uint32_t line : node.whole) {
      const Template& form = index_.forms()[index_.lines()[line].form];
      if (place >= form.size() || !admits(form[place], seen)) continue;
      if (form[place] == varying_class) kept = varying_class;
      scratch_.push_back(line);
    }
    for (const auto& [token_class, child] : node.next)
      if (token_class == kept && std::equal(child->whole.begin(), child->whole.end(), scratch_.begin(), scratch_.end()))
        return *child;
    Node& child = make_node(*node.context);
    child.partial = node.partial;
    child.partial.push_back({kept, query.info(token).kind == TokenKind::space});
    child.whole = node.whole;
    if (scratch_.size() < node.whole.size()) child.whole = child.own = scratch_;
    kept_bytes_ += child.partial.capacity() * sizeof(Place) + child.own.capacity() * sizeof(std::uint32_t);
    agree(child);
    node.next.emplace_back(kept, &child);
    return child;
  }

  void agree(Node& node) const {
    if (node.whole.size() < enough_to_agree) return;
    const TokenId first = index_.token(node.whole.front(), node.partial.size());
    if (index_.vocabulary()[first].kind == TokenKind::number) return;
    const bool all = std::all_of(node.whole.begin(), node.whole.end(),
                                 [&](std::uint32_t line) { return index_.token(line, node.partial.size()) == first; });
    if (all) node.agreed = first;
  }

  void learn(Node& node) {
    node.fit = std::make_unique<Fit>();
    finder_.tabulate(index_, *node.context, node.partial, node.whole, table_);
    builder_.build(index_.vocabulary(), table_, *node.fit);
    kept_bytes_ += node.fit->bytes();
  }

  /// Without any line of this form: what followed the longest suffix of the line in progress that stood before.
  void guess(const QueryText& query, Prediction& prediction) {
    prediction.options.clear();
    times_.assign(index_.vocabulary().size(), 0);
    const auto line = query.line(0);
    for (std::size_t size = std::min(line.size(), longest_suffix); size > 0 && prediction.options.empty(); --size) {
      const auto suffix = line.last(size);
      for (std::uint32_t i = 0; i < index_.lines().size(); ++i) {
        const auto tokens = index_.tokens(index_.lines()[i]);
        for (std::size_t end = size; end <= tokens.size(); ++end)
          if (std::equal(suffix.begin(), suffix.end(), tokens.begin() + static_cast<std::ptrdiff_t>(end - size)))
            if (const TokenId token = index_.token(i, end); times_[token]++ == 0)
              prediction.options.push_back({token, 0});
      }
    }
    double total = 0.5;
    for (const Option& option : prediction.options) total += times_[option.token];
    for (Option& option : prediction.options) option.probability = times_[option.token] / total;
    prediction.finish();
  }

  PrefixIndex index_;
  std::vector<std::unique_ptr<Context>> contexts_;
  std::unordered_map<std::uint64_t, Node*> nodes_;
  std::vector<std::unique_ptr<Node>> all_;
  std::size_t most_kept_bytes_;
  std::size_t kept_bytes_ = 0;
  PositionFinder finder_;
  FitBuilder builder_;
  Table table_;
  std::vector<std::uint32_t> scratch_;
  std::vector<std::uint32_t> times_;  ///< by token
};

}  // namespace icpi::induction
