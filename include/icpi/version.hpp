// SPDX-License-Identifier: MIT
#pragma once

// The build system reads the three numbers from these lines.
#define ICPI_VERSION_MAJOR 0  ///< changes when code that uses icpi must change
#define ICPI_VERSION_MINOR 1  ///< changes when something was added
#define ICPI_VERSION_PATCH 0  ///< changes when something was mended

/// The version as one number that grows: 10000 * major + 100 * minor + patch. For instance: #if ICPI_VERSION >= 100
#define ICPI_VERSION (10000 * ICPI_VERSION_MAJOR + 100 * ICPI_VERSION_MINOR + ICPI_VERSION_PATCH)

namespace icpi {

inline constexpr int version_major = ICPI_VERSION_MAJOR;  ///< ICPI_VERSION_MAJOR
inline constexpr int version_minor = ICPI_VERSION_MINOR;  ///< ICPI_VERSION_MINOR
inline constexpr int version_patch = ICPI_VERSION_PATCH;  ///< ICPI_VERSION_PATCH

}  // namespace icpi
