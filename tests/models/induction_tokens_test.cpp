// SPDX-License-Identifier: MIT
#include "icpi/models/induction/tokens.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "icpi/models/induction/templates.hpp"
#include "icpi/models/induction/tests.hpp"

namespace icpi::induction {
namespace {

std::vector<std::string> pieces(std::string_view text) {
  std::vector<std::string> result;
  char previous = '\n';
  for (std::size_t at = 0; at < text.size();) {
    const Lexeme lexeme = next_lexeme(text, at, previous);
    result.emplace_back(text.substr(at, lexeme.size));
    at += lexeme.size;
    previous = text[at - 1];
  }
  return result;
}

using Pieces = std::vector<std::string>;

TEST(InductionTokens, SplitsTextIntoWordsNumbersSpacesAndSymbols) {
  EXPECT_EQ(pieces("a.b2 >= -3.50,x-1"), (Pieces{"a", ".", "b2", " ", ">=", " ", "-3.50", ",", "x", "-", "1"}));
  EXPECT_EQ(pieces("=-4 ->[--]\n\n"), (Pieces{"=", "-4", " ", "->", "[", "--", "]", "\n", "\n"}));
  EXPECT_EQ(pieces("1.5.2 7."), (Pieces{"1.5", ".", "2", " ", "7", "."}));
}

TEST(InductionTokens, NumbersHaveExactValues) {
  Vocabulary vocabulary;
  const auto info = [&](std::string_view text) {
    return vocabulary[vocabulary.intern(text, next_lexeme(text, 0, '\n').kind)];
  };
  EXPECT_EQ(info("-3.45").value, -3'450'000);
  EXPECT_EQ(info("-3.45").decimals, 2);
  EXPECT_EQ(info("12").value, 12'000'000);
  EXPECT_EQ(info("007").kind, TokenKind::word);
  EXPECT_EQ(info("1234567890123").kind, TokenKind::word);
  EXPECT_EQ(info("0.1234567").kind, TokenKind::word);
}

TEST(InductionTokens, AreNeverLongerThanTheirLimit) {
  for (const char each : {'7', 'a', ' ', '=', '(', '\xFF'})
    for (std::size_t size = 190; size < 210; ++size)
      for (const std::string_view rest : {"", ".5", "-5", " ", "a.5"}) {
        const std::string text = std::string(size, each) + std::string(rest);
        EXPECT_LE(next_lexeme(text, 0, '\n').size, 200U) << text;
      }
}

TEST(InductionTokens, WritesNumbersBack) {
  const auto written = [](std::int64_t value, int decimals) {
    std::string text;
    append_number(text, value, decimals);
    return text;
  };
  EXPECT_EQ(written(-3'450'000, 2), "-3.45");
  EXPECT_EQ(written(0, 2), "0.00");
  EXPECT_EQ(written(-50'000, 2), "-0.05");
  EXPECT_EQ(written(7'000'000, 0), "7");
  EXPECT_EQ(written(-1, 6), "-0.000001");
}

TEST(InductionTokens, VocabularyKeepsNumbersWhileItGrows) {
  Vocabulary vocabulary;
  std::vector<TokenId> ids;
  for (int i = 0; i < 1000; ++i) ids.push_back(vocabulary.intern("w" + std::to_string(i), TokenKind::word));
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(vocabulary.find("w" + std::to_string(i)), ids[static_cast<std::size_t>(i)]);
    EXPECT_EQ(vocabulary.text(ids[static_cast<std::size_t>(i)]), "w" + std::to_string(i));
  }
  EXPECT_EQ(vocabulary.find("absent"), no_token);
}

TEST(InductionTokens, RoundestNumberBetweenTwo) {
  EXPECT_EQ(roundest_between(-2'300'000, -1'700'000), -2'000'000);
  EXPECT_EQ(roundest_between(1'870'000, 2'130'000), 2'000'000);
  EXPECT_EQ(roundest_between(3'000'000, 4'000'000), 3'000'000);
  EXPECT_EQ(roundest_between(-1'000'000, 1'000'000), 0);
  for (const std::int64_t low : {-7'654'321LL, -1LL, 0LL, 5LL, 999'999LL})
    for (const std::int64_t width : {1LL, 2LL, 10LL, 123'456LL, 5'000'000LL}) {
      const std::int64_t round = roundest_between(low, low + width);
      EXPECT_GE(round, low);
      EXPECT_LT(round, low + width);
    }
}

TEST(InductionTemplates, LinesOfOneFormShareATemplate) {
  TemplateTable table;
  const auto line = [](std::initializer_list<TokenClass> classes) {
    std::vector<Place> places;
    for (const TokenClass c : classes) places.push_back({c, c == 1});
    return places;
  };
  const TemplateId first = table.assign(line({10, 1, 11, 1, number_class, 1, 12}));
  EXPECT_EQ(table.assign(line({10, 1, 11, 1, number_class, 1, 13})), first);
  EXPECT_EQ(table[first].back(), varying_class);
  EXPECT_NE(table.assign(line({14, 1, 11, 1, number_class, 1, 13})), first);
  EXPECT_NE(table.assign(line({10, 1, 11, 1, 12, 1, 13})), first);
  EXPECT_EQ(table.find(line({10, 1, 11, 1, number_class, 1, 99})), first);
  EXPECT_EQ(table.find(line({99})), no_template);
  EXPECT_EQ(table.find({}), blank_template);
}

TEST(InductionTemplates, AlignmentSkipsWhatIsMissing) {
  std::vector<Place> a;
  std::vector<Place> b;
  for (const TokenClass c : {20U, 21U, 22U, 23U}) a.push_back({c, false});
  for (const TokenClass c : {20U, 22U, 23U}) b.push_back({c, false});
  Aligner aligner;
  const Alignment alignment = aligner.align(a, b, true).first;
  EXPECT_EQ(alignment.place, (std::vector<std::int16_t>{0, -1, 1, 2}));
  EXPECT_GT(alignment.similarity, 0.7);
  EXPECT_LT(alignment.similarity, 0.8);
}

}  // namespace
}  // namespace icpi::induction
