// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "icpi/core/costs.hpp"
#include "icpi/core/export.hpp"
#include "icpi/prompt/memory_event.hpp"

namespace icpi {

/// An agent between two episodes, as it lies in a file: what it lived through and in which pieces, what it has spent, and
/// what it is, so that another one is not taken for it. Texts and numbers only.
struct SavedAgent {
  std::string decisions;             ///< DecisionOptions::description()
  std::string prompts;               ///< PromptOptions::description()
  std::string queries;               ///< QueryOptions::description()
  std::string model;                 ///< the model's identity
  std::uint64_t seed = 0;            ///< PolicyIterationOptions::seed
  std::vector<std::string> actions;  ///< their texts
  std::uint64_t given = 0;           ///< transitions it was made with; they are not in the file
  std::uint64_t given_hash = 0;      ///< of their texts

  std::uint64_t episodes = 0;       ///< begun so far
  Costs costs;                      ///< spent so far
  std::vector<MemoryEvent> events;  ///< what was remembered after `given`, in its order
  std::vector<SavedStep> steps;     ///< the transitions of all events
  std::vector<SavedLegal> legal;    ///< what was legal at real observations

  friend bool operator==(const SavedAgent&, const SavedAgent&) = default;
};

#if !defined(ICPI_HEADER_ONLY)

// Files of agents are JSON, which is read by a library that only the compiled library is built with.

/// Writes a file of JSON Lines, each with a checksum that covers the line before. The file is there whole or, when this
/// throws, as it was. Throws Error when it cannot be written.
ICPI_API void write_saved_agent(const std::string& file, const SavedAgent& agent);

/// Reads it back. Throws InvalidArgument naming file and line when it is no such file, of a newer version, damaged or not
/// whole.
[[nodiscard]] ICPI_API SavedAgent read_saved_agent(const std::string& file);

/// Throws InvalidArgument naming the first thing in which a saved agent is another than `now`: decisions, prompts, queries,
/// model, seed, actions, experience given.
ICPI_API void check_same_agent(const SavedAgent& saved, const SavedAgent& now);

#endif

}  // namespace icpi
