// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "icpi/concepts/rollout_model_ref.hpp"
#include "icpi/core/export.hpp"
#include "icpi/rollout/engine.hpp"
#include "icpi/rollout/rollout.hpp"

namespace icpi {

class PlanningWork;

/// One step that was asked about while planning: an edge of the imagined MDP.
struct PlannedStep {
  ObservationId observation = 0;  ///< where it starts
  std::uint32_t action = 0;       ///< what is done
  bool known = false;             ///< whether termination and reward could be predicted
  bool terminated = false;        ///< whether it is predicted to end
  double reward = 0;              ///< what is predicted to be gained
  bool goes_on = false;           ///< whether `next` was predicted
  ObservationId next = 0;         ///< what is predicted to be seen then
};

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

  /// What was imagined for task number `task` of the last run: every action at every observation that was expanded, in
  /// the order of their discovery.
  [[nodiscard]] std::vector<PlannedStep> imagined(std::size_t task) const;

 private:
  std::unique_ptr<PlanningWork> work_;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/rollout/planner-inl.hpp"
#endif
