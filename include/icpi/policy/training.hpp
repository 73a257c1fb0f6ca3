// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/core/export.hpp"
#include "icpi/core/until.hpp"

namespace icpi {

/// Steps after which an episode that does not end by itself is truncated, unless another number is given.
inline constexpr std::size_t default_episode_steps = 1000;

/// When train() stops, whichever comes first.
struct TrainingLimits {
  std::size_t steps = std::numeric_limits<std::size_t>::max();     ///< environment steps
  std::size_t episodes = std::numeric_limits<std::size_t>::max();  ///< whole episodes
  std::size_t episode_steps = default_episode_steps;               ///< of one episode: it is truncated then; at least 1
  Until until{};                              ///< ends training within a decision; the episode under way is abandoned
  std::chrono::nanoseconds decision_time{0};  ///< of every decision; 0: as long as it takes
};

/// Why train() stopped.
enum class TrainingEnd : std::uint8_t {
  steps,     ///< TrainingLimits::steps
  episodes,  ///< TrainingLimits::episodes
  until,     ///< TrainingLimits::until; the episode under way was abandoned
  budget,    ///< the model answered with ErrorCategory::budget_exhausted; the episode under way was abandoned
  failed     ///< no environment of several is left that has not failed
};

/// An environment, one of several, that threw, or whose texts were refused. The others went on without it.
struct EnvironmentFailure {
  std::size_t environment = 0;  ///< which
  std::size_t episode = 0;      ///< the episode of that environment that it was in, or was to begin
  std::string message;          ///< what was thrown says
};

/// What train() did.
struct TrainingResult {
  std::size_t steps = 0;                       ///< environment steps
  std::size_t episodes = 0;                    ///< whole episodes
  std::size_t cut_short = 0;                   ///< decisions that ran out of time: above 0, the run is not reproducible
  TrainingEnd end = TrainingEnd::steps;        ///< why it stopped
  std::vector<EnvironmentFailure> failures{};  ///< of several environments, in the order of their coming

  /// The steps.
  operator std::size_t() const noexcept { return steps; }  // NOLINT(google-explicit-constructor): what it was once
};

/// Adds the failure that the exception being handled tells of; call it in a handler.
ICPI_API void note_failure(TrainingResult& result, std::size_t environment, std::size_t episode);

/// When a decision that begins now must be made.
[[nodiscard]] ICPI_API Until decision_limit(const TrainingLimits& limits);

/// Throws InvalidArgument unless `limits` allow steps.
ICPI_API void check_training_limits(const TrainingLimits& limits);

/// Throws InvalidArgument because an environment's actions, `now` of them, do not begin with those that the agent knows.
[[noreturn]] ICPI_API void refuse_changed_actions(std::size_t known, std::size_t now);

/// Throws InvalidArgument naming what is wrong with environment number `environment` of several.
[[noreturn]] ICPI_API void refuse_environment(std::size_t environment, std::string_view why);

namespace detail {

/// Fills `order` with the places in `environments` by rising number, and gives a view of it.
[[nodiscard]] ICPI_API std::span<const std::size_t> by_rising_number(std::span<const std::size_t> environments,
                                                                     std::vector<std::size_t>& order);

/// Throws InvalidArgument, in the name of `member`, unless there are `count` numbers, each below `known`.
ICPI_API void check_environments(const char* member, std::span<const std::size_t> environments, std::size_t count,
                                 std::size_t known);

}  // namespace detail

/// Whether the environment has gained actions since an agent took in the `known` ones. Throws InvalidArgument when one of
/// those is gone, or stands elsewhere.
template <Environment Env, RandomAccessRange Known>
[[nodiscard]] bool gained_actions(const Env& env, const Known& known) {
  const auto& actions = env.actions();
  const auto now = std::end(actions) - std::begin(actions);
  const auto before = std::end(known) - std::begin(known);
  bool changed = now < before;
  for (std::ptrdiff_t i = 0; !changed && i < before; ++i) changed = !(std::begin(known)[i] == std::begin(actions)[i]);
  if (changed) refuse_changed_actions(static_cast<std::size_t>(before), static_cast<std::size_t>(now));
  return now > before;
}

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/policy/training-inl.hpp"
#endif
