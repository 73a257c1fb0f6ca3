// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <exception>
#include <string_view>

#include "icpi/core/check_option.hpp"
#include "icpi/core/error.hpp"
#include "icpi/policy/training.hpp"

namespace icpi {

ICPI_INLINE void check_training_limits(const TrainingLimits& limits) {
  check_option(limits.episode_steps >= 1, "episode_steps", limits.episode_steps, "at least 1");
  const auto time = limits.decision_time.count();
  check_option(time >= 0, "decision_time in nanoseconds", time, "0 or more");
}

ICPI_INLINE Until decision_limit(const TrainingLimits& limits) {
  return limits.decision_time.count() > 0 ? limits.until.at_most(limits.decision_time) : limits.until;
}

ICPI_INLINE void refuse_changed_actions(std::size_t known, std::size_t now) {
  throw InvalidArgument(fmt::format(
      "the environment's actions have changed: the agent knows {}, now there are {}, and not the same ones in the same "
      "order; between episodes an environment may gain actions at the end, no more",
      known, now));
}

ICPI_INLINE void refuse_environment(std::size_t environment, std::string_view why) {
  throw InvalidArgument(fmt::format("environment {}: {}", environment, why));
}

ICPI_INLINE EnvironmentFailure current_failure(std::size_t environment, std::size_t episode) {
  try {
    throw;
  } catch (const std::exception& thrown) {
    return {environment, episode, thrown.what()};
  } catch (...) {
    return {environment, episode, "an exception that is no std::exception"};
  }
}

}  // namespace icpi
