// SPDX-License-Identifier: MIT
#include "token_trie.hpp"

#include <algorithm>

namespace icpi::llama {

TokenTrie::TokenTrie(std::span<const std::vector<Token>> continuations, bool all) : nodes_(1) {
  for (std::size_t i = 0; i < continuations.size(); ++i) add(continuations[i], i);
  mark(all);
  lay_out();
}

void TokenTrie::add(const std::vector<Token>& tokens, std::size_t continuation) {
  std::size_t at = 0;
  for (const Token token : tokens) {
    const auto& children = nodes_[at].children;
    const auto found =
        std::find_if(children.begin(), children.end(), [&](std::size_t child) { return nodes_[child].token == token; });
    if (found != children.end()) {
      at = *found;
      continue;
    }
    const std::size_t child = nodes_.size();
    nodes_[at].children.push_back(child);
    nodes_.push_back({.token = token, .parent = at, .depth = nodes_[at].depth + 1, .children = {}});
    at = child;
  }
  if (nodes_[at].continuation == none) nodes_[at].continuation = continuation;
  ends_.push_back(at);
  depth_ = std::max(depth_, tokens.size());
}

/// Children have higher numbers than their parents.
void TokenTrie::mark(bool all) {
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    Node& node = nodes_[i];
    node.wanted = is_fork(node) || (all && !node.children.empty());
    node.needed = node.needed || node.wanted;
    if (node.needed && i > 0) nodes_[node.parent].needed = true;
  }
}

/// Numbers the paths and lists the needed nodes, depth first. Ways may be as long as a context: no recursion.
void TokenTrie::lay_out() {
  struct Visit {
    std::size_t node;
    std::size_t next_child;
  };
  std::size_t paths = 0;
  std::vector<Visit> way{{0, 0}};
  while (!way.empty()) {
    auto& [at, next_child] = way.back();
    Node& node = nodes_[at];
    if (next_child == 0) node.first_path = paths;
    while (next_child < node.children.size() && !nodes_[node.children[next_child]].needed) ++next_child;
    if (next_child < node.children.size()) {
      const std::size_t child = node.children[next_child++];
      order_.push_back(child);
      way.push_back({child, 0});
      continue;
    }
    if (paths == node.first_path) ++paths;
    node.last_path = paths;
    way.pop_back();
  }
}

}  // namespace icpi::llama
