// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/prompt/prompt_source.hpp"
#include "icpi/prompt/trajectory_selection.hpp"

namespace icpi {

/// The trajectories that policy prompts show: those that a selection has chosen of all complete ones.
/// Thread-safety: const members may be called concurrently.
class ShownTrajectories {
 public:
  /// Takes in the trajectories that ended, and asks which are shown. Throws Error when the selection breaks its laws.
  void update(const PromptSource& source, const TrajectorySelection& selection) {
    if (all_.size() == source.trajectory_count()) return;
    while (all_.size() < source.trajectory_count()) {
      TrajectorySummary& next = all_.emplace_back();
      if (!selection->needs_summaries()) continue;
      const TransitionIds transitions = source.trajectory(all_.size() - 1);
      next.steps = transitions.size();
      next.undiscounted_return = source.undiscounted_return(transitions);
    }
    shown_.clear();
    selection->select(all_, shown_);
    for (std::size_t i = 0; i < shown_.size(); ++i)
      if (shown_[i] >= all_.size() || (i > 0 && shown_[i] <= shown_[i - 1]))
        throw Error(fmt::format("{} chose trajectory {} of {}, or not in rising order", selection.description(),
                                shown_[i], all_.size()));
  }

  /// Trajectories have left: the next update() looks at all anew.
  void forget() noexcept { all_.clear(); }

  /// Their transitions. Views of the buffer.
  void find(const PromptSource& source, std::vector<TransitionIds>& transitions) const {
    transitions.clear();
    for (const std::size_t number : shown_) transitions.push_back(source.trajectory(number));
  }

  /// How many.
  [[nodiscard]] std::size_t size() const noexcept { return shown_.size(); }

 private:
  std::vector<TrajectorySummary> all_;
  std::vector<std::size_t> shown_;  ///< places among them
};

}  // namespace icpi
