// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "icpi/concepts/rollout_model.hpp"
#include "icpi/concepts/rollout_model_ref.hpp"
#include "icpi/core/costs.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/random.hpp"

namespace icpi {

/// Shape of imagined rollouts. Defaults are the paper's.
struct RolloutOptions {
  int step_limit = 6;           ///< simulated steps of a rollout, the first one included; >= 1
  int rollouts_per_action = 1;  ///< >= 1
  int attempts = 3;             ///< how often a question is put until its answer is valid; >= 1
  /// Ask for the reward under both terminations and for the next observation together with the termination: two rounds
  /// per simulated step in place of three, at the price of answers that are not needed.
  bool speculate = false;
  double random_action_rate = 0;  ///< part of the imagined actions, after the first, that are drawn of the legal ones

  friend bool operator==(const RolloutOptions&, const RolloutOptions&) = default;
};

/// Why a rollout ended.
enum class RolloutEnd : std::uint8_t {
  running,
  terminated,  ///< a terminal step was predicted
  step_limit,
  invalid,  ///< a termination, reward or observation stayed invalid; the return so far counts
  failed    ///< the infrastructure did not answer; the return so far counts
};

/// One imagined step.
struct ImaginedStep {
  ObservationId observation = 0;  ///< what is seen
  std::uint32_t action = 0;       ///< what is done
  double reward = 0;              ///< what is predicted to be gained
  bool terminated = false;        ///< whether it is predicted to end
};

/// One imagined trajectory as a state machine: it says which questions it needs answered now and takes the answers in
/// any order. A value; it knows no text.
/// Thread-safety: one object by one thread at a time.
class ICPI_API Rollout {
 public:
  /// Where a rollout begins.
  struct Start {
    std::uint32_t prompt_context = 0;  ///< which agent imagines
    ObservationId observation = 0;     ///< where it begins
    std::uint32_t action = 0;          ///< what is done first
    std::uint32_t sample = 0;          ///< number among the rollouts of this action
    std::uint32_t actions = 0;         ///< how many the environment has
    double discount = 1;               ///< for later rewards
    RandomKey key;                     ///< this rollout's own
    bool whole_transitions = false;    ///< asked for by one question; see KnowsWholeTransitions
  };

  /// Begins anew, in the memory of the rollout before.
  void restart(const Start& start);

  /// Appends to `questions` every question that is needed now and not on its way.
  void ask(const RolloutOptions& options, Costs& costs, std::vector<Question>& questions);

  /// Takes the answer to a question of ask(). Answers that the rollout had no use for any more count as wasted. `model` says
  /// which actions may be drawn at random; null: all.
  void take(const Question& question, const Answer& answer, const RolloutOptions& options, Costs& costs,
            const RolloutModelRef* model = nullptr);

  /// Whether it has ended.
  [[nodiscard]] bool done() const noexcept { return end_ != RolloutEnd::running; }
  /// Why it ended.
  [[nodiscard]] RolloutEnd end() const noexcept { return end_; }

  /// Discounted sum of the predicted rewards.
  [[nodiscard]] double value() const noexcept { return value_; }
  /// What was imagined, first step first.
  [[nodiscard]] const std::vector<ImaginedStep>& steps() const noexcept { return steps_; }
  /// Where it began.
  [[nodiscard]] const Start& start() const noexcept { return start_; }

 private:
  enum Part : std::uint8_t { termination, reward, reward_if_terminated, observation, action, parts };
  enum class State : std::uint8_t { idle, asked, valid, lost };
  struct Pending {
    State state = State::idle;
    std::uint32_t attempt = 0;
    Answer answer;
  };

  static Part part_of(const Question& question) noexcept;
  [[nodiscard]] Question question(Part part, std::uint32_t attempt) const;
  [[nodiscard]] bool last_step(const RolloutOptions& options) const;
  /// Whether the answer to this part is needed, or likely to be.
  [[nodiscard]] bool wanted(Part part, const RolloutOptions& options) const;
  /// Whether the answer tells all that this step needs.
  [[nodiscard]] bool suffices(const Answer& answer, bool transition, const RolloutOptions& options) const;
  /// Makes one answer about a transition into those of its parts: the first that it does not tell is lost.
  void divide(const Answer& whole);
  void settle(const RolloutOptions& options, Costs& costs, const RolloutModelRef* model);
  /// Answers that came to this part so far.
  [[nodiscard]] std::uint32_t answers(Part part) const;
  void begin_action(const RolloutOptions& options, const RolloutModelRef* model);
  void settle_action(const RolloutModelRef* model);
  [[nodiscard]] std::uint32_t draw(RandomStream& stream, const RolloutModelRef* model) const;
  void begin_step(std::uint32_t chosen);
  void finish_without(const Pending& missing);

  static constexpr std::uint64_t action_stream = std::uint64_t{1} << 32;

  Start start_;
  std::uint32_t step_ = 0;
  bool acting_ = false;
  RolloutEnd end_ = RolloutEnd::running;
  double weight_ = 1;
  double value_ = 0;
  ImaginedStep now_;
  std::array<Pending, parts> parts_{};
  std::vector<ImaginedStep> steps_;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/rollout/rollout-inl.hpp"
#endif
