// SPDX-License-Identifier: MIT
#include "icpi/core/json.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "icpi/core/json_line.hpp"
#include "icpi/core/random.hpp"

namespace icpi {
namespace {

TEST(Json, ReadsEveryKindOfValue) {
  const Json json =
      Json::parse(R"( {"a": [1, -2.5e3, true, false, null], "b": {"c": "x\n\u00e9\ud83d\ude00"}, "": ""} )");
  EXPECT_EQ(json.names(), (std::vector<std::string>{"a", "b", ""}));
  const auto& list = json["a"].array();
  ASSERT_EQ(list.size(), 5U);
  EXPECT_EQ(list[0].integer<int>(), 1);
  EXPECT_EQ(list[1].number(), -2500);
  EXPECT_TRUE(list[2].boolean());
  EXPECT_FALSE(list[3].boolean());
  EXPECT_EQ(list[4].kind(), Json::Kind::null);
  EXPECT_EQ(json["b"]["c"].string(), "x\n\xC3\xA9\xF0\x9F\x98\x80");
  EXPECT_EQ(json.find("z"), nullptr);
  EXPECT_THROW((void)json["z"], InvalidArgument);
  EXPECT_THROW((void)json["a"].string(), InvalidArgument);
  EXPECT_THROW((void)list[1].integer<int>(), InvalidArgument);
  EXPECT_THROW((void)Json::parse("300").integer<std::uint8_t>(), InvalidArgument);
}

TEST(Json, RefusesWhatIsNoJson) {
  for (const std::string text : {"",       "{",   "}",       "[1,]",      "[1 2]", "{\"a\"}",     "{\"a\":}",
                                 "{a:1}",  "\"x", "\"\\q\"", "\"\\u12\"", "01",    "-",           "1.",
                                 ".5",     "1e",  "tru",     "nul",       "1 1",   "\"\\ud800\"", "\"\\ud800\\u0041\"",
                                 "\"\n\"", "nan", "Infinity"})
    EXPECT_THROW((void)Json::parse(text), InvalidArgument) << text;
  EXPECT_THROW((void)Json::parse(std::string(100'000, '[')), InvalidArgument);
  try {
    (void)Json::parse("[1, x]");
    FAIL();
  } catch (const InvalidArgument& error) {
    EXPECT_STREQ(error.what(), "JSON: syntax error while parsing value - invalid literal at offset 4");
  }
}

/// The offset that the refusal of `text` names.
std::string offset_of(std::string_view text) {
  try {
    (void)Json::parse(text);
  } catch (const InvalidArgument& error) {
    const std::string message = error.what();
    return message.substr(message.find("at offset ") + 10);
  }
  return "accepted";
}

TEST(Json, RefusalsNameTheOffset) {
  using namespace std::string_view_literals;
  EXPECT_EQ(offset_of(""), "0");
  EXPECT_EQ(offset_of("[1,\x01]"), "3");
  EXPECT_EQ(offset_of("{\"a\":1"), "6");
  EXPECT_EQ(offset_of("1\0"sv), "1") << "nothing follows the value";
  EXPECT_EQ(offset_of("[1e999]"), "5") << "no double holds it";
  EXPECT_EQ(offset_of(R"(["\udc80\u0000", x])"), "17") << "in the text, not in what the library reads";
  EXPECT_EQ(offset_of(std::string(65, '[') + std::string(65, ']')), "accepted");
  EXPECT_EQ(offset_of(R"(["\udc80]","[[",)" + std::string(65, '[')), "80") << "brackets in strings nest nothing";
}

TEST(Json, NumbersKeepTheirText) {
  EXPECT_EQ(Json::parse("18446744073709551615").integer<std::uint64_t>(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(Json::parse("-9223372036854775808").integer<std::int64_t>(), std::numeric_limits<std::int64_t>::min());
  EXPECT_THROW((void)Json::parse("18446744073709551616").integer<std::uint64_t>(), InvalidArgument);
  EXPECT_EQ(Json::parse("18446744073709551616").number(), 18446744073709551616.0);
  EXPECT_THROW((void)Json::parse("-1").integer<std::uint64_t>(), InvalidArgument);
  EXPECT_THROW((void)Json::parse("128").integer<std::int8_t>(), InvalidArgument);
  EXPECT_THROW((void)Json::parse("1.0").integer<int>(), InvalidArgument);
  EXPECT_TRUE(std::signbit(Json::parse("-0").number()));
  EXPECT_EQ(Json::parse("-0").integer<int>(), 0);
}

TEST(Json, OfSeveralMembersOfOneNameTheFirstCounts) {
  const Json json = Json::parse(R"({"a":1,"b":2,"a":3})");
  EXPECT_EQ(json["a"].integer<int>(), 1);
  EXPECT_EQ(json.names().size(), 3U);
}

TEST(Json, LoneSurrogatesAreBytesBesideEverythingElse) {
  const auto read = [](std::string_view escapes) { return Json::parse('"' + std::string(escapes) + '"').string(); };
  using namespace std::string_literals;
  EXPECT_EQ(read(R"(\udc80\uDCff)"), "\x80\xFF");
  EXPECT_EQ(read(R"(\u0000\udcA9\u0000\u0000)"), "\0\xA9\0\0"s);
  EXPECT_EQ(read(R"(\u0000\u00e9)"), "\0\xC3\xA9"s) << "no byte without a lone surrogate";
  EXPECT_EQ(read(R"(\\udc80\udc81)"), "\\udc80\x81") << "an escaped backslash";
  EXPECT_EQ(read(R"(\ud83d\udc80\udc80)"), "\xF0\x9F\x92\x80\x80") << "a pair first";
  EXPECT_EQ(Json::parse(R"({"\udc80\u0000":1})").names()[0], "\x80\0"s);
  for (const char* refused : {R"(\udc7f)", R"(\udd00)", R"(\ud83d\u0041)", R"(\ud83d)"})
    EXPECT_THROW((void)read(refused), InvalidArgument) << refused;
}

TEST(Json, AnyBytesSurviveWritingAndReading) {
  RandomStream random(RandomKey(7));
  for (int round = 0; round < 2000; ++round) {
    std::string text(random.index(12), '\0');
    for (char& each : text) each = static_cast<char>(random.index(256));
    std::string line;
    append_json_string(text, line);
    EXPECT_EQ(Json::parse(line).string(), text);
    EXPECT_EQ(line.find('\n'), std::string::npos);
  }
}

TEST(Json, NumbersReadBackExactly) {
  RandomStream random(RandomKey(8));
  for (int round = 0; round < 2000; ++round) {
    const double value = std::ldexp(random.uniform() - 0.5, static_cast<int>(random.index(600)) - 300);
    EXPECT_EQ(Json::parse(JsonLine{}.add("x", value).str())["x"].number(), value);
  }
  EXPECT_EQ(JsonLine{}.add("a", -0.0).add("b", true).add("c", 18446744073709551615U).str(),
            R"({"a":0,"b":true,"c":18446744073709551615})");
  EXPECT_THROW(JsonLine{}.add("x", std::numeric_limits<double>::infinity()), InvalidArgument);
}

TEST(Json, ParsingTakesAnyBytes) {
  RandomStream random(RandomKey(9));
  const std::string valid = R"({"a":[1,2.5,"x\u00e9",{"b":null}],"c":true})";
  std::size_t accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = valid;
    for (std::size_t changes = 1 + random.index(3); changes > 0; --changes)
      text[random.index(text.size())] = static_cast<char>(random.index(256));
    text.resize(random.index(text.size() + 1));
    try {
      (void)Json::parse(text);
      ++accepted;
    } catch (const InvalidArgument&) {
    }
  }
  EXPECT_LT(accepted, 20'000U);
}

}  // namespace
}  // namespace icpi
