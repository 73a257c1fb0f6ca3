// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "icpi/core/export.hpp"
#include "icpi/rollout/decision_task.hpp"

namespace icpi {

/// What may be gained where nothing is known: by every step `step`, but by the one that ends the episode `last`.
struct Hope {
  double step = 0;  ///< minus infinity: only the last one gains anything
  double last = 0;  ///< minus infinity: nothing ends
  /// Where all is unknown, more than all rewards that are imagined can outweigh, however far away it is: the largest of them in
  /// every step of the horizon, discounted, and divided by the discount of the last. Where something is known, the largest of
  /// them, once. `step` and `last` are unused.
  bool boundless = false;

  /// The highest discounted sums of rewards of 0, 1, ... `horizon` steps, into `worth`.
  ICPI_API void discounted(int horizon, double discount, std::vector<double>& worth) const;
};

/// Who tells an estimator what may be hoped for at what it imagines: the agent's explorations.
/// Thread-safety: one object by one thread at a time.
class Hopes {
 public:
  Hopes() = default;
  Hopes(const Hopes&) = delete;
  Hopes& operator=(const Hopes&) = delete;

  /// Whether anything is hoped for in decisions of prompt context number `prompt_context`.
  [[nodiscard]] virtual bool hopes(std::uint32_t prompt_context) const = 0;
  /// What is hoped for, and into unknown[i] how much of steps[i] is not known: from 0, it is as predicted, to 1, it may be
  /// anything. Where hopes() is true. Steps that the model was not asked about yet are neither known nor improbable; what is
  /// unknown altogether even so is not asked about.
  [[nodiscard]] virtual Hope judge(const DecisionTask& task, std::span<const PlannedStep> steps,
                                   std::span<double> unknown) const = 0;

 protected:
  ~Hopes() = default;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/rollout/hope-inl.hpp"
#endif
