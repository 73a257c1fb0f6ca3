// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

namespace icpi::llama {

using Token = std::int32_t;     ///< a word of the vocabulary
using Sequence = std::int32_t;  ///< a line of tokens in memory; sequences share the cells of tokens they share

/// A token to be computed. Sequences that are computed together must have been equal so far; where the model keeps states
/// no two are.
struct BatchToken {
  Token token = 0;
  std::int32_t position = 0;
  std::span<const Sequence> sequences;
  bool output = false;  ///< whether the logits after it are wanted
};

}  // namespace icpi::llama
