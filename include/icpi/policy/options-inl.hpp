// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "icpi/policy/options.hpp"

namespace icpi {

ICPI_INLINE ValueEstimator recommended::values() { return Planning{{.outcomes = 8, .recall = true}}; }
ICPI_INLINE std::vector<Exploration> recommended::explorations() { return {Optimism{.sparing = true}}; }
ICPI_INLINE ActionSelection recommended::selection() { return Greedy{}; }

ICPI_INLINE std::string DecisionOptions::description() const {
  std::string text = fmt::format("values={}", values.description());
  for (const Exploration& each : explorations) text += fmt::format(", exploration={}", each.description());
  return text + fmt::format(", selection={}, update_within_episode={}", selection.description(), update_within_episode);
}

ICPI_INLINE PolicyIterationOptions paper_options() {
  PolicyIterationOptions options;
  options.decisions.values = MeanOfRollouts{};
  options.decisions.explorations = {WarmUp{}};
  options.decisions.update_within_episode = false;
  options.prompts.examples = BalancedExamples{};
  options.prompts.context_tokens = 3800;
  options.queries.sampling.temperature = 0.1;
  return options;
}

}  // namespace icpi
