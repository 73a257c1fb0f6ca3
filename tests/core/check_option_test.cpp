// SPDX-License-Identifier: MIT
#include "icpi/core/check_option.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace icpi {
namespace {

template <class Value>
std::string refusal(const Value& value) {
  try {
    check_option(false, "x", value, "y");
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "not refused";
}

TEST(CheckOption, SaysTheValueAsItIsWritten) {
  EXPECT_EQ(refusal(-3), "x is -3; allowed: y");
  EXPECT_EQ(refusal(std::numeric_limits<std::uint64_t>::max()), "x is 18446744073709551615; allowed: y");
  EXPECT_EQ(refusal(std::numeric_limits<std::int64_t>::min()), "x is -9223372036854775808; allowed: y");
  EXPECT_EQ(refusal(std::uint8_t{65}), "x is 65; allowed: y");
  EXPECT_EQ(refusal(false), "x is false; allowed: y");
  EXPECT_EQ(refusal(0.1), "x is 0.1; allowed: y");
  EXPECT_EQ(refusal(1.0), "x is 1; allowed: y");
  EXPECT_EQ(refusal(-std::numeric_limits<double>::infinity()), "x is -inf; allowed: y");
  EXPECT_EQ(refusal("''"), "x is ''; allowed: y");
  EXPECT_EQ(refusal(std::string("text")), "x is text; allowed: y");
}

TEST(CheckOption, AcceptsWhatHolds) { EXPECT_NO_THROW(check_option(true, "x", 1, "y")); }

}  // namespace
}  // namespace icpi
