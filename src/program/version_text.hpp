// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <string>

#include "icpi/version.hpp"

namespace icpi::program {

/// This icpi's version as in records, for instance "0.1.0".
inline std::string this_version() { return fmt::format("{}.{}.{}", version_major, version_minor, version_patch); }

}  // namespace icpi::program
