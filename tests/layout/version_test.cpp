// SPDX-License-Identifier: MIT
#include "icpi/version.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

TEST(Version, HeaderAndBuildSystemAgree) {
  EXPECT_EQ(fmt::format("{}.{}.{}", icpi::version_major, icpi::version_minor, icpi::version_patch),
            ICPI_PROJECT_VERSION);
  static_assert(ICPI_VERSION == 10000 * icpi::version_major + 100 * icpi::version_minor + icpi::version_patch);
}
