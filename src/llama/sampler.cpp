// SPDX-License-Identifier: MIT
#include "sampler.hpp"

#include <algorithm>
#include <cmath>

namespace icpi::llama {

namespace {

/// exp of less is nothing beside exp(0), whatever the vocabulary.
constexpr double negligible = -60;

}  // namespace

bool can_be_probabilities(std::span<const float> logits) {
  const auto unordered = [](float logit) { return std::isnan(logit); };
  return !logits.empty() && std::none_of(logits.begin(), logits.end(), unordered) &&
         std::isfinite(*std::max_element(logits.begin(), logits.end()));
}

double log_sum_exp(std::span<const float> logits) {
  const double highest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - highest);
  return highest + std::log(sum);
}

std::size_t Sampler::draw(std::span<const float> logits, double temperature, double top_p, RandomStream& stream) {
  const auto best = std::max_element(logits.begin(), logits.end());
  const auto first = static_cast<std::size_t>(best - logits.begin());
  if (temperature == 0) return first;
  candidates_.clear();
  double total = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double exponent = (static_cast<double>(logits[i]) - static_cast<double>(*best)) / temperature;
    if (!(exponent > negligible)) continue;
    candidates_.emplace_back(std::exp(exponent), i);
    total += candidates_.back().first;
  }
  if (top_p < 1) {
    std::stable_sort(candidates_.begin(), candidates_.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    double kept = 0;
    std::size_t count = 0;
    while (count < candidates_.size() && (count == 0 || kept < top_p * total)) kept += candidates_[count++].first;
    candidates_.resize(count);
    total = kept;
  }
  double left = stream.uniform() * total;
  for (const auto& [weight, index] : candidates_) {
    left -= weight;
    if (left < 0) return index;
  }
  return candidates_.empty() ? first : candidates_.back().second;
}

std::size_t draw_one(std::span<const double> logprobs, double temperature, RandomStream& stream) {
  const auto best = std::max_element(logprobs.begin(), logprobs.end());
  const auto first = static_cast<std::size_t>(best - logprobs.begin());
  if (temperature == 0) return first;
  const auto weight = [&](double logprob) {
    return logprob == *best ? 1.0 : std::exp((logprob - *best) / temperature);
  };
  double total = 0;
  for (const double each : logprobs) total += weight(each);
  double left = stream.uniform() * total;
  for (std::size_t i = 0; i < logprobs.size(); ++i) {
    left -= weight(logprobs[i]);
    if (left < 0) return i;
  }
  return first;
}

}  // namespace icpi::llama
