// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/line_formatter.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/random.hpp"

namespace icpi::testing {

/// A corridor of six places, the last of which is worth 1. There are four doors everywhere - back, on, two on, three on -
/// and which of them are open differs between two corridors of this type at what looks the same. Going through a shut one
/// changes nothing, and is counted. An episode begins in the first half.
class Gates {
 public:
  using Observation = int;
  using Action = int;  ///< places forward: -1, 1, 2, 3

  static constexpr int last = 5;
  static constexpr int most_steps = 12;

  /// Doors that are open: of odd ones another than of even ones.
  explicit Gates(bool odd = false) : odd_(odd) {}

  [[nodiscard]] static const std::array<int, 4>& actions() {
    static constexpr std::array<int, 4> all{-1, 1, 2, 3};
    return all;
  }
  [[nodiscard]] static double discount() { return 0.8; }

  /// Throws for what is no place.
  [[nodiscard]] std::vector<int> legal_actions(int place) const {
    ++*asked;
    if (*gone) throw EnvironmentUnreachable("it is gone");
    if (place < 0 || place > last) throw std::out_of_range("no such place");
    if (odd_) return place % 2 == 0 ? std::vector<int>{-1, 2} : std::vector<int>{1, 3};
    return place % 2 == 0 ? std::vector<int>{1, 3} : std::vector<int>{-1, 1, 2};
  }

  int reset(std::uint64_t seed) {
    if (*gone) throw EnvironmentUnreachable("it is gone");
    steps_ = 0;
    RandomStream stream{RandomKey(seed)};
    return place_ = static_cast<int>(stream.index(3));
  }

  Step<int> step(int forward) {
    const auto open = legal_actions(place_);
    const bool can = std::find(open.begin(), open.end(), forward) != open.end();
    if (!can) ++*shut;
    if (can) place_ = std::clamp(place_ + forward, 0, last);
    const bool there = place_ == last;
    return {place_, there ? 1.0 : 0.0, there, !there && ++steps_ == most_steps};
  }

  std::shared_ptr<int> shut = std::make_shared<int>(0);   ///< times that a shut door was tried, copies' included
  std::shared_ptr<int> asked = std::make_shared<int>(0);  ///< times that it was asked what is open, copies' included
  std::shared_ptr<bool> gone = std::make_shared<bool>(false);  ///< it can be reached no more, nor can copies

 private:
  bool odd_;
  int place_ = 0;
  int steps_ = 0;
};

static_assert(HasLegalActions<Gates>);

/// Nothing reads its observations back.
class GatesText : public LineFormatter<GatesText, Gates> {
 public:
  using LineFormatter::LineFormatter;
  [[nodiscard]] std::string observation(int place) const { return "place " + std::to_string(place) + "\n"; }
  [[nodiscard]] std::string action(int forward) const { return "go " + std::to_string(forward) + "\n"; }
  [[nodiscard]] bool accepts_observation(std::string_view text) const { return read(text).has_value(); }

 protected:
  [[nodiscard]] static std::optional<int> read(std::string_view text) {
    if (text.size() != 7 || !text.starts_with("place ") || text[6] < '0' || text[6] > '9') return std::nullopt;
    return text[6] - '0';
  }
};

/// The same, and reads observations back.
class ParsingGatesText : public GatesText {
 public:
  using GatesText::GatesText;
  [[nodiscard]] std::optional<int> parse_observation(std::string_view text) const { return read(text); }
};

}  // namespace icpi::testing
