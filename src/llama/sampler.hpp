// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "icpi/concepts/language_model.hpp"
#include "icpi/core/random.hpp"

namespace icpi::llama {

/// Whether these logits are probabilities: no NaN, and at least one finite one, which is the largest.
bool can_be_probabilities(std::span<const float> logits);

/// Natural logarithm of the sum of exp(logit) over all logits.
[[nodiscard]] double log_sum_exp(std::span<const float> logits);

/// Draws from logits. Reuses its memory; not for concurrent use.
class Sampler {
 public:
  /// An index drawn with probability proportional to exp(logit / temperature) from the smallest set of most likely ones
  /// that holds top_p; the first of the largest when the temperature is 0. Takes one number from `stream` unless then.
  [[nodiscard]] std::size_t draw(std::span<const float> logits, double temperature, double top_p, RandomStream& stream);

 private:
  std::vector<std::pair<double, std::size_t>> candidates_;
};

/// An index drawn with probability proportional to exp(logprob / temperature); as Sampler for few candidates.
[[nodiscard]] std::size_t draw_one(std::span<const double> logprobs, double temperature, RandomStream& stream);

}  // namespace icpi::llama
