// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <vector>

#include "icpi/concepts/history.hpp"
#include "icpi/concepts/legal_actions.hpp"
#include "icpi/concepts/rollout_model.hpp"
#include "icpi/concepts/rollout_model_ref.hpp"
#include "icpi/core/costs.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/owned.hpp"
#include "icpi/core/random.hpp"
#include "icpi/core/until.hpp"
#include "icpi/policy/decision.hpp"
#include "icpi/policy/options.hpp"
#include "icpi/rollout/decision_task.hpp"
#include "icpi/rollout/rollout.hpp"

namespace icpi {

/// The part of an agent that decides and counts, and knows no type of the environment: RolloutAgent is the rest. The
/// seam between them is one indirect call for each of the private virtual members a decision.
/// Thread-safety: one object by one thread at a time; objects that share a language model count as one.
class ICPI_API AgentCore {
 public:
  virtual ~AgentCore();

  /// The key of everything random in an agent; environments draw from RandomKey(seed).child(0).
  [[nodiscard]] static RandomKey agent_key(std::uint64_t seed) noexcept { return RandomKey(seed).child(1); }

  /// How the last action was chosen.
  [[nodiscard]] const Decision& decision() const noexcept { return decision_; }
  /// The rollouts behind the last decision, by action then sample, if this agent decided alone and by MeanOfRollouts; none
  /// behind one made at random.
  [[nodiscard]] std::span<const Rollout> rollouts() const noexcept;
  /// What was imagined for the last decision, if this agent decided alone, by values, and the estimator tells; else
  /// nothing.
  [[nodiscard]] std::vector<PlannedStep> planned_steps() const;
  /// Everything spent so far.
  [[nodiscard]] const Costs& costs() const noexcept { return costs_; }
  /// Episodes begun so far.
  [[nodiscard]] std::size_t episodes() const noexcept { return episode_; }

 protected:
  /// Throws InvalidArgument for options out of range and when there are no actions.
  AgentCore(std::size_t actions, double discount, std::uint64_t seed, const DecisionOptions& options);
  /// Decides as `with` does in environment number `environment`, not 0, of the same agent.
  AgentCore(const AgentCore& with, std::uint64_t environment);
  AgentCore(AgentCore&&) noexcept;             ///< takes over: what is left runs no episode, and check_whole() throws
  AgentCore& operator=(AgentCore&&) noexcept;  ///< as construction

  /// Throws InvalidArgument for an agent that was moved from.
  void check_whole() const;

  /// Goes on from a saved agent's counters.
  void restore(std::uint64_t episodes, const Costs& costs) noexcept;

  /// There are more actions than before. Between episodes.
  void know_actions(std::size_t actions) noexcept { actions_ = actions; }

  /// A new episode begins; returns its number.
  std::uint64_t begin(EpisodeKind kind);
  /// The running episode is over, or abandoned.
  void end() noexcept { running_ = false; }
  /// What came of the last action was observed.
  void advance(bool ends) noexcept {
    ++step_;
    running_ = !ends;
  }

  /// Throws InvalidArgument unless an action waits for its result and the reward is finite, as check_whole() too.
  void check_observed(bool waits, double reward) const;

  /// Throws InvalidArgument when some of the actions that are said to be legal are unknown, or none is `legal`.
  static void check_legal(std::size_t unknown, std::size_t legal);
  /// Throws InvalidArgument unless an episode is running, and check_whole().
  void check_running() const;
  /// The next decision is among these. Throws as check_legal(); then nothing has changed.
  void offer_places(std::size_t unknown, std::vector<std::uint32_t>& places);

  /// Begins the list of those that decide together with this agent, itself among them. All are of one dynamic type.
  void gather_none();
  /// Adds `agent`, which stands at *observation.
  void gather(AgentCore& agent, const void* observation);
  /// Lets those that were gathered, whether or not this agent is one of them, decide in common batches, each as if it were alone. See RolloutAgent::act_together for
  /// what it throws. One whose environment could not be asked has a failure() instead of a decision; the others stand.
  void decide_together(const Until& until);
  /// Throws the first failure() of those that were gathered.
  void pass_on_failure() const;
  /// What kept the last decision from being made, while those of others were; or null.
  [[nodiscard]] const std::exception_ptr& failure() const noexcept { return failure_; }
  /// The same for this agent alone.
  void decide_alone(const void* observation, const Until& until);

  [[nodiscard]] double discount() const noexcept { return discount_; }  ///< of planning
  /// Which of the agent's environments this is its place in.
  [[nodiscard]] std::uint64_t in_environment() const noexcept { return environment_; }
  [[nodiscard]] bool running() const noexcept { return running_ && work_ != nullptr; }  ///< whether an episode is
  [[nodiscard]] EpisodeKind kind() const noexcept { return kind_; }                     ///< of the last episode
  [[nodiscard]] const DecisionOptions& options() const noexcept { return options_; }    ///< as given

 private:
  struct Workspace;

  // The environment's side. Observations are those given to decide().
  [[nodiscard]] virtual ObservationId observe_for_decision(const void* observation) = 0;
  /// What the environment says, into `legal`, which is empty and stays so where all are. Not where something was offered.
  virtual void find_legal(const void* observation, std::vector<std::uint32_t>& legal) = 0;
  virtual void memory_note_legal(const void* observation, LegalActions legal) = 0;
  [[nodiscard]] virtual std::exception_ptr memory_failure() const = 0;
  [[nodiscard]] virtual LegalSourceCounts memory_legality() const = 0;
  [[nodiscard]] virtual bool memory_ready(LegalActions legal) const = 0;
  [[nodiscard]] virtual std::size_t memory_trajectories() const = 0;
  [[nodiscard]] virtual bool memory_tried(ObservationId observation, std::uint32_t action) const = 0;
  [[nodiscard]] virtual OutcomeCounts memory_outcomes(ObservationId observation, std::uint32_t action) const = 0;
  virtual void memory_recall(ObservationId observation, std::uint32_t action, std::vector<SeenOutcome>& seen) = 0;
  [[nodiscard]] virtual ActionExperience memory_experience(std::uint32_t action) const = 0;
  /// Identifies the texts of both, in later decisions, too.
  [[nodiscard]] virtual std::uint64_t memory_step(ObservationId observation, std::size_t action) const = 0;
  [[nodiscard]] virtual const Costs& memory_costs() const = 0;
  virtual void begin_round() = 0;
  virtual void serve_none() = 0;
  virtual void serve_also(AgentCore& agent) = 0;
  [[nodiscard]] virtual RolloutModelRef serving_model() = 0;
  [[nodiscard]] virtual bool model_agrees_with(const AgentCore& other) const = 0;
  virtual void forget_action() = 0;
  virtual void acted(const void* observation) = 0;

  void check_options() const;
  void check_together() const;
  [[nodiscard]] RandomKey decision_key() const;
  [[nodiscard]] DecisionContext context() const;
  [[nodiscard]] DecisionContext context(const DecisionTask& task, const History& history) const;
  [[nodiscard]] bool asks_model();
  /// Whether explorations say what may be hoped for in this episode.
  [[nodiscard]] bool hopes() const;
  [[nodiscard]] bool decided_alone() const noexcept { return decision_.by_model && alone_ && work_ != nullptr; }
  void prepare(AgentCore& leader, const void* observation);
  void estimate(const Until& until);
  void decide_at_random();
  void choose(AgentCore& leader, std::size_t task);
  void select();
  void check_chosen(std::size_t action, const std::string& by) const;

  DecisionOptions options_;
  std::string description_;  ///< of options_
  std::size_t actions_;
  double discount_;
  RandomKey key_;
  std::uint64_t environment_ = 0;  ///< which of the agent's: decisions in number e draw from child 1 + e of the key
  EpisodeKind kind_ = EpisodeKind::training;
  bool running_ = false;
  bool joins_ = false;  ///< seen by check_together
  bool alone_ = false;  ///< made the last decision without company
  std::exception_ptr failure_;
  std::uint64_t episode_ = 0;
  std::uint64_t step_ = 0;
  Decision decision_;
  std::vector<std::uint32_t> offered_;  ///< for the next decision, until it stands; empty: nothing was
  Costs costs_;
  Costs spent_before_;
  LegalSourceCounts legality_before_;
  Owned<Workspace> work_;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/policy/agent_core-inl.hpp"
#endif
