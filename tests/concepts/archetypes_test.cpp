// SPDX-License-Identifier: MIT
#include "support/archetypes.hpp"

#include <gtest/gtest.h>

#include "icpi/concepts/line_formatter.hpp"

namespace icpi {
namespace {

/// What a user writes on top of LineFormatter, and nothing more.
class ArchetypeLines : public LineFormatter<ArchetypeLines, archetype::Environment> {
 public:
  using LineFormatter::LineFormatter;
  [[nodiscard]] std::string observation(const archetype::Seen& seen) const {
    return "count " + std::to_string(seen.number()) + "\n";
  }
  [[nodiscard]] std::string action(const archetype::Done& done) const {
    return done.number() == 0 ? "wait\n" : "count\n";
  }
  [[nodiscard]] std::optional<archetype::Seen> parse_observation(std::string_view text) const {
    int number = 0;
    if (!TextScanner(text).literal("count ").integer(number).at_end()) return std::nullopt;
    return archetype::Seen(number);
  }
};
static_assert(ParsesObservations<ArchetypeLines, archetype::Environment>);

TEST(LineFormatter, GivesTheRestOfAFormatter) {
  const ArchetypeLines lines(archetype::Environment(3));
  EXPECT_EQ(lines.reward(0.25), "assert reward == 0.25\n");
  EXPECT_EQ(lines.termination(true), "assert done\n");
  EXPECT_EQ(lines.episode_start(), "\nreset()\n");
  EXPECT_EQ(lines.stop(QueryKind::reward), "\n");
  EXPECT_EQ(lines.trajectory_step({archetype::Seen(1), archetype::Done(1), 0, false, false, archetype::Seen(2)}),
            "count 1\ncount\nassert reward == 0\n");
  EXPECT_EQ(lines.parse_action("wait"), archetype::Done(0));
  EXPECT_EQ(lines.parse_action("count"), archetype::Done(1));
  EXPECT_FALSE(lines.parse_action("count\n"));
  EXPECT_TRUE(lines.accepts_observation("count 12"));
  EXPECT_FALSE(lines.accepts_observation("count 012"));
  EXPECT_EQ(lines.actions().size(), 2U);
}

}  // namespace
}  // namespace icpi
