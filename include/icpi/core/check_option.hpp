// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <string_view>

#include "icpi/core/error.hpp"

namespace icpi {

/// Throws InvalidArgument "`name` is `value`; allowed: `allowed`" unless `holds`.
template <class Value>
void check_option(bool holds, std::string_view name, const Value& value, std::string_view allowed) {
  if (!holds) throw InvalidArgument(fmt::format("{} is {}; allowed: {}", name, value, allowed));
}

}  // namespace icpi
