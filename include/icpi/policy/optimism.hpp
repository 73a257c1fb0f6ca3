// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <string>

#include "icpi/core/export.hpp"
#include "icpi/policy/exploration.hpp"
#include "icpi/rollout/decision_task.hpp"
#include "icpi/rollout/hope.hpp"

namespace icpi {

/// Exploration in imagination: what is not known is hoped to gain the highest reward there is, wherever it is imagined, and
/// planning carries that to where the agent stands (R-max: Brafman and Tennenholtz 2002). Beyond the paper. Of use with
/// estimators that plan.
///
/// The highest reward is `reward_bound` until that was gained, and afterwards what was gained, which counts once where it ended
/// the episode whenever it came. Without a bound nothing is known to be high before more than 0 was gained: hope is boundless
/// until then, and the way to what was never tried is taken whatever it costs. So no decision depends on the scale of rewards.
///
/// A step that was never tried at an observation is unknown. Entirely, until the highest reward is known, and where experience
/// recurs: at least half of all recorded steps began where something had been done before, so that what a trial teaches will be
/// of use again. Else, where hardly anything is seen twice, by 1 - (1 - 1 / (n + 2)) p, where n observations, at least 1, is how
/// often the action held no surprise elsewhere (the rule of succession), and p how sure the model is of what it predicts. One that
/// was tried n times is unknown by c trials / (trials + n), where c is how often repeating the action has not come out the same, of
/// its own observations and, as one more, of those of all actions (by the rule of succession, too): next to 0 once much was
/// repeated and nothing came out differently.
///
/// A `sparing` one hopes for nothing where all of this holds: the highest reward is known; every action was done; equal steps had
/// equal rewards and terminations; this episode's decisions did not do the same twice at one observation. Then the model's plan is
/// worth more than a trial of what it would be wrong about: a plan that is wrong and does not find out goes in circles. What was
/// never tried is preferred among equals there, as by UntriedFirst with a bonus of a thousandth of the highest reward. Where only
/// the last of this fails, and nothing at all was a matter of chance, what was never tried is unknown by half, so that of the
/// trials the model's cheapest comes first.
struct ICPI_API Optimism {
  std::optional<double> reward_bound{};  ///< highest reward of a step; finite; not set: it is not known
  double trials = 3;                     ///< after which half of what chance decides is known; 0 or more, finite
  bool doubt = true;                     ///< whether the doubt of a model counts that GivesLogprobs: p, else 1
  bool sparing = false;                  ///< whether it hopes only where there is a reason to

  /// See HopesInImagination.
  [[nodiscard]] ICPI_API Hope hope(const DecisionContext& context, std::span<const PlannedStep> steps,
                                   std::span<double> unknown) const;
  /// See AdjustsValues: where a sparing one hopes for nothing.
  ICPI_API void adjust(const DecisionContext& context, std::span<double> values) const;
  /// Name and parameters.
  [[nodiscard]] ICPI_API std::string description() const;
  /// Throws InvalidArgument for parameters out of range.
  ICPI_API void check() const;
};

#if !defined(ICPI_HEADER_ONLY)
// Compiled once, in the library.
extern template struct HeldStrategy<ExplorationCalls, ExplorationCalls::Of<Optimism>, Optimism>;
extern template struct ExplorationCalls::Of<Optimism>;
#endif

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/policy/optimism-inl.hpp"
#endif
