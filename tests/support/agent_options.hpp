// SPDX-License-Identifier: MIT
// Parameters of the paper's strategies, for tests and benchmarks that vary them one by one.
#pragma once

#include <cstdint>

#include "icpi/policy/options.hpp"

namespace icpi_test {

/// When a prompt's examples are drawn.
enum class PromptMode : std::uint8_t {
  per_query,  ///< BalancedExamples
  stable      ///< AppendOnlyExamples
};

inline icpi::ExampleSelection examples_of(PromptMode mode) {
  if (mode == PromptMode::stable) return icpi::AppendOnlyExamples{};
  return icpi::BalancedExamples{};
}

/// Of options whose values are means of rollouts.
inline icpi::RolloutOptions& rollouts_of(icpi::PolicyIterationOptions& options) {
  return options.decisions.values.get_if<icpi::MeanOfRollouts>()->options;
}

/// The paper's, with these examples.
inline icpi::PolicyIterationOptions paper_options_with(PromptMode mode) {
  auto options = icpi::paper_options();
  options.prompts.examples = examples_of(mode);
  return options;
}

/// Of agents that ask their model much: random episodes first, nothing is recalled or hoped for, every step is news.
inline icpi::PolicyIterationOptions much_asking_options(std::uint64_t seed = 0) {
  icpi::PolicyIterationOptions options;
  options.seed = seed;
  options.decisions.values = icpi::Planning{};
  options.decisions.explorations = {icpi::WarmUp{.successes = 1}, icpi::UntriedFirst{}};
  options.prompts.examples = icpi::AppendOnlyExamples{.rebuild_fraction = 0.8};
  options.prompts.context_tokens = 3800;
  return options;
}

}  // namespace icpi_test
