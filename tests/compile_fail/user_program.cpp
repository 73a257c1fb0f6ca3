// SPDX-License-Identifier: MIT
// A whole program of a user, whose mistakes reach the library through its agent.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "icpi/icpi.hpp"

// case 1: actions(): every action, in a constant order
// case 2: discount(): the planning discount, in (0, 1]
// case 3: observation(o): what is seen
// case 4: action(a): what is done
// case 5: lacks parse_observation(text) const
// case 6: parse_observation(text): a const member
// case 7: this environment has no default formatter
class Corridor {
 public:
  using Observation = int;
  using Action = int;
#if ICPI_BROKEN == 1
  std::array<int, 2> actions() { return {-1, 1}; }  // not const
#else
  static std::array<int, 2> actions() { return {-1, 1}; }
#endif
#if ICPI_BROKEN != 2
  static double discount() { return 0.9; }
#endif
  int reset(std::uint64_t /*seed*/) { return position_ = 0; }
  icpi::Step<int> step(int action) {
    position_ += action;
    return {.observation = position_, .reward = 1, .terminated = position_ == 3};
  }

 private:
  int position_ = 0;
};

class CorridorText : public icpi::LineFormatter<CorridorText, Corridor> {
 public:
  using LineFormatter::LineFormatter;
#if ICPI_BROKEN == 3
  std::string observation(int position) { return std::to_string(position) + "\n"; }  // not const
#else
  static std::string observation(int position) { return std::to_string(position) + "\n"; }
#endif
#if ICPI_BROKEN != 4
  static std::string action(int direction) { return direction < 0 ? "left\n" : "right\n"; }
#endif
#if ICPI_BROKEN == 6
  std::optional<int> parse_observation(std::string_view text) { return text.empty() ? std::nullopt : std::optional(0); }
#elif ICPI_BROKEN != 5
  static std::optional<int> parse_observation(std::string_view text) {
    return text.empty() ? std::nullopt : std::optional(0);
  }
#endif
};

int main() {
  Corridor env;
  icpi::InductionModel model;
#if ICPI_BROKEN == 7
  icpi::PolicyIteration<Corridor, icpi::InductionModel> agent(env, model);
#else
  icpi::PolicyIteration<Corridor, icpi::InductionModel, CorridorText> agent(env, model);
#endif
  agent.train(env, {.episodes = 2});
}
