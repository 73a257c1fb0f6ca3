// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "icpi/concepts/rollout_model.hpp"
#include "icpi/concepts/rollout_model_ref.hpp"
#include "icpi/core/costs.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/random.hpp"
#include "icpi/rollout/return_table.hpp"
#include "icpi/rollout/rollout.hpp"

namespace icpi {

class EngineWork;

/// What one lane wants to know: the value of every action at an observation.
struct DecisionTask {
  std::uint32_t lane = 0;         ///< which agent decides
  ObservationId observation = 0;  ///< where it stands
  std::uint32_t actions = 0;      ///< how many it may choose from
  double discount = 1;            ///< for later rewards
  RandomKey key;                  ///< of this decision
};

/// What came of a task.
struct DecisionResult {
  ReturnTable returns;  ///< actions x rollouts per action: discounted sums of predicted rewards
  Costs costs;          ///< rounds, retries and waste; the rollout model counts its own calls
};

/// Runs the rollouts of all tasks together: actions x rollouts x lanes advance in lockstep, every round is one batch of
/// questions. L simulated steps take 3L - 1 rounds (2L - 1 when speculating), and one more for every retry.
///
/// Results do not depend on which tasks run together. Memory is kept from run to run. One thread at a time.
class ICPI_API RolloutEngine {
 public:
  RolloutEngine();
  RolloutEngine(RolloutEngine&&) noexcept;             ///< leaves nothing behind that may be used
  RolloutEngine& operator=(RolloutEngine&&) noexcept;  ///< as construction
  ~RolloutEngine();

  /// Fills results[i] for tasks[i].
  void run(RolloutModelRef model, std::span<const DecisionTask> tasks, const RolloutOptions& options,
           std::span<DecisionResult> results);

  /// The rollouts of the last run, by task, then action, then sample.
  [[nodiscard]] std::span<const Rollout> rollouts() const noexcept;

 private:
  std::unique_ptr<EngineWork> work_;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/rollout/engine-inl.hpp"
#endif
