// SPDX-License-Identifier: MIT
#include "measurements/rewording.hpp"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/domains/all.hpp"

namespace icpi::measurements {
namespace {

std::vector<Rewording> all() {
  return {unchanged(),           rename_words(5),        replace_equality("is"),
          replace_equality(":"), replace_equality("->"), add_to_numbers(17)};
}

std::string prompts_of(std::string_view domain) {
  std::ifstream in(std::filesystem::path(ICPI_GOLDEN_DIR) / ("prompts_" + std::string(domain) + ".txt"));
  std::string text;
  for (std::string line; std::getline(in, line);)
    if (!line.starts_with('#') && !line.starts_with('<')) text += line + "\n";
  return text;
}

TEST(Rewording, CanBeUndoneInEveryDomain) {
  for (const std::string_view domain : domain_names) {
    const std::string prompts = prompts_of(domain);
    ASSERT_GT(prompts.size(), 1000U) << domain;
    for (const Rewording& rewording : all()) {
      const std::string reworded = rewording.there(prompts);
      EXPECT_EQ(reworded == prompts, rewording.name == "as it is") << domain << ", " << rewording.name;
      EXPECT_EQ(rewording.back(reworded), prompts) << domain << ", " << rewording.name;
    }
  }
}

TEST(Rewording, ShiftsNumbersAndKeepsTheirForm) {
  const Rewording shift = add_to_numbers(17);
  EXPECT_EQ(shift.there("a == -3.45 and b0 < 12, c[-1] - 2"), "a == 13.55 and b0 < 29, c[16] - 19");
  EXPECT_EQ(shift.back("-16.50 16.50 17.00 9"), "-33.50 -0.50 0.00 -8");
}

TEST(Rewording, NamesDependOnTheSeed) {
  EXPECT_NE(rename_words(1).there("assert done"), rename_words(2).there("assert done"));
  EXPECT_EQ(rename_words(1).there("assert done"), rename_words(1).there("assert done"));
}

TEST(Rewording, RefusesASignThatTheTextUses) { EXPECT_THROW(replace_equality("is").there("this is it"), Error); }

/// Answers with the query, and notes what it was asked.
struct Echo {
  [[nodiscard]] static std::string identity() { return "echo"; }
  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      seen->push_back(std::string(requests[i].prefix.text) + std::string(requests[i].query));
      completions[i].text = requests[i].query;
    }
  }
  std::vector<std::string>* seen;
};

TEST(RewordedModel, TranslatesPromptsAndAnswers) {
  std::vector<std::string> seen;
  RewordedModel<Echo> model(Echo{&seen}, add_to_numbers(1));
  std::array<CompletionRequest, 2> requests;
  requests[0].prefix = {1, "x == 3\n"};
  requests[0].query = "y == 4\n";
  requests[1].prefix = {0, "z == 5\n"};
  requests[1].query = "y == 9\n";
  std::array<Completion, 2> completions;
  model.complete(requests, completions);
  EXPECT_EQ(seen, (std::vector<std::string>{"x == 4\ny == 5\n", "z == 6\ny == 10\n"}));
  EXPECT_EQ(completions[0].text, "y == 4\n");
  EXPECT_EQ(completions[1].text, "y == 9\n");
}

}  // namespace
}  // namespace icpi::measurements
