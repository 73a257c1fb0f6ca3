// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "icpi/core/error.hpp"
#include "icpi/core/export.hpp"

#if defined(ICPI_HEADER_ONLY)
#error "icpi/experiment is compiled: link icpi::icpi instead of icpi::header_only"
#endif

namespace icpi {

/// What one episode of a run came to: one line of episodes.jsonl. Returns and regret are discounted with the
/// evaluation discount and divided by the domain's maximum, so that regrets lie in [0, 1]; of environments of others
/// they are sums of rewards.
struct EpisodeRecord {
  std::string domain;                           ///< where
  std::string agent;                            ///< which method, ablations included: "icpi", "icpi-no-hints", ...
  std::string model;                            ///< identity of the language model; empty: none
  std::uint64_t seed = 0;                       ///< of the run
  std::uint64_t episode = 0;                    ///< number within the run: 0, 1, ...
  std::uint64_t step = 0;                       ///< environment steps taken in the run when the episode ended
  std::uint64_t length = 0;                     ///< steps of the episode
  double episode_return = 0;                    ///< achieved; "return" in the file
  double optimal_return = 0;                    ///< best possible from the start of the episode
  double regret = 0;                            ///< their difference
  bool optimum_known = true;                    ///< false: both of them are 0, and null in the file
  bool terminated = false;                      ///< ended by the environment
  bool truncated = false;                       ///< ended by the time limit
  std::uint64_t lm_calls = 0;                   ///< in this episode
  std::uint64_t prompt_tokens = 0;              ///< in this episode
  std::uint64_t computed_tokens = 0;            ///< prompt tokens not served from a kept prefix
  std::uint64_t completion_tokens = 0;          ///< in this episode
  std::uint64_t invalid = 0;                    ///< predictions that could not be read: the model's
  std::uint64_t failures = 0;                   ///< answers that did not come: the model's infrastructure
  std::uint64_t over_budget = 0;                ///< requests that a budget refused
  std::uint64_t cancelled = 0;                  ///< requests that were cancelled
  std::string environment_error;                ///< what the environment threw: the episode failed; empty: nothing
  std::optional<double> undiscounted_return{};  ///< sum of the rewards; runs of the program have it
  std::optional<double> discounted_return{};    ///< the same, with the discount of planning
  std::optional<std::uint64_t> environment{};  ///< which, where several share one agent; `step` and `episode` are of it

  friend bool operator==(const EpisodeRecord&, const EpisodeRecord&) = default;
};

/// The record as one line of JSON, without a newline.
[[nodiscard]] ICPI_API std::string to_json(const EpisodeRecord& record);

/// Reads a line of episodes.jsonl; what tells failures apart may be missing, as in older records. Throws InvalidArgument
/// when it is no such line.
[[nodiscard]] ICPI_API EpisodeRecord parse_episode_record(std::string_view line);

}  // namespace icpi
