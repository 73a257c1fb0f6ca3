// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "job.hpp"
#include "prefix_tree.hpp"

namespace icpi::llama {

/// Where a job's prefix will be.
struct Place {
  PrefixTree::Match match;    ///< what it shares with a prefix that is there
  bool in_place = false;      ///< that prefix becomes this one
  std::size_t growth = 0;     ///< cells for tokens that must be added
  std::size_t branch_at = 0;  ///< tokens of the prompt that come from the prefix
  bool is_new = false;        ///< a prefix of its own
};

/// Finds it among the prefixes that there are. `states`: see LoadedModel::keeps_states().
[[nodiscard]] Place find_place(PrefixTree& tree, const Job& job, bool states);

}  // namespace icpi::llama
