// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace icpi {

/// What decisions cost, in counts. Tokens in the model's own units.
struct Costs {
  std::uint64_t lm_calls = 0;           ///< requests that reached the model
  std::uint64_t prompt_tokens = 0;      ///< tokens of their prompts
  std::uint64_t cached_tokens = 0;      ///< part of prompt_tokens that was served from a kept prefix
  std::uint64_t completion_tokens = 0;  ///< tokens generated
  std::uint64_t rounds = 0;             ///< batches that had to wait for each other; 0 where answers come one by one
  std::uint64_t retries = 0;            ///< questions asked again after an invalid or failed answer
  std::uint64_t invalid = 0;            ///< predictions that could not be read
  std::uint64_t failures = 0;           ///< answers that did not come: infrastructure, not prediction
  std::uint64_t over_budget = 0;        ///< requests that a budget refused
  std::uint64_t cancelled = 0;          ///< requests that were cancelled
  std::uint64_t deduplicated = 0;       ///< questions answered by an identical one
  std::uint64_t wasted = 0;             ///< speculative answers that were not needed

  /// Prompt tokens that had to be computed.
  [[nodiscard]] std::uint64_t computed_tokens() const noexcept { return prompt_tokens - cached_tokens; }

  /// Adds all counts.
  Costs& operator+=(const Costs& other) noexcept {
    lm_calls += other.lm_calls;
    prompt_tokens += other.prompt_tokens;
    cached_tokens += other.cached_tokens;
    completion_tokens += other.completion_tokens;
    rounds += other.rounds;
    retries += other.retries;
    invalid += other.invalid;
    failures += other.failures;
    over_budget += other.over_budget;
    cancelled += other.cancelled;
    deduplicated += other.deduplicated;
    wasted += other.wasted;
    return *this;
  }
  /// What was spent since `before`, an earlier state of the same counts.
  friend Costs operator-(Costs now, const Costs& before) noexcept {
    now.lm_calls -= before.lm_calls;
    now.prompt_tokens -= before.prompt_tokens;
    now.cached_tokens -= before.cached_tokens;
    now.completion_tokens -= before.completion_tokens;
    now.rounds -= before.rounds;
    now.retries -= before.retries;
    now.invalid -= before.invalid;
    now.failures -= before.failures;
    now.over_budget -= before.over_budget;
    now.cancelled -= before.cancelled;
    now.deduplicated -= before.deduplicated;
    now.wasted -= before.wasted;
    return now;
  }
  friend bool operator==(const Costs&, const Costs&) = default;
};

}  // namespace icpi
