// SPDX-License-Identifier: MIT
// An environment and its texts: cliff walking, on a grid of 3 rows. The goal is the right corner of the bottom row; the
// cells left of it, but for the other corner, are a cliff. Episodes start on any other cell.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "icpi/icpi.hpp"

struct Cell {
  int x = 0;
  int y = 0;
  friend bool operator==(const Cell&, const Cell&) = default;
};

class CliffWalking {
 public:
  using Observation = Cell;
  using Action = std::string_view;

  static std::array<Action, 4> actions() { return {"left", "right", "up", "down"}; }
  static double discount() { return 0.9; }

  Cell reset(std::uint64_t seed) {
    icpi::RandomStream random{icpi::RandomKey(seed)};
    steps_ = 0;
    do at_ = {static_cast<int>(random.index(width)), static_cast<int>(random.index(height))};
    while (at_.y == 0 && at_.x > 0);
    return at_;
  }

  icpi::Step<Cell> step(Action action) {
    if (action == "left") at_.x = std::max(at_.x - 1, 0);
    if (action == "right") at_.x = std::min(at_.x + 1, width - 1);
    if (action == "up") at_.y = std::min(at_.y + 1, height - 1);
    if (action == "down") at_.y = std::max(at_.y - 1, 0);
    const bool goal = at_ == Cell{width - 1, 0};
    const bool cliff = at_.y == 0 && at_.x > 0 && !goal;
    const bool ended = goal || cliff;
    return {at_, goal ? 1.0 : cliff ? -1.0 : 0.0, ended, !ended && ++steps_ == time_limit};
  }

 private:
  static constexpr int width = 4;
  static constexpr int height = 3;
  static constexpr int time_limit = 12;
  Cell at_;
  int steps_ = 0;
};
static_assert(icpi::Environment<CliffWalking>);

class CliffWalkingText : public icpi::LineFormatter<CliffWalkingText, CliffWalking> {
 public:
  using LineFormatter::LineFormatter;

  static std::string observation(const Cell& cell) {
    return fmt::format("assert x == {} and y == {}\n", cell.x, cell.y);
  }
  static std::string action(std::string_view name) { return fmt::format("x, y = {}(x, y)\n", name); }
  static std::optional<Cell> parse_observation(std::string_view text) {
    Cell cell;
    const bool read =
        icpi::TextScanner(text).literal("assert x == ").integer(cell.x).literal(" and y == ").integer(cell.y).at_end();
    return read ? std::optional(cell) : std::nullopt;
  }
};
static_assert(icpi::PromptFormatter<CliffWalkingText, CliffWalking>);

int main() {
  CliffWalking env;
  icpi::InductionModel model;
  icpi::PolicyIterationOptions options{.seed = 3};
  options.decisions.values = icpi::Planning{{.step_limit = 6}};  // as many as the farthest start needs
  // Tries every action once everywhere, even one that looks like the cliff.
  options.decisions.explorations = {icpi::WarmUp{}, icpi::UntriedFirst{.bonus = 2}};
  icpi::PolicyIteration<CliffWalking, icpi::InductionModel, CliffWalkingText> agent(env, model, options);

  double total = 0;
  int episodes = 0;
  agent.callbacks().on_episode = [&](const auto& trajectory) {
    total += trajectory.back().reward;
    if (++episodes % 15 != 0) return;
    fmt::print("episodes {:3} to {:3}: mean return {:5.2f}\n", episodes - 14, episodes, total / 15);
    total = 0;
  };
  agent.train(env, {.episodes = 60});
}
