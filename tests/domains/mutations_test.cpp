// SPDX-License-Identifier: MIT
// Millions of damaged answers through every parser of the six formatters: nothing crashes, and what is accepted is what
// the formatter writes. ICPI_MUTATIONS says how many.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "icpi/domains/all.hpp"
#include "support/formatter_laws.hpp"
#include "support/mutations.hpp"

namespace icpi {
namespace {

constexpr std::uint64_t mutations = ICPI_MUTATIONS;

TEST(Mutations, OfValidAnswersAreRefusedOrMeanWhatTheFormatterWrites) {
  const testing::AllParsers domains;
  std::vector<std::string> answers;
  std::apply([&](const auto&... each) { (each.add_valid_answers(answers), ...); }, domains);
  testing::Mutator mutator(answers, RandomKey(20));
  testing::Accepted accepted;
  for (std::uint64_t i = 0; i < mutations; ++i) {
    const std::string& text = mutator.next();
    const auto check = [&](const auto& parsers) {
      const std::string_view law = parsers.broken_law(text, accepted);
      EXPECT_EQ(law, "") << "mutation " << i << ": '" << text << "'";
    };
    std::apply([&](const auto&... each) { (check(each), ...); }, domains);
    if (HasFailure()) return;
  }
  RecordProperty("mutations", std::to_string(mutations));
  RecordProperty("accepted_observations", std::to_string(accepted.observations));
  EXPECT_GT(accepted.actions, mutations / 2000);
  EXPECT_GT(accepted.rewards, mutations / 2000);
  EXPECT_GT(accepted.terminations, mutations / 2000);
  EXPECT_GT(accepted.observations, mutations / 20);
}

TEST(Mutations, LeaveTheHintUnchecked) {
  const ChainFormatter formatter;
  EXPECT_EQ(formatter.parse_observation("assert state == 6 and state == 4"), 6);  // wrong, as in the paper
  EXPECT_FALSE(formatter.parse_observation("assert state == 6 and "));
  EXPECT_FALSE(formatter.parse_observation("assert state == 6 and\nstate != 4"));
}

}  // namespace
}  // namespace icpi
