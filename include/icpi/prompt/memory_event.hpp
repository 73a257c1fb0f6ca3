// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "icpi/core/export.hpp"

namespace icpi {

/// Something that a memory took in at once. Prompts that only grow depend on the pieces in which experience came.
struct MemoryEvent {
  /// What was taken in.
  enum class Kind : std::uint8_t {
    trajectory,  ///< a whole one, of `count` transitions
    steps,       ///< `count` transitions of the running one, one by one
    close        ///< the running one was complete; `count` times in a row
  };
  Kind kind = Kind::trajectory;  ///< what was taken in
  std::uint64_t count = 0;       ///< how much

  friend bool operator==(const MemoryEvent&, const MemoryEvent&) = default;
};

namespace detail {

/// Adds to `events` what was taken in: steps and closes to those that came before.
ICPI_API void note_event(std::vector<MemoryEvent>& events, MemoryEvent::Kind kind, std::uint64_t count);

}  // namespace detail

/// The actions that were legal where something was really seen.
struct SavedLegal {
  std::string text;                    ///< of the observation, in prompts
  std::vector<std::uint32_t> actions;  ///< their places, ascending, at least one

  friend bool operator==(const SavedLegal&, const SavedLegal&) = default;
};

/// A transition as text.
struct SavedStep {
  std::string observation;       ///< where it began, as the codec writes it
  std::uint64_t action = 0;      ///< index into the environment's actions
  double reward = 0;             ///< what was gained
  bool terminated = false;       ///< whether the episode ended
  bool truncated = false;        ///< whether it was broken off
  std::string next_observation;  ///< where it led

  friend bool operator==(const SavedStep&, const SavedStep&) = default;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/prompt/memory_event-inl.hpp"
#endif
