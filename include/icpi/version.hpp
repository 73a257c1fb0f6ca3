// SPDX-License-Identifier: MIT
#pragma once

namespace icpi {

// The build system reads the three numbers from these lines.
inline constexpr int version_major = 0;  ///< changes when code that uses icpi must change
inline constexpr int version_minor = 1;  ///< changes when something was added
inline constexpr int version_patch = 0;  ///< changes when something was mended

}  // namespace icpi
