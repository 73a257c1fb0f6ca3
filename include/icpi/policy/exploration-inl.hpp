// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <span>
#include <string>

#include "icpi/core/check_option.hpp"
#include "icpi/policy/exploration.hpp"

namespace icpi {

static_assert(Explores<WarmUp> && Explores<UntriedFirst> && Explores<RandomRate>);

ICPI_INLINE double WarmUp::probability(std::size_t trajectories) const noexcept {
  const auto n = static_cast<double>(trajectories);
  if (abrupt) return n >= successes ? 1 : 0;
  return 1 / (1 + std::exp(slope * (successes - n)));
}

ICPI_INLINE bool WarmUp::acts_at_random(const DecisionContext& context, RandomStream& stream) const {
  return !(stream.uniform() < probability(context.trajectories));
}

ICPI_INLINE std::string WarmUp::description() const {
  return fmt::format("warm_up(successes={}, slope={}, abrupt={})", successes, slope, abrupt);
}

ICPI_INLINE void WarmUp::check() const {
  check_option(!std::isnan(successes), "warm_up.successes", successes, "numbers");
  check_option(std::isfinite(slope), "warm_up.slope", slope, "finite numbers");
}

ICPI_INLINE void UntriedFirst::adjust(const DecisionContext& context, std::span<double> values) const {
  if (context.kind == EpisodeKind::evaluation) return;
  for (std::size_t action = 0; action < values.size(); ++action)
    if (!context.tried(action)) values[action] += bonus;
}

ICPI_INLINE std::string UntriedFirst::description() const { return fmt::format("untried_first(bonus={})", bonus); }

ICPI_INLINE void UntriedFirst::check() const {
  check_option(std::isfinite(bonus), "untried_first.bonus", bonus, "finite numbers");
}

ICPI_INLINE bool RandomRate::acts_at_random(const DecisionContext&, RandomStream& stream) const {
  return stream.uniform() < rate;
}

ICPI_INLINE std::string RandomRate::description() const { return fmt::format("random_rate(rate={})", rate); }

ICPI_INLINE void RandomRate::check() const { check_option(rate >= 0 && rate <= 1, "random_rate.rate", rate, "0 to 1"); }

#if !defined(ICPI_HEADER_ONLY)
template struct HeldStrategy<ExplorationCalls, ExplorationCalls::Of<WarmUp>, WarmUp>;
template struct ExplorationCalls::Of<WarmUp>;
template struct HeldStrategy<ExplorationCalls, ExplorationCalls::Of<UntriedFirst>, UntriedFirst>;
template struct ExplorationCalls::Of<UntriedFirst>;
template struct HeldStrategy<ExplorationCalls, ExplorationCalls::Of<RandomRate>, RandomRate>;
template struct ExplorationCalls::Of<RandomRate>;
#endif

}  // namespace icpi
