// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "icpi/domains/all.hpp"
#include "icpi/testing/check_formatter.hpp"
#include "support/archetypes.hpp"

namespace icpi::testing {
namespace {

TEST(CheckFormatter, FindsNothingInTheDomains) {
  for_each_domain([](const auto& env) {
    using Env = std::remove_cvref_t<decltype(env)>;
    for (const bool hints : {true, false}) {
      const default_formatter_t<Env> formatter(env, {.hints = hints});
      const bool exact = !std::is_same_v<Env, PointMass>;
      const Report report = check_formatter(env, formatter, {.exact_observations = exact});
      EXPECT_TRUE(report.ok()) << env.facts().name << "\n" << report;
    }
  });
}

TEST(CheckFormatter, FindsNothingInTheArchetypes) {
  const Report report = check_formatter(archetype::Environment(3), archetype::Formatter("it"));
  EXPECT_TRUE(report.ok()) << report;
  const Report reading = check_formatter(archetype::Environment(3), archetype::ReadingFormatter("it"));
  EXPECT_TRUE(reading.ok()) << reading;
}

enum class Fault {
  none,
  no_newline,
  blank_line,
  stop_inside,
  rounded_reward,
  equal_actions,
  swapped_actions,
  swapped_termination,
  rejects_observation,
  reads_one_observation,
  reads_next_observation,
  reads_every_second_observation,
  changes_its_mind,
  throws,
  blank_start,
};

/// A chain's formatter with one fault.
class Faulty : public LineFormatter<Faulty, Chain> {
 public:
  explicit Faulty(Fault fault) : LineFormatter(Chain{}), fault_(fault) {}
  [[nodiscard]] std::string observation(int state) const {
    if (fault_ == Fault::changes_its_mind) ++calls_;
    return fmt::format("at {}{}{}", state + calls_, fault_ == Fault::blank_line ? "\n\nhere" : "",
                       fault_ == Fault::no_newline ? "" : "\n");
  }
  [[nodiscard]] std::string action(ChainAction action) const {
    if (fault_ == Fault::equal_actions) return "go\n";
    return fmt::format("go {}\n", static_cast<int>(action));
  }
  [[nodiscard]] std::string reward(double value) const {
    if (fault_ == Fault::rounded_reward) return fmt::format("assert reward == {:.2f}\n", value);
    if (fault_ == Fault::stop_inside) return LineFormatter::reward(value) + "and more\n";
    return LineFormatter::reward(value);
  }
  [[nodiscard]] std::optional<ChainAction> parse_action(std::string_view text) const {
    const auto action = LineFormatter::parse_action(text);
    return fault_ == Fault::swapped_actions && action ? std::optional(ChainAction::left) : action;
  }
  [[nodiscard]] std::optional<double> parse_reward(std::string_view text) const {
    if (fault_ == Fault::throws && text.size() > 60) throw std::out_of_range("too long");
    if (fault_ == Fault::throws) return std::stod(std::string(text.substr(text.find("== ") + 3)));
    return LineFormatter::parse_reward(text);
  }
  [[nodiscard]] std::optional<bool> parse_termination(std::string_view text) const {
    return text == (fault_ == Fault::swapped_termination ? "assert not done" : "assert done");
  }
  [[nodiscard]] bool accepts_observation(std::string_view text) const {
    return fault_ != Fault::rejects_observation && parse_observation(text).has_value();
  }
  [[nodiscard]] std::optional<int> parse_observation(std::string_view text) const {
    int state = 0;
    if (!TextScanner(text).literal("at ").integer(state).at_end()) return std::nullopt;
    if (fault_ == Fault::reads_one_observation) return 0;
    if (fault_ == Fault::reads_next_observation) return state + 1;
    return fault_ == Fault::reads_every_second_observation ? state / 2 * 2 : state;
  }
  [[nodiscard]] std::string episode_start() const { return fault_ == Fault::blank_start ? "\n" : "\nbegin\n"; }

 private:
  Fault fault_;
  mutable int calls_ = 0;
};
static_assert(ParsesObservations<Faulty, Chain>);

TEST(CheckFormatter, CatchesEveryFault) {
  const Report sound = check_formatter(Chain{}, Faulty(Fault::none));
  EXPECT_TRUE(sound.ok()) << sound;
  const std::vector<std::pair<Fault, std::string>> faults{
      {Fault::no_newline, "ends in a newline"},
      {Fault::blank_line, "blank line"},
      {Fault::stop_inside, "stop string"},
      {Fault::rounded_reward, "exactly that reward"},
      {Fault::equal_actions, "Different actions"},
      {Fault::swapped_actions, "as that action"},
      {Fault::swapped_termination, "termination"},
      {Fault::rejects_observation, "accepted"},
      {Fault::reads_one_observation, "parse_observation"},
      {Fault::reads_next_observation, "parse_observation"},
      {Fault::changes_its_mind, "equal texts"},
      {Fault::throws, "never throws"},
      {Fault::blank_start, "not empty"},
  };
  for (const auto& [fault, law] : faults) {
    const Report report = check_formatter(Chain{}, Faulty(fault));
    EXPECT_TRUE(report.violates(law)) << law << "\n" << report;
  }
}

TEST(CheckFormatter, ExactnessIsDemandedOnlyWhereTheCallerSaysSo) {
  const Report rounded = check_formatter(PointMass{}, PointMassFormatter{});
  EXPECT_TRUE(rounded.ok()) << rounded;
  const Report exact = check_formatter(PointMass{}, PointMassFormatter{}, {.exact_observations = true});
  EXPECT_TRUE(exact.violates("parse_observation")) << exact;
  const Faulty halves(Fault::reads_every_second_observation);
  const Report half = check_formatter(Chain{}, halves, {.exact_observations = true});
  EXPECT_TRUE(half.violates("parse_observation")) << half;
  for (const Fault fault : {Fault::reads_one_observation, Fault::reads_next_observation}) {
    const Report report = check_formatter(Chain{}, Faulty(fault), {.exact_observations = true});
    EXPECT_TRUE(report.violates("parse_observation")) << report;
  }
}

/// Writes whether the state is beyond the middle: observations that differ have equal texts.
class Coarse : public LineFormatter<Coarse, Chain> {
 public:
  Coarse() : LineFormatter(Chain{}) {}
  [[nodiscard]] static std::string observation(int state) { return state > 3 ? "far\n" : "near\n"; }
  [[nodiscard]] static std::string action(ChainAction action) {
    return fmt::format("go {}\n", static_cast<int>(action));
  }
  [[nodiscard]] static std::optional<int> parse_observation(std::string_view text) {
    if (text == "far") return 4;
    return text == "near" ? std::optional(0) : std::nullopt;
  }
};

TEST(CheckFormatter, ObservationsThatDifferMayHaveEqualTexts) {
  const Report report = check_formatter(Chain{}, Coarse{});
  EXPECT_TRUE(report.ok()) << report;
}

}  // namespace
}  // namespace icpi::testing
