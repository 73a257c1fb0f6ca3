// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

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

 protected:
  ~History() = default;
};

}  // namespace icpi
