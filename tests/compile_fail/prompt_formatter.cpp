// SPDX-License-Identifier: MIT
#include "icpi/concepts/prompt_formatter.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct Corridor {
  using Observation = int;
  using Action = int;
  static std::array<int, 2> actions() { return {0, 1}; }
  static int reset(std::uint64_t /*seed*/) { return 0; }
  static icpi::Step<int> step(int action) { return {.observation = action}; }
  static double discount() { return 0.9; }
};

// case 1: observation(o): what is seen
// case 2: action(a): what is done
// case 3: reward(r): reads back exactly
// case 4: termination(b): did it end
// case 5: episode_start(): begins a trajectory
// case 6: trajectory_step(t): a whole step
// case 7: stop(kind): the end of an answer of this kind
// case 8: parse_action(text): if it is one
// case 9: parse_reward(text): if it is one
// case 10: parse_termination(text): if it is one
// case 11: accepts_observation(text): is it well-formed
// case 12: parse_action(text): if it is one
struct CorridorText {
#if ICPI_BROKEN != 1
  static std::string observation(int position) { return std::to_string(position) + "\n"; }
#endif
#if ICPI_BROKEN != 2
  static std::string action(int direction) { return direction == 0 ? "left\n" : "right\n"; }
#endif
#if ICPI_BROKEN != 3
  static std::string reward(double value) { return std::to_string(value) + "\n"; }
#endif
#if ICPI_BROKEN != 4
  static std::string termination(bool terminated) { return terminated ? "end\n" : "go on\n"; }
#endif
#if ICPI_BROKEN != 5
  static std::string episode_start() { return "start\n"; }
#endif
#if ICPI_BROKEN != 6
  static std::string trajectory_step(const icpi::TransitionOf<Corridor>& step) {
    return step.terminated ? "last step\n" : "step\n";
  }
#endif
#if ICPI_BROKEN != 7
  static std::string_view stop(icpi::QueryKind /*kind*/) { return "\n"; }
#endif
#if ICPI_BROKEN == 12
  static int parse_action(std::string_view text) { return text == "left" ? 0 : 1; }  // cannot say "neither"
#elif ICPI_BROKEN != 8
  static std::optional<int> parse_action(std::string_view text) {
    if (text == "left") return 0;
    if (text == "right") return 1;
    return std::nullopt;
  }
#endif
#if ICPI_BROKEN != 9
  static std::optional<double> parse_reward(std::string_view /*text*/) { return 0; }
#endif
#if ICPI_BROKEN != 10
  static std::optional<bool> parse_termination(std::string_view text) { return text == "end"; }
#endif
#if ICPI_BROKEN != 11
  static bool accepts_observation(std::string_view text) { return !text.empty(); }
#endif
};

static_assert(icpi::PromptFormatter<CorridorText, Corridor>);
