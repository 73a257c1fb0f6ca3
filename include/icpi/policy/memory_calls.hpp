// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>
#include <vector>

#include "icpi/concepts/history.hpp"
#include "icpi/concepts/legal_actions.hpp"
#include "icpi/concepts/rollout_model.hpp"
#include "icpi/core/hash.hpp"

namespace icpi::detail {

// Calls of what an AgentMemory may have, and what counts where it has it not.

template <class Memory>
[[nodiscard]] bool memory_ready(Memory& memory, LegalActions legal) {
  if constexpr (requires { memory.ready(legal); }) return memory.ready(legal);
  return memory.ready();
}

template <class Memory>
[[nodiscard]] OutcomeCounts memory_outcomes(Memory& memory, ObservationId observation, std::uint32_t action) {
  if constexpr (requires { memory.outcomes(observation, action); }) return memory.outcomes(observation, action);
  return {memory.tried(observation, action) ? std::size_t{1} : 0, 0, 0, 0};
}

template <class Memory>
void recall_from_memory(Memory& memory, ObservationId observation, std::uint32_t action,
                        std::vector<SeenOutcome>& seen) {
  seen.clear();
  if constexpr (requires { memory.recall(observation, action, seen); }) memory.recall(observation, action, seen);
}

template <class Memory>
[[nodiscard]] ActionExperience experience(Memory& memory, std::uint32_t action) {
  if constexpr (requires { memory.experience(action); }) return memory.experience(action);
  return {};
}

/// Identifies an action at an observation, also when handles were given out anew, where the memory tells its texts.
template <class Memory>
[[nodiscard]] std::uint64_t step_hash(const Memory& memory, ObservationId observation, std::size_t action) {
  std::uint64_t place = observation;
  if constexpr (requires { std::string_view(memory.text(observation)); }) place = fnv1a(memory.text(observation));
  return place + action * std::uint64_t{0x9E3779B97F4A7C15};
}

template <class Memory>
void begin_round_of(Memory& memory) {
  if constexpr (requires { memory.begin_round(); }) memory.begin_round();
}

/// These are legal where a decision is made.
template <class Memory, class Observation>
void stand_in_memory(Memory& memory, const Observation& seen, LegalActions legal) {
  if constexpr (requires { memory.stand_at(seen, legal); })
    memory.stand_at(seen, legal);
  else if constexpr (requires { memory.note_legal(seen, legal); })
    memory.note_legal(seen, legal);
}

/// What came of that is observed, or abandoned. Nothing for an agent that was moved from, which has no memory.
template <class Memory>
void note_in_memory(Memory* memory) {
  if constexpr (requires { memory->note_here(); })
    if (memory != nullptr) memory->note_here();
}

template <class Memory>
[[nodiscard]] LegalSourceCounts legality_of(Memory& memory) {
  if constexpr (requires { memory.legality(); }) return memory.legality();
  return {};
}

/// What kept an environment from saying what is legal.
template <class Memory>
[[nodiscard]] std::exception_ptr legal_failure_of(Memory& memory) {
  if constexpr (requires { memory.legal_failure(); }) return memory.legal_failure();
  return nullptr;
}

}  // namespace icpi::detail
