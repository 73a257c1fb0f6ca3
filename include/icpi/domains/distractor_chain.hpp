// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <string_view>

#include "icpi/concepts/environment.hpp"
#include "icpi/core/random.hpp"
#include "icpi/domains/chain.hpp"
#include "icpi/domains/domain.hpp"
#include "icpi/domains/domain_facts.hpp"

namespace icpi {

/// A chain's state and a number that means nothing.
struct DistractorChainObservation {
  int state = 0;       ///< as in Chain
  int distractor = 0;  ///< drawn anew at every step

  friend auto operator<=>(const DistractorChainObservation&, const DistractorChainObservation&) = default;
};

/// Options of DistractorChain; the defaults are the paper's.
struct DistractorChainOptions {
  ChainOptions chain{};  ///< of the chain itself
  int distractors = 8;   ///< values of the distractor: 0 .. distractors - 1
};

/// A Chain whose observation also holds a number that is drawn uniformly at the start and at every step.
/// Thread-safety: one object by one thread at a time.
class DistractorChain : public Domain<DistractorChain, DistractorChainObservation, ChainAction> {
 public:
  static constexpr std::string_view name = "distractor-chain";  ///< of facts()
  static constexpr std::array action_set = Chain::action_set;   ///< in order

  /// Throws InvalidArgument for options that make no chain.
  explicit DistractorChain(const DistractorChainOptions& options = {}) : options_(options) {
    Chain::validate(name, options.chain);
    detail::require(options.distractors >= 1, "{}: distractors {} must be at least 1", name, options.distractors);
  }

  /// The options of this chain.
  [[nodiscard]] const DistractorChainOptions& options() const noexcept { return options_; }
  /// The planning discount.
  [[nodiscard]] double discount() const noexcept { return options_.chain.discount; }
  /// Steps until truncation; 0: none.
  [[nodiscard]] int time_limit() const noexcept { return options_.chain.time_limit; }
  /// Facts for experiments.
  [[nodiscard]] DomainFacts facts() const noexcept {
    return {.name = name, .horizon = 120, .rollout_limit = 6, .evaluation_discount = options_.chain.discount};
  }

 private:
  friend Domain;

  [[nodiscard]] std::size_t noise_values() const noexcept { return static_cast<std::size_t>(options_.distractors); }

  [[nodiscard]] Observation draw_start(RandomStream& stream) const noexcept {
    const auto state = static_cast<int>(stream.index(static_cast<std::size_t>(options_.chain.length)));
    return {state, static_cast<int>(stream.index(noise_values()))};
  }

  void check(const Observation& observation) const {
    const auto [state, distractor] = observation;
    detail::require(state >= 0 && state < options_.chain.length, "{}: state {} must be in 0..{}", name, state,
                    options_.chain.length - 1);
    detail::require(distractor >= 0 && distractor < options_.distractors, "{}: distractor {} must be in 0..{}", name,
                    distractor, options_.distractors - 1);
  }

  [[nodiscard]] Step<Observation> advance(const Observation& observation, ChainAction action,
                                          std::size_t noise) const noexcept {
    const bool tried = action == ChainAction::try_goal;
    const bool reached = tried && observation.state == options_.chain.goal;
    const int state = Chain::move(observation.state, action, options_.chain.length);
    return {{state, static_cast<int>(noise)}, reached ? 1.0 : 0.0, tried, false};
  }

  DistractorChainOptions options_;
};

static_assert(StateSettable<DistractorChain> && Enumerable<DistractorChain>);

}  // namespace icpi
