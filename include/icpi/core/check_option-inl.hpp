// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <string_view>

#include "icpi/core/check_option.hpp"

namespace icpi::detail {

ICPI_INLINE void refuse_option(std::string_view name, double value, std::string_view allowed) {
  throw InvalidArgument(fmt::format("{} is {}; allowed: {}", name, value, allowed));
}

ICPI_INLINE void refuse_option(std::string_view name, long long value, std::string_view allowed) {
  throw InvalidArgument(fmt::format("{} is {}; allowed: {}", name, value, allowed));
}

ICPI_INLINE void refuse_option(std::string_view name, unsigned long long value, std::string_view allowed) {
  throw InvalidArgument(fmt::format("{} is {}; allowed: {}", name, value, allowed));
}

ICPI_INLINE void refuse_option(std::string_view name, std::string_view value, std::string_view allowed) {
  throw InvalidArgument(fmt::format("{} is {}; allowed: {}", name, value, allowed));
}

}  // namespace icpi::detail
