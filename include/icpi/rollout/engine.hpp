// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "icpi/concepts/rollout_model_ref.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/owned.hpp"
#include "icpi/core/until.hpp"
#include "icpi/rollout/decision_task.hpp"
#include "icpi/rollout/rollout.hpp"

namespace icpi {

class EngineWork;

/// Runs the rollouts of all tasks together: actions x rollouts x prompt contexts advance together, every round is one batch of
/// questions. L simulated steps take 3L - 1 rounds (2L - 1 when speculating), and one more for every retry.
///
/// Results do not depend on which tasks run together. Memory is kept from run to run. One thread at a time.
class ICPI_API RolloutEngine {
 public:
  RolloutEngine();
  RolloutEngine(RolloutEngine&&) noexcept;             ///< leaves nothing behind that may be used
  RolloutEngine& operator=(RolloutEngine&&) noexcept;  ///< as construction
  ~RolloutEngine();

  /// Fills results[i] for tasks[i]; returns of illegal actions are NaN. Where the time is up before all rollouts have
  /// ended, the result is cut short: their returns so far count, and those of rollouts without a single step are NaN.
  void run(RolloutModelRef model, std::span<const DecisionTask> tasks, const RolloutOptions& options,
           std::span<DecisionResult> results, const Until& until = {});

  /// The rollouts of the last run, by task, then legal action, then sample.
  [[nodiscard]] std::span<const Rollout> rollouts() const noexcept;

 private:
  Owned<EngineWork> work_;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/rollout/engine-inl.hpp"
#endif
