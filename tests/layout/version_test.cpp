// SPDX-License-Identifier: MIT
#include "icpi/version.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

TEST(Version, HeaderAndBuildSystemAgree) {
  EXPECT_EQ(fmt::format("{}.{}.{}", icpi::version_major, icpi::version_minor, icpi::version_patch),
            ICPI_PROJECT_VERSION);
  static_assert(ICPI_VERSION == 10000 * icpi::version_major + 100 * icpi::version_minor + icpi::version_patch);
}

// Files whose readers cannot ask the build system.
TEST(Version, OtherFilesSayTheSame) {
  const auto text_of = [](const std::string& file) {
    std::ifstream in(std::string(ICPI_SOURCE_DIR "/") + file);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  EXPECT_THAT(text_of("CITATION.cff"), testing::HasSubstr("\nversion: " ICPI_PROJECT_VERSION "\n"));
  EXPECT_THAT(text_of("cmake/vcpkg/icpi/vcpkg.json"), testing::HasSubstr("\"version\": \"" ICPI_PROJECT_VERSION "\","));
}
