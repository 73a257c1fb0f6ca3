// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "icpi/concepts/history.hpp"
#include "icpi/concepts/legal_actions.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/owned.hpp"
#include "icpi/core/random.hpp"
#include "icpi/core/strategy.hpp"
#include "icpi/policy/decision.hpp"
#include "icpi/rollout/decision_task.hpp"
#include "icpi/rollout/hope.hpp"

namespace icpi {

/// What an exploration may know of a decision. A view, valid during the call.
struct DecisionContext {
  EpisodeKind kind = EpisodeKind::training;  ///< explorations that act at random are asked in training only
  std::uint64_t episode = 0;                 ///< episodes begun, this one included
  std::uint64_t step = 0;                    ///< steps of the episode before this one
  std::size_t trajectories = 0;              ///< trajectories that policy prompts show
  std::size_t actions = 0;                   ///< how many there are
  std::uint32_t prompt_context = 0;          ///< for `history`
  ObservationId observation = 0;             ///< where the agent stands; of use to adjust() and hope()
  const History* history = nullptr;          ///< what was lived through; null in acts_at_random()
  /// Whether the decisions of this episode went in a circle: two of them did the same at the same observation. In adjust() and
  /// hope(), where some exploration hopes.
  bool repeats = false;
  LegalActions legal{};  ///< what may be done now; empty: everything

  /// Whether the action was ever done at this observation. In adjust() and hope().
  [[nodiscard]] bool tried(std::size_t action) const {
    return history->tried(prompt_context, observation, static_cast<std::uint32_t>(action));
  }
  /// What came of an imagined step where it was done. In adjust() and hope().
  [[nodiscard]] OutcomeCounts outcomes(const PlannedStep& imagined) const {
    return history->outcomes(prompt_context, imagined.observation, imagined.action);
  }
  /// What is known of the action, wherever it was done. In adjust() and hope().
  [[nodiscard]] ActionExperience experience(std::size_t action) const {
    return history->experience(prompt_context, static_cast<std::uint32_t>(action));
  }
};

/// Acts at random, among the legal actions, in place of asking the model.
template <class T>
concept ActsAtRandom = requires(T& strategy, const DecisionContext& context, RandomStream& stream) {
  { strategy.acts_at_random(context, stream) } -> std::same_as<bool>;  // acts_at_random(context, stream)
};

/// Changes values before an action is selected. Those of illegal actions are NaN, and stay so whatever it does; those that
/// are not known, because the time was up, are NaN too, and their actions are not chosen while that is so.
template <class T>
concept AdjustsValues = requires(T& strategy, const DecisionContext& context, std::span<double> values) {
  strategy.adjust(context, values);  // adjust(context, values): by action
};

/// Says how much of what is imagined is not known, and what may be hoped for there: estimators that plan carry it to where the
/// agent stands. In training only. The steps may be anywhere; those that cannot be done are not among them. It is asked twice:
/// first, with PlannedStep::known off and probability 1, about steps that the model may be asked about, which it is not where
/// unknown[i] is 1; then about all with what the model said.
template <class T>
concept HopesInImagination = requires(T& strategy, const DecisionContext& context, std::span<const PlannedStep> steps,
                                      std::span<double> unknown) {
  { strategy.hope(context, steps, unknown) } -> std::same_as<Hope>;  // hope(context, steps, unknown): fills unknown
};

/// How an agent comes to try what it would not do by its values. One of the members, or several; optional: `check()`.
template <class T>
concept Explores =
    std::copyable<T> && DescribesItself<T> && (ActsAtRandom<T> || AdjustsValues<T> || HopesInImagination<T>);

/// The calls behind Exploration.
struct ICPI_API ExplorationCalls : StrategyCalls {
  /// Which types are strategies of this kind.
  template <class T>
  static constexpr bool accepts = Explores<T>;

  /// See ActsAtRandom; else false.
  [[nodiscard]] virtual bool acts_at_random(const DecisionContext& context, RandomStream& stream) = 0;
  /// See AdjustsValues; else nothing.
  virtual void adjust(const DecisionContext& context, std::span<double> values) = 0;
  /// Whether it has hope().
  [[nodiscard]] virtual bool hopes() const = 0;
  /// See HopesInImagination; else nothing is unknown.
  [[nodiscard]] virtual Hope hope(const DecisionContext& context, std::span<const PlannedStep> steps,
                                  std::span<double> unknown) = 0;
  /// A copy of what is held.
  [[nodiscard]] virtual Owned<ExplorationCalls> clone() const = 0;

  /// A strategy of type T.
  template <class T>
  struct ICPI_API Of final : HeldStrategy<ExplorationCalls, Of<T>, T> {
    using HeldStrategy<ExplorationCalls, Of<T>, T>::HeldStrategy;
    bool acts_at_random(const DecisionContext& context, RandomStream& stream) override {
      if constexpr (ActsAtRandom<T>) return this->strategy.acts_at_random(context, stream);
      return false;
    }
    void adjust(const DecisionContext& context, std::span<double> values) override {
      if constexpr (AdjustsValues<T>) this->strategy.adjust(context, values);
    }
    bool hopes() const override { return HopesInImagination<T>; }
    Hope hope(const DecisionContext& context, std::span<const PlannedStep> steps, std::span<double> unknown) override {
      if constexpr (HopesInImagination<T>) return this->strategy.hope(context, steps, unknown);
      for (double& each : unknown) each = 0;
      return {};
    }
  };
};

/// Any exploration: WarmUp, UntriedFirst, RandomRate, Optimism or a user's own.
using Exploration = Strategy<ExplorationCalls>;

/// Exploration of the paper (section 3): acts by its values with probability 1 / (1 + exp(slope (successes - n))), n =
/// trajectories that policy prompts show.
struct ICPI_API WarmUp {
  double successes = 3;  ///< n at which the probability is one half
  double slope = 2;      ///< how suddenly it rises; finite
  bool abrupt = false;   ///< at random until n >= successes, never afterwards

  /// Of acting by its values, with this many trajectories.
  [[nodiscard]] ICPI_API double probability(std::size_t trajectories) const noexcept;
  /// See ActsAtRandom.
  [[nodiscard]] ICPI_API bool acts_at_random(const DecisionContext& context, RandomStream& stream) const;
  /// Name and parameters.
  [[nodiscard]] ICPI_API std::string description() const;
  /// Throws InvalidArgument for parameters out of range.
  ICPI_API void check() const;

  friend bool operator==(const WarmUp&, const WarmUp&) = default;
};

/// Adds to the value of actions that were never tried at the current observation: above 0 but below all differences of
/// values it is a tie-break. In training only: where nothing is learned, nothing is tried.
struct ICPI_API UntriedFirst {
  double bonus = 0.001;  ///< finite

  /// See AdjustsValues.
  ICPI_API void adjust(const DecisionContext& context, std::span<double> values) const;
  /// Name and parameters.
  [[nodiscard]] ICPI_API std::string description() const;
  /// Throws InvalidArgument for parameters out of range.
  ICPI_API void check() const;
};

/// Acts uniformly at random at a constant rate (epsilon-greedy).
struct ICPI_API RandomRate {
  double rate = 0.1;  ///< 0 to 1

  /// See ActsAtRandom.
  [[nodiscard]] ICPI_API bool acts_at_random(const DecisionContext& context, RandomStream& stream) const;
  /// Name and parameters.
  [[nodiscard]] ICPI_API std::string description() const;
  /// Throws InvalidArgument for parameters out of range.
  ICPI_API void check() const;
};

#if !defined(ICPI_HEADER_ONLY)
// Compiled once, in the library.
extern template struct HeldStrategy<ExplorationCalls, ExplorationCalls::Of<WarmUp>, WarmUp>;
extern template struct ExplorationCalls::Of<WarmUp>;
extern template struct HeldStrategy<ExplorationCalls, ExplorationCalls::Of<UntriedFirst>, UntriedFirst>;
extern template struct ExplorationCalls::Of<UntriedFirst>;
extern template struct HeldStrategy<ExplorationCalls, ExplorationCalls::Of<RandomRate>, RandomRate>;
extern template struct ExplorationCalls::Of<RandomRate>;
#endif

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/policy/exploration-inl.hpp"
#endif
