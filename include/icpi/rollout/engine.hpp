// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "icpi/concepts/rollout_model.hpp"
#include "icpi/concepts/rollout_model_ref.hpp"
#include "icpi/core/costs.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/random.hpp"
#include "icpi/rollout/return_table.hpp"
#include "icpi/rollout/rollout.hpp"

namespace icpi {

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
  /// Fills results[i] for tasks[i].
  void run(RolloutModelRef model, std::span<const DecisionTask> tasks, const RolloutOptions& options,
           std::span<DecisionResult> results);

  /// The rollouts of the last run, by task, then action, then sample.
  [[nodiscard]] std::span<const Rollout> rollouts() const noexcept { return {rollouts_.data(), count_}; }

 private:
  void start(std::span<const DecisionTask> tasks, const RolloutOptions& options, std::span<DecisionResult> results);

  /// Notes what this rollout needs to know now. Returns whether it needs anything.
  bool ask(std::uint32_t number, const RolloutOptions& options, std::span<DecisionResult> results);

  void advance_in_lockstep(RolloutModelRef model, const RolloutOptions& options, std::span<DecisionResult> results);

  /// Rollouts that ended leave at once.
  void retire(std::span<DecisionResult> results);

  void store(std::uint32_t number, std::span<DecisionResult> results);

  /// Every rollout goes on as soon as its own answer is there. When the model throws, what is in flight is called off.
  void advance_asynchronously(RolloutModelRef model, const RolloutOptions& options, std::span<DecisionResult> results);

  /// Tickets are numbers of submissions; `in_flight` counts those that were not collected yet.
  void answer_as_they_come(RolloutModelRef model, const RolloutOptions& options, std::span<DecisionResult> results,
                           std::size_t& in_flight);

  /// Answers that nobody waits for any more are called off and collected. What a model throws meanwhile is of no
  /// interest; it is asked again, but not for ever.
  void call_off(RolloutModelRef model, std::size_t in_flight, std::span<DecisionResult> results);

  std::vector<Rollout> rollouts_;
  std::size_t count_ = 0;
  std::vector<std::uint32_t> tasks_of_;
  std::vector<std::uint32_t> live_;
  std::vector<std::uint64_t> last_round_;
  std::vector<Question> questions_;
  std::vector<std::uint32_t> askers_;
  std::vector<Answer> answers_;
  std::vector<FinishedAnswer> finished_;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/rollout/engine-inl.hpp"
#endif
