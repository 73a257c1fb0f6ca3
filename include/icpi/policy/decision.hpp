// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "icpi/concepts/legal_actions.hpp"
#include "icpi/core/costs.hpp"
#include "icpi/rollout/return_table.hpp"

namespace icpi {

/// How one action was chosen.
struct Decision {
  bool by_model = false;   ///< false: at random, by an exploration or while no action's value is known
  bool cut_short = false;  ///< the time was up: `values` are the best so far, or absent and the action random
  std::size_t action = 0;  ///< index into the environment's actions
  /// By action, as explorations have adjusted them; NaN for illegal ones, and for those whose value is not known, which
  /// are not chosen. Empty when no values were made.
  std::vector<double> values;
  ReturnTable returns;                  ///< actions x rollouts; what `values` are means of, NaN: not known
  Costs costs;                          ///< of this decision alone
  std::vector<std::uint32_t> legal;     ///< the actions it was made among, ascending; empty: all of them
  LegalSourceCounts imagined_legality;  ///< how it was known what is legal at the observations that were imagined
};

/// Whether an episode is for learning.
enum class EpisodeKind : std::uint8_t {
  training,
  evaluation  ///< nothing is remembered, and nothing is done at random once the prompts can be filled
};

}  // namespace icpi
