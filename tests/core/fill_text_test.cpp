// SPDX-License-Identifier: MIT
#include "icpi/core/fill_text.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "icpi/core/error.hpp"

namespace icpi::detail {
namespace {

TEST(FillText, PutsValuesOfEveryKindInTheirPlaces) {
  const std::string text = "text";
  EXPECT_EQ(fill_text("{} {}, {} and {}", {text, "literal", -3, std::size_t{4}}), "text literal, -3 and 4");
  EXPECT_EQ(fill_text("{}{}", {0.1, 1.0}), "0.11");
  EXPECT_EQ(fill_text("<{}>", {std::numeric_limits<std::uint64_t>::max()}), "<18446744073709551615>");
  EXPECT_EQ(fill_text("<{}>", {std::numeric_limits<std::int64_t>::min()}), "<-9223372036854775808>");
}

TEST(FillText, LeavesTheRestAsItIs) {
  EXPECT_EQ(fill_text("no place", {}), "no place");
  EXPECT_EQ(fill_text("{}", {"{}"}), "{}");
  EXPECT_EQ(fill_text("a {} b\n", {""}), "a  b\n");
}

TEST(FillText, RequirementsThrowTheirText) {
  EXPECT_NO_THROW(require(true, "{} is {}", "x", 1));
  try {
    require(false, "{} is {}", "x", 1);
    FAIL() << "nothing was thrown";
  } catch (const InvalidArgument& error) {
    EXPECT_STREQ(error.what(), "x is 1");
  }
}

}  // namespace
}  // namespace icpi::detail
