// SPDX-License-Identifier: MIT
#include "http/json_text.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "icpi/core/random.hpp"

namespace {

using icpi::http::append_json_escaped;
using icpi::http::find_invalid_utf8;
using icpi::http::mend_json;

/// Bytes that are often special.
std::string random_text(icpi::RandomStream& stream) {
  static const std::string special = "\"\\\n\t\x01\x1F\x7F\x80\xBF\xC2\xC3\xE0\xED\xEF\xF0\xF4\xF5\xFF";
  std::string text(stream.index(40), 'a');
  for (char& c : text) {
    const std::size_t draw = stream.index(12);
    if (draw == 0) c = special[stream.index(special.size())];
    if (draw == 1) c = static_cast<char>(stream.index(256));
  }
  return text;
}

TEST(JsonText, AgreesWithAParserOnRandomBytes) {
  icpi::RandomStream stream{icpi::RandomKey(11)};
  int valid = 0;
  for (int i = 0; i < 200000; ++i) {
    std::string text = random_text(stream);
    if (i % 3 == 0) text += "\xE2\x82\xAC\xF0\x9F\x98\x80";
    std::string json = "\"";
    append_json_escaped(json, text);
    json += '"';
    const auto parsed = nlohmann::json::parse(json, nullptr, false);
    ASSERT_EQ(parsed.is_discarded(), find_invalid_utf8(text).has_value()) << testing::PrintToString(text);
    if (parsed.is_discarded()) continue;
    ASSERT_EQ(parsed.get<std::string>(), text);
    ++valid;
  }
  EXPECT_GT(valid, 20000);
}

TEST(JsonText, EveryBytePositionIsSeen) {
  for (std::size_t size = 1; size < 25; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (const char bad : {'"', '\\', '\n', '\0'}) {
        std::string text(size, '~');
        text[at] = bad;
        std::string json = "\"";
        append_json_escaped(json, text);
        ASSERT_EQ(nlohmann::json::parse(json + "\"").get<std::string>(), text);
      }
      std::string text(size, '~');
      text[at] = '\xFF';
      ASSERT_EQ(find_invalid_utf8(text), at);
    }
  }
}

TEST(MendJson, PutsAReplacementWhereNoCharacterIs) {
  struct Case {
    const char* broken;
    const char* mended;
  };
  const std::string replacement = "\xEF\xBF\xBD";
  for (const Case& each : {Case{R"("\ud800 a")", R"("\ufffd a")"},
                           {R"("\udc00\ud800")", R"("\ufffd\ufffd")"},
                           {R"("\uDBFF\u0041\uD83D")", R"("\ufffd\u0041\ufffd")"},
                           {R"("\ud800\ud83d\ude00")", R"("\ufffd\ud83d\ude00")"},
                           {R"("\\ud800 \\\ud800")", R"("\\ud800 \\\ufffd")"},
                           {R"("\ud8)", R"("\ud8)"},
                           {R"("\ud800)", R"("\ufffd)"},
                           {"\"\\", "\"\\"},
                           {R"({"a":"\ud83d\ude00","b":[1,null]})", R"({"a":"\ud83d\ude00","b":[1,null]})"}})
    EXPECT_EQ(mend_json(each.broken), each.mended);
  EXPECT_EQ(mend_json("\"a\xFF\xE2\x82\""), "\"a" + replacement + replacement + replacement + "\"");
}

TEST(MendJson, OfRandomBytesIsUtf8AndTheSameOnceMore) {
  icpi::RandomStream stream{icpi::RandomKey(12)};
  for (int i = 0; i < 20000; ++i) {
    std::string text = random_text(stream);
    if (i % 2 == 0) text.insert(stream.index(text.size() + 1), "\\uD8" + random_text(stream).substr(0, 8) + "\\uDC01");
    const std::string mended = mend_json(text);
    ASSERT_FALSE(find_invalid_utf8(mended)) << testing::PrintToString(text);
    ASSERT_EQ(mend_json(mended), mended) << testing::PrintToString(text);
  }
}

}  // namespace
