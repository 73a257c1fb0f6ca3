// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace icpi::testing {

/// Expects `text` to equal the file tests/golden/`name`. With ICPI_UPDATE_GOLDEN set in the environment the file is
/// written instead, and the test fails once so that the change is looked at.
inline void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(ICPI_GOLDEN_DIR) + '/' + name;
  if (std::getenv("ICPI_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << text;
    ADD_FAILURE() << "wrote " << name;
    return;
  }
  std::ifstream file(path);
  ASSERT_TRUE(file) << "no golden file " << name;
  std::ostringstream expected;
  expected << file.rdbuf();
  EXPECT_EQ(text, expected.str()) << "differs from tests/golden/" << name;
}

}  // namespace icpi::testing
