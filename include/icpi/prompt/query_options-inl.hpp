// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <string>

#include "icpi/prompt/query_options.hpp"

namespace icpi {

ICPI_INLINE std::string QueryOptions::description() const {
  const std::string policy = policy_temperature ? fmt::to_string(*policy_temperature) : "none";
  return fmt::format(
      "temperature={}, top_p={}, max_tokens={}, policy_temperature={}, deduplicate={}, restrict_answers={}",
      sampling.temperature, sampling.top_p, sampling.max_tokens, policy, deduplicate, restrict_answers);
}

}  // namespace icpi
