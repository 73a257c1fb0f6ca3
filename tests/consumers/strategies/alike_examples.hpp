// SPDX-License-Identifier: MIT
// An example selection: the six examples whose question is most like the one asked, by edit distance, most alike last.
#pragma once

#include <icpi/icpi.hpp>

#include <algorithm>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct AlikeExamples {
  std::size_t most = 6;

  [[nodiscard]] std::string description() const { return "alike_examples(most=" + std::to_string(most) + ")"; }

  void select(const icpi::ExampleQuery& query, std::span<const icpi::ExampleCandidate> candidates, icpi::RandomStream&,
              icpi::ExampleChoice& choice) const {
    std::vector<std::pair<std::size_t, std::size_t>> order;  // distance, place
    for (std::size_t i = 0; i < candidates.size(); ++i)
      order.emplace_back(distance(query.text, candidates[i].question), i);
    std::ranges::sort(order);
    std::size_t room = query.room;
    for (const auto& [distance, place] : order) {
      if (choice.query.size() == most || candidates[place].tokens > room) break;
      room -= candidates[place].tokens;
      choice.query.push_back(place);
    }
    std::ranges::reverse(choice.query);
  }

 private:
  /// Levenshtein's: characters to insert, delete or replace.
  static std::size_t distance(std::string_view left, std::string_view right) {
    std::vector<std::size_t> row(right.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < left.size(); ++i) {
      std::size_t diagonal = std::exchange(row[0], i + 1);
      for (std::size_t j = 0; j < right.size(); ++j) {
        const std::size_t replaced = diagonal + (left[i] == right[j] ? 0 : 1);
        diagonal = row[j + 1];
        row[j + 1] = std::min({replaced, row[j + 1] + 1, row[j] + 1});
      }
    }
    return row.back();
  }
};
