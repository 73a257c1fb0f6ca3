// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

ICPI_INLINE std::span<const std::size_t> detail::by_rising_number(std::span<const std::size_t> environments,
                                                                  std::vector<std::size_t>& order) {
  order.resize(environments.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, {}, [environments](std::size_t place) { return environments[place]; });
  return order;
}

ICPI_INLINE void detail::check_environments(const char* member, std::span<const std::size_t> environments,
                                            std::size_t count, std::size_t known) {
  if (environments.size() != count)
    throw InvalidArgument(fmt::format("{}: the spans of environments and of what they give differ in length", member));
  for (const std::size_t number : environments)
    if (number >= known) refuse_environment(number, "environment() must have named it before");
}

ICPI_INLINE void note_failure(TrainingResult& result, std::size_t environment, std::size_t episode) {
  std::string message;
  try {
    throw;
  } catch (const std::exception& thrown) {
    message = thrown.what();
  } catch (...) {
    message = "an exception that is no std::exception";
  }
  result.failures.push_back({environment, episode, std::move(message)});
}

}  // namespace icpi
