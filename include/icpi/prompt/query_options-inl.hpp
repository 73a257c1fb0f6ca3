// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "icpi/prompt/query_options.hpp"

namespace icpi {

ICPI_INLINE std::string QueryOptions::description() const {
  const auto show = [](const auto& value, std::string_view otherwise) {
    return value ? fmt::to_string(*value) : std::string(otherwise);
  };
  return fmt::format(
      "temperature={}, top_p={}, max_tokens={}, policy_temperature={}, deduplicate={}, restrict_answers={}",
      show(sampling.temperature, "unset"), show(sampling.top_p, "unset"), show(sampling.max_tokens, "unset"),
      show(policy_temperature, "none"), deduplicate, restrict_answers);
}

}  // namespace icpi
