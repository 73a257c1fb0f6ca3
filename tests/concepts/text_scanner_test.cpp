// SPDX-License-Identifier: MIT
#include "icpi/concepts/text_scanner.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace icpi {
namespace {

TEST(NumberText, IsTheShortestThatReadsBack) {
  EXPECT_EQ(NumberText(1).view(), "1");
  EXPECT_EQ(NumberText(-0.0).view(), "0");
  EXPECT_EQ(NumberText(0.1).view(), "0.1");
  EXPECT_EQ(NumberText(0.1 + 0.2).view(), "0.30000000000000004");
  EXPECT_EQ(NumberText(1e300).view(), "1e+300");
  EXPECT_EQ(NumberText(-std::numeric_limits<double>::denorm_min()).view(), "-5e-324");
  EXPECT_EQ(NumberText(-std::numeric_limits<double>::max()).view(), "-1.7976931348623157e+308");
  EXPECT_THROW(NumberText{std::numeric_limits<double>::infinity()}, InvalidArgument);
}

TEST(TextScanner, ReadsPieceByPiece) {
  int x = 0;
  double y = 0;
  double z = 0;
  EXPECT_TRUE(TextScanner("x=-3, y=2.5, z=0.10!")
                  .literal("x=")
                  .integer(x)
                  .literal(", y=")
                  .number(y)
                  .literal(", z=")
                  .fixed(z, 2)
                  .literal("!")
                  .at_end());
  EXPECT_EQ(x, -3);
  EXPECT_EQ(y, 2.5);
  EXPECT_EQ(z, 0.1);
}

TEST(TextScanner, TakesFixedNumbersOnlyAsTheyAreWritten) {
  const auto accepts = [](std::string_view text) {
    double value = 0;
    return TextScanner(text).fixed(value, 2).at_end();
  };
  for (const auto* text : {"0.00", "-0.01", "12.50", "1000000000000000.25", "99999999999999991611392.00"})
    EXPECT_TRUE(accepts(text)) << text;
  for (const auto* text : {"-0.00", "00.10", ".10", "-.10", "1.0", "1.000", "1", "--1.00", "1.-0", "1.2.3", "1..2",
                           "99999999999999999999999.00", "99999999999999999999.25"})
    EXPECT_FALSE(accepts(text)) << text;
  EXPECT_FALSE(accepts(std::string(400, '9') + ".00"));
}

TEST(TextScanner, StaysFailed) {
  int value = 7;
  TextScanner scanner("12");
  EXPECT_FALSE(scanner.literal("x").integer(value).at_end());
  EXPECT_FALSE(scanner.starts_with("1"));
  EXPECT_FALSE(scanner.starts_with(""));
  EXPECT_EQ(value, 7) << "a failed reader writes nothing";
  EXPECT_FALSE(TextScanner("12").at_end()) << "text is left";
  EXPECT_TRUE(TextScanner("").at_end());
}

TEST(TextScanner, WantsIntegersAsTheyAreWritten) {
  for (const char* text : {"", "-", "01", "-0", "+1", "1-", "--1", "2147483648", "1.0", " 1", "1 "}) {
    int value = 0;
    EXPECT_FALSE(TextScanner(text).integer(value).at_end()) << text;
  }
  int value = 0;
  EXPECT_TRUE(TextScanner("-2147483648").integer(value).at_end());
  EXPECT_EQ(value, std::numeric_limits<int>::min());
}

TEST(TextScanner, WantsNumbersAsTheyAreWritten) {
  for (const char* text :
       {"", "-", ".", "1.", "01", "1.0", "-0", "+1", "1e5", "1e400", "nan", "inf", "1e", "0x10", "1,5"}) {
    double value = 0;
    EXPECT_FALSE(TextScanner(text).number(value).at_end()) << text;
  }
  double value = 0;
  EXPECT_TRUE(TextScanner("5e-324").number(value).at_end());
  EXPECT_EQ(value, std::numeric_limits<double>::denorm_min());
}

TEST(TextScanner, RestOfLineIsNotEmptyAndHasNoBreak) {
  EXPECT_TRUE(TextScanner("abc").literal("a").rest_of_line().at_end());
  EXPECT_FALSE(TextScanner("a").literal("a").rest_of_line().at_end());
  EXPECT_FALSE(TextScanner("ab\n").literal("a").rest_of_line().at_end());
}

}  // namespace
}  // namespace icpi
