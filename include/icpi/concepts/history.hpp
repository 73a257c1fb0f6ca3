// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "icpi/concepts/rollout_model.hpp"

namespace icpi {

/// How often one action was done at one observation, and how many different things came of it. More than one of a kind:
/// equal questions have had unequal answers.
struct OutcomeCounts {
  std::size_t times = 0;         ///< recorded steps that begin so; 0: never tried
  std::size_t terminations = 0;  ///< different terminations among them
  std::size_t rewards = 0;       ///< different rewards
  std::size_t observations = 0;  ///< different next observations

  friend bool operator==(const OutcomeCounts&, const OutcomeCounts&) = default;
};

/// One of the different things that came of one action at one observation, as it was recorded.
struct SeenOutcome {
  bool terminated = false;  ///< whether it ended the episode
  double reward = 0;        ///< what was gained
  ObservationId next = 0;   ///< what was seen then
  std::size_t times = 1;    ///< how often it came; at least 1

  friend bool operator==(const SeenOutcome&, const SeenOutcome&) = default;
};

/// What is known of one action from everywhere it was done.
struct ActionExperience {
  static constexpr double none = -std::numeric_limits<double>::infinity();  ///< no such step

  std::size_t observations = 0;     ///< different ones where it was done
  std::size_t repeated = 0;         ///< of these, where it was done more than once
  std::size_t unequal = 0;          ///< of these, where not all came out the same
  bool chance_termination = false;  ///< somewhere the same step has both ended and gone on
  bool chance_reward = false;       ///< somewhere the same step has had different rewards
  bool chance_observation = false;  ///< somewhere different things were seen after the same step
  double highest_going_on = none;   ///< highest reward of a step after which the episode went on
  double highest_ending = none;     ///< highest reward of a step that terminated it
  std::size_t steps = 0;            ///< all that are recorded, of whatever action
  std::size_t places = 0;           ///< different observations where these were

  /// Whether equal questions about its steps have had unequal answers.
  [[nodiscard]] bool chance() const noexcept { return chance_termination || chance_reward || chance_observation; }

  /// Whether experience recurs: at least half of all recorded steps began where something had been done before.
  [[nodiscard]] bool recurs() const noexcept { return places * 2 <= steps; }

  friend bool operator==(const ActionExperience&, const ActionExperience&) = default;
};

/// What strategies may ask about recorded experience. Observations, real and imagined alike, are named by their handles
/// and compared by their texts.
/// Thread-safety: one object by one thread at a time.
class History {
 public:
  History() = default;
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  /// What came of `action` at `observation` in the experience of prompt context number `prompt context`.
  [[nodiscard]] virtual OutcomeCounts outcomes(std::uint32_t prompt_context, ObservationId observation,
                                               std::uint32_t action) const = 0;
  /// Whether it was ever done there.
  [[nodiscard]] virtual bool tried(std::uint32_t prompt_context, ObservationId observation,
                                   std::uint32_t action) const = 0;

  /// Replaces `seen` by what came of `action` at `observation`, the different outcomes in the order in which they first came.
  virtual void recall(std::uint32_t prompt_context, ObservationId observation, std::uint32_t action,
                      std::vector<SeenOutcome>& seen) const = 0;

  /// What is known of an action, wherever it was done.
  [[nodiscard]] virtual ActionExperience experience(std::uint32_t prompt_context, std::uint32_t action) const = 0;

 protected:
  ~History() = default;
};

}  // namespace icpi
