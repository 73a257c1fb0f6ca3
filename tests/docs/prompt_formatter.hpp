// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "docs/environment.hpp"
#include "icpi/concepts/prompt_formatter.hpp"
#include "icpi/concepts/text_scanner.hpp"

namespace skeletons {

class LampText {
 public:
  // What is written: whole lines, each text ends in a newline, no blank line within.
  static std::string observation(bool lit) { return lit ? "The lamp is lit.\n" : "The lamp is dark.\n"; }
  static std::string action(Move move) { return move == Move::press ? "I press.\n" : "I wait.\n"; }
  static std::string reward(double value) {
    return "Reward: " + std::string(icpi::NumberText(value).view()) + "\n";  // reads back exactly
  }
  static std::string termination(bool terminated) { return terminated ? "It is over.\n" : "It goes on.\n"; }
  static std::string episode_start() { return "\nA lamp.\n"; }  // the only text that may begin with a blank line
  static std::string trajectory_step(const icpi::TransitionOf<Lamp>& step) {
    return observation(step.observation) + action(step.action) + reward(step.reward);
  }

  // Where an answer of each kind ends.
  static std::string_view stop(icpi::QueryKind /*kind*/) { return "\n"; }

  // What is read: any bytes, without the stop string. Exactly the texts written above; nullopt for all others.
  static std::optional<Move> parse_action(std::string_view text) {
    if (text == "I wait.") return Move::wait;
    if (text == "I press.") return Move::press;
    return std::nullopt;
  }
  static std::optional<double> parse_reward(std::string_view text) {
    double value = 0;
    if (!icpi::TextScanner(text).literal("Reward: ").number(value).at_end()) return std::nullopt;
    return value;
  }
  static std::optional<bool> parse_termination(std::string_view text) {
    if (text == "It is over.") return true;
    if (text == "It goes on.") return false;
    return std::nullopt;
  }
  static bool accepts_observation(std::string_view text) {
    return text == "The lamp is lit." || text == "The lamp is dark.";
  }
};

static_assert(icpi::PromptFormatter<LampText, Lamp>);

}  // namespace skeletons

// PolicyIteration<Lamp, LM> finds the formatter by this; else it is named: PolicyIteration<Lamp, LM, LampText>.
template <>
struct icpi::DefaultFormatter<skeletons::Lamp> {
  using type = skeletons::LampText;
};
