// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "loaded_model.hpp"

namespace icpi::llama {

/// Continuations of one prompt as a tree of tokens. Node 0 is the prompt's end; children come in the order of their
/// arrival.
class TokenTrie {
 public:
  static constexpr std::size_t none = ~std::size_t{0};

  struct Node {
    Token token = 0;
    std::size_t parent = none;
    std::size_t depth = 0;            ///< tokens from the root
    std::size_t continuation = none;  ///< that ends here, the first of equal ones
    std::vector<std::size_t> children;
    bool needed = false;         ///< whether its token must be computed
    bool wanted = false;         ///< whether the logits after it are wanted
    std::size_t first_path = 0;  ///< the paths through it: first_path .. last_path - 1
    std::size_t last_path = 1;
    double logprob = 0;  ///< of the token after its parent; set by its user
  };

  /// Takes the continuations as lists of tokens. `all`: the logits of every token are wanted; otherwise those that
  /// decide which way to go.
  TokenTrie(std::span<const std::vector<Token>> continuations, bool all);

  [[nodiscard]] std::vector<Node>& nodes() noexcept { return nodes_; }
  [[nodiscard]] const std::vector<Node>& nodes() const noexcept { return nodes_; }
  /// Where continuation i ends.
  [[nodiscard]] std::size_t end_of(std::size_t continuation) const { return ends_[continuation]; }
  /// The needed nodes except the root, parents first, as they are to be computed.
  [[nodiscard]] const std::vector<std::size_t>& order() const noexcept { return order_; }
  /// Sequences that computing the needed nodes takes; at least 1.
  [[nodiscard]] std::size_t paths() const noexcept { return nodes_[0].last_path; }
  /// Tokens on the longest way.
  [[nodiscard]] std::size_t depth() const noexcept { return depth_; }
  /// Whether there is more than one way to go on.
  [[nodiscard]] static bool is_fork(const Node& node) noexcept {
    return node.children.size() + (node.continuation == none ? 0 : 1) > 1;
  }

 private:
  void add(const std::vector<Token>& tokens, std::size_t continuation);
  void mark(bool all);
  void lay_out();

  std::vector<Node> nodes_;
  std::vector<std::size_t> ends_;
  std::vector<std::size_t> order_;
  std::size_t depth_ = 0;
};

}  // namespace icpi::llama
