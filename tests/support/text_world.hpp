// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/concepts/line_formatter.hpp"
#include "icpi/core/transition.hpp"

namespace icpi::testing {

/// An environment whose observations are texts of any bytes, one after the other; the last one ends the episode.
class TextWorld {
 public:
  using Observation = std::string;
  using Action = int;

  explicit TextWorld(std::vector<std::string> texts = {"a", "b"}) : texts_(std::move(texts)) {}

  [[nodiscard]] const std::vector<Action>& actions() const { return actions_; }
  [[nodiscard]] double discount() const { return 0.8; }

  Observation reset(std::uint64_t) {
    at_ = 0;
    return texts_[0];
  }
  Step<Observation> step(Action action) {
    at_ = at_ + 1 < texts_.size() ? at_ + 1 : at_;
    return {texts_[at_], static_cast<double>(action), at_ + 1 == texts_.size(), false};
  }

 private:
  std::vector<std::string> texts_;
  std::vector<Action> actions_{0, 1};
  std::size_t at_ = 0;
};

/// Writes observations as they are, and takes any text for one.
class TextWorldFormatter : public LineFormatter<TextWorldFormatter, TextWorld> {
 public:
  using LineFormatter::LineFormatter;

  [[nodiscard]] std::string observation(const std::string& seen) const { return seen + "\n"; }
  [[nodiscard]] std::string action(int action) const { return action == 0 ? "wait()\n" : "go()\n"; }
  [[nodiscard]] bool accepts_observation(std::string_view) const { return true; }
};

}  // namespace icpi::testing

template <>
struct icpi::DefaultFormatter<icpi::testing::TextWorld> {
  using type = icpi::testing::TextWorldFormatter;
};
