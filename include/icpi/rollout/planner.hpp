// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "icpi/concepts/rollout_model_ref.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/owned.hpp"
#include "icpi/core/until.hpp"
#include "icpi/rollout/decision_task.hpp"

namespace icpi {

class PlanningWork;
class Imagination;

/// How far a Planner looks.
struct PlanningOptions {
  int step_limit = 6;            ///< horizon in simulated steps, the first one included; >= 1
  int attempts = 3;              ///< how often a question is put until its answer is valid; >= 1
  std::size_t node_limit = 600;  ///< observations expanded per decision; >= 1
  /// Of a step whose action has had different outcomes at one observation: how many are drawn, at temperature 1. They
  /// count as often as they were drawn, or as likely as the model holds them, where it tells. Other steps have the likeliest
  /// alone. 1: all steps; >= 1.
  int outcomes = 1;
  /// Whether what came of recorded steps from an observation is taken as it was, each outcome as often as it came, and the
  /// model is asked only for what is missing to `outcomes`. Prompts need not show it any more, and a prediction cannot
  /// contradict it.
  bool recall = false;

  friend bool operator==(const PlanningOptions&, const PlanningOptions&) = default;
};

/// Values by planning in place of single rollouts: the imagined MDP is built lazily, breadth first from the root, every
/// question once, and solved by finite-horizon value iteration; what stays unknown counts as no further reward, or, where
/// explorations hope for something, as what may be hoped for in the steps that are left.
/// Beyond the paper. Memory is kept from run to run.
/// Thread-safety: one object by one thread at a time.
class ICPI_API Planner {
 public:
  Planner();
  Planner(Planner&&) noexcept;             ///< leaves nothing behind that may be used
  Planner& operator=(Planner&&) noexcept;  ///< as construction
  ~Planner();

  /// Fills results[i] for tasks[i]: returns has one rollout per action, the planned value, NaN for illegal ones. Where the
  /// time is up, the result is cut short: values are planned on what was imagined until then, steps that are not known
  /// are not taken, and actions whose reward is not known are NaN.
  void run(RolloutModelRef model, std::span<const DecisionTask> tasks, const PlanningOptions& options,
           std::span<DecisionResult> results, const Until& until = {});
  /// The same for a model that history and hope stand beside: only with them steps have several outcomes, and what is not
  /// known is worth what is hoped for.
  void run(const Imagination& imagination, std::span<const DecisionTask> tasks, const PlanningOptions& options,
           std::span<DecisionResult> results);

  /// What was imagined for task number `task` of the last run: every outcome of every legal action at every observation that
  /// was expanded, in the order of their discovery.
  [[nodiscard]] std::vector<PlannedStep> imagined(std::size_t task) const;

 private:
  Owned<PlanningWork> work_;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/rollout/planner-inl.hpp"
#endif
