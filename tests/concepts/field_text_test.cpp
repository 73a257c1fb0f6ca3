// SPDX-License-Identifier: MIT
#include "icpi/concepts/field_text.hpp"

#include <gmock/gmock.h>

#include <Eigen/Core>
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "icpi/concepts/field_formatter.hpp"
#include "icpi/core/random.hpp"
#include "icpi/testing/check_formatter.hpp"

namespace icpi {
namespace {

using ::testing::HasSubstr;

template <class Call>
std::string refusal(Call&& call) {
  try {
    call();
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "nothing was refused";
}

const std::vector<Field> all_kinds{{"row", FieldKind::integer},
                                   {"ball.x", FieldKind::decimal, 2},
                                   {"door", FieldKind::category, 2, {"open", "shut \"tight\""}},
                                   {"note", FieldKind::text}};

TEST(FieldText, WritesEveryKindOnOneLine) {
  const FieldText text(all_kinds);
  const FieldValues values{std::int64_t{-3}, 0.125, std::string("open"), std::string("a \"b\"\n\\c\x01")};
  const std::string line = text.write(values);
  EXPECT_EQ(line,
            "assert row == -3 and ball.x == 0.12 and door == \"open\" and note == \"a \\\"b\\\"\\n\\\\c\\u0001\"\n");
  EXPECT_EQ(text.read(line.substr(0, line.size() - 1)), text.rounded(values));
}

TEST(FieldText, ReadsNothingElse) {
  const FieldText text(all_kinds);
  const std::string good = R"(assert row == 3 and ball.x == 0.50 and door == "open" and note == "x")";
  ASSERT_TRUE(text.read(good));
  for (const std::string_view bad :
       {"", "assert", R"(assert row == 3)", R"(assert row == 03 and ball.x == 0.50 and door == "open" and note == "x")",
        R"(assert row == -0 and ball.x == 0.50 and door == "open" and note == "x")",
        R"(assert row == 3 and ball.x == 0.5 and door == "open" and note == "x")",
        R"(assert row == 3 and ball.x == -0.00 and door == "open" and note == "x")",
        R"(assert row == 3 and ball.x == 0.50 and door == "ajar" and note == "x")",
        R"(assert row == 3 and ball.x == 0.50 and door == "open" and note == "x" )",
        R"(assert row == 3 and ball.x == 0.50 and door == "open" and note == "x)",
        R"(assert row == 3 and ball.x == 0.50 and door == "open" and note == "\u0041")",
        R"(assert row == 3 and ball.x == 0.50 and door == "open" and note == "\)",
        R"(assert row == 3.0 and ball.x == 0.50 and door == "open" and note == "x")",
        R"(assert row == 99999999999999999999 and ball.x == 0.50 and door == "open" and note == "x")"})
    EXPECT_FALSE(text.read(bad)) << bad;
}

TEST(FieldText, DecimalsReadBackAsTheyAreWritten) {
  const FieldText text({{"x", FieldKind::decimal, 3}});
  RandomStream stream{RandomKey(1)};
  for (int i = 0; i < 2000; ++i) {
    const FieldValues values{(stream.uniform() - 0.5) * (i % 2 == 0 ? 1e-3 : 1e6)};
    const std::string line = text.write(values);
    const auto read = text.read(std::string_view(line).substr(0, line.size() - 1));
    ASSERT_TRUE(read) << line;
    EXPECT_EQ(*read, text.rounded(values)) << line;
    EXPECT_EQ(text.write(*read), line);
  }
}

TEST(FieldText, TextsOfAnyBytesStayOnOneLine) {
  const FieldText text({{"note", FieldKind::text}});
  RandomStream stream{RandomKey(2)};
  for (int i = 0; i < 2000; ++i) {
    std::string bytes(stream.index(12), ' ');
    for (char& each : bytes) each = static_cast<char>(stream.index(256));
    const std::string line = text.write(FieldValues{bytes});
    ASSERT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_EQ(text.read(std::string_view(line).substr(0, line.size() - 1)), FieldValues{bytes});
  }
}

TEST(FieldText, HintsCompareFieldsOfOneGroup) {
  const std::vector<Field> fields{{"a", FieldKind::integer, 2, {}, "g"},
                                  {"b", FieldKind::decimal, 1, {}, "g"},
                                  {"c", FieldKind::text, 2, {}, "t"},
                                  {"d", FieldKind::text, 2, {}, "t"},
                                  {"e", FieldKind::integer}};
  const FieldValues values{std::int64_t{2}, 1.5, std::string("x"), std::string("y"), std::int64_t{0}};
  EXPECT_EQ(FieldText(fields).write(values), "assert a == 2 and b == 1.5 and c == \"x\" and d == \"y\" and e == 0\n");
  const FieldText hinted(fields, true);
  const std::string line = hinted.write(values);
  EXPECT_EQ(line, "assert a == 2 and b == 1.5 and c == \"x\" and d == \"y\" and e == 0 and a > b and c != d\n");
  EXPECT_EQ(hinted.read(std::string_view(line).substr(0, line.size() - 1)), values);
  EXPECT_FALSE(hinted.read("assert a == 2 and b == 1.5 and c == \"x\" and d == \"y\" and e == 0"));
  EXPECT_FALSE(FieldText(fields).read(std::string_view(line).substr(0, line.size() - 1)));
}

TEST(FieldText, RefusesFieldsThatMakeNoSense) {
  const auto refused = [](std::vector<Field> fields) { return refusal([&] { FieldText text(fields); }); };
  EXPECT_THAT(refused({}), HasSubstr("at least one field"));
  EXPECT_THAT(refused({{"a", static_cast<FieldKind>(4)}}), HasSubstr("'a': its kind is none of integer, decimal"));
  EXPECT_THAT(refused({{"two words"}}), HasSubstr("'two words'"));
  EXPECT_THAT(refused({{""}}), HasSubstr("its name"));
  EXPECT_THAT(refused({{"x"}, {"x"}}), HasSubstr("twice"));
  EXPECT_THAT(refused({{"x", FieldKind::decimal, 0}}), HasSubstr("decimals"));
  EXPECT_THAT(refused({{"x", FieldKind::category}}), HasSubstr("no categories"));
  EXPECT_THAT(refused({{"x", FieldKind::category, 2, {"a", "a"}}}), HasSubstr("twice"));
  EXPECT_THAT(refused({{"x", FieldKind::text, 2, {}, "g"}, {"y", FieldKind::integer, 2, {}, "g"}}), HasSubstr("'g'"));
}

TEST(FieldText, RefusesValuesThatDoNotFit) {
  const FieldText text(all_kinds);
  const FieldValues good{std::int64_t{1}, 0.5, std::string("open"), std::string()};
  const auto refused = [&](std::size_t place, FieldValue value) {
    FieldValues values = good;
    values[place] = std::move(value);
    return refusal([&] { (void)text.write(values); });
  };
  EXPECT_EQ(refused(0, std::int64_t{2}), "nothing was refused");
  EXPECT_THAT(refused(0, 1.0), HasSubstr("'row'"));
  EXPECT_THAT(refused(1, std::numeric_limits<double>::quiet_NaN()), HasSubstr("'ball.x'"));
  EXPECT_THAT(refused(2, std::string("ajar")), HasSubstr("'door'"));
  EXPECT_THAT(refused(3, std::int64_t{1}), HasSubstr("'note'"));
  EXPECT_THAT(refusal([&] { (void)text.write(FieldValues{}); }), HasSubstr("0 values for 4 fields"));
}

TEST(ActionCall, IsACallWhateverTheName) {
  EXPECT_EQ(action_call("left"), "left()\n");
  EXPECT_EQ(action_call("go \"north\"\n"), "act(\"go \\\"north\\\"\\n\")\n");
  EXPECT_EQ(action_call("2"), "act(\"2\")\n");
}

enum class Mood : std::uint8_t { calm, wild };

/// A world of this observation: two actions, a few steps, values at random.
template <class Seen>
struct World {
  using Observation = Seen;
  using Action = int;
  static std::array<int, 2> actions() { return {0, 1}; }
  static double discount() { return 0.9; }
  Observation reset(std::uint64_t seed) {
    stream = RandomStream(RandomKey(seed));
    steps = 0;
    return draw();
  }
  Step<Observation> step(int action) { return {draw(), static_cast<double>(action), false, ++steps == 4}; }
  Observation draw() {
    const int whole = static_cast<int>(stream.index(9)) - 4;
    const double real = stream.uniform() * 4 - 2;
    if constexpr (std::is_same_v<Observation, std::tuple<int, double>>)
      return {whole, real};
    else if constexpr (std::is_same_v<Observation, Eigen::Vector2d>)
      return {real, whole};
    else
      return {whole, real, whole > 0 ? Mood::wild : Mood::calm, "seen " + std::to_string(whole)};
  }
  RandomStream stream{RandomKey(0)};
  int steps = 0;
};

struct Aggregate {
  int row = 0;
  double speed = 0;
  Mood mood{};
  std::string note;
  friend bool operator==(const Aggregate&, const Aggregate&) = default;
};

const FieldFormatterOptions names{.action_names = {"stay", "go"}};

TEST(FieldFormatter, WritesAggregates) {
  const FieldFormatter<World<Aggregate>> formatter(
      World<Aggregate>{},
      {bind_field<Aggregate>({"row"}, &Aggregate::row),
       bind_field<Aggregate>({"speed", FieldKind::decimal, 1}, &Aggregate::speed),
       bind_field<Aggregate>({"mood", FieldKind::category, 2, {"calm", "wild"}}, &Aggregate::mood),
       bind_field<Aggregate>({"note", FieldKind::text}, &Aggregate::note)},
      names);
  EXPECT_EQ(formatter.observation({2, -0.04, Mood::wild, "x"}),
            "assert row == 2 and speed == 0.0 and mood == \"wild\" and note == \"x\"\n");
  EXPECT_EQ(formatter.action(1), "go()\n");
  EXPECT_EQ(
      formatter.parse_observation("assert row == 99999999999 and speed == 0.0 and mood == \"wild\" and note == \"\""),
      std::nullopt);
  const auto report = testing::check_formatter(World<Aggregate>{}, formatter);
  EXPECT_TRUE(report.ok()) << report.to_string();
}

TEST(FieldFormatter, WritesTuplesAndVectors) {
  using Pair = std::tuple<int, double>;
  const FieldFormatter<World<Pair>> of_tuples(
      World<Pair>{},
      {bind_field<Pair>({"n"}, [](auto& o) -> auto& { return std::get<0>(o); }),
       bind_field<Pair>({"x", FieldKind::decimal, 3}, [](auto& o) -> auto& { return std::get<1>(o); })},
      names);
  EXPECT_EQ(of_tuples.observation({3, 0.5}), "assert n == 3 and x == 0.500\n");
  auto report = testing::check_formatter(World<Pair>{}, of_tuples);
  EXPECT_TRUE(report.ok()) << report.to_string();

  using Vector = Eigen::Vector2d;
  const FieldFormatter<World<Vector>> of_vectors(
      World<Vector>{},
      {bind_field<Vector>({"x", FieldKind::decimal, 2}, [](auto& o) -> auto& { return o(0); }),
       bind_field<Vector>({"y", FieldKind::decimal, 2}, [](auto& o) -> auto& { return o(1); })},
      names, Vector::Zero());
  report = testing::check_formatter(World<Vector>{}, of_vectors);
  EXPECT_TRUE(report.ok()) << report.to_string();
}

TEST(FieldFormatter, RefusesNamesThatDoNotFit) {
  const auto refused = [](std::vector<std::string> given) {
    return refusal([&] {
      FieldFormatter<World<Aggregate>> formatter(World<Aggregate>{}, {bind_field<Aggregate>({"row"}, &Aggregate::row)},
                                                 {.action_names = given});
    });
  };
  EXPECT_THAT(refused({}), HasSubstr("fewer"));
  EXPECT_THAT(refused({"a"}), HasSubstr("fewer"));
  EXPECT_THAT(refused({"a", "b", "c"}), HasSubstr("more"));
  EXPECT_EQ(refused({"a", "b"}), "nothing was refused");
}

}  // namespace
}  // namespace icpi
