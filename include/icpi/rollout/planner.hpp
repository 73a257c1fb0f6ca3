// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "icpi/concepts/rollout_model_ref.hpp"
#include "icpi/core/export.hpp"
#include "icpi/rollout/engine.hpp"
#include "icpi/rollout/rollout.hpp"

namespace icpi {

class PlanningWork;

/// Values by planning in place of single rollouts: the imagined MDP is built lazily, breadth first from the root, every
/// question once, and solved by finite-horizon value iteration. Uses RolloutOptions::step_limit as horizon and
/// RolloutOptions::attempts; what stays unknown counts as no further reward.
///
/// Beyond the paper. Best with `stable` prompts and temperature 0. Memory is kept from run to run.
/// Thread-safety: one object by one thread at a time.
class ICPI_API Planner {
 public:
  Planner();
  Planner(Planner&&) noexcept;             ///< leaves nothing behind that may be used
  Planner& operator=(Planner&&) noexcept;  ///< as construction
  ~Planner();

  /// Fills results[i] for tasks[i]: returns has one rollout per action, the planned value. At most `node_limit`
  /// observations are expanded per task.
  void run(RolloutModelRef model, std::span<const DecisionTask> tasks, const RolloutOptions& options,
           std::size_t node_limit, std::span<DecisionResult> results);

 private:
  std::unique_ptr<PlanningWork> work_;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/rollout/planner-inl.hpp"
#endif
