// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

#include "icpi/concepts/environment.hpp"
#include "icpi/core/random.hpp"

namespace skeletons {

enum class Move : std::uint8_t { wait, press };

/// A lamp lights up after some while; pressing the button is rewarded if it is lit, and ends the episode.
class Lamp {
 public:
  using Observation = bool;  // what the agent sees: copyable, comparable with ==
  using Action = Move;       // what it does: likewise

  // Every action, at least one, no value twice, always the same ones in the same order.
  static std::array<Move, 2> actions() { return {Move::wait, Move::press}; }

  // How much later rewards count when the agent plans, in (0, 1].
  static double discount() { return 0.9; }

  // Starts an episode. All that is random in it comes from `seed`.
  bool reset(std::uint64_t seed) {
    random_ = icpi::RandomStream(icpi::RandomKey(seed));
    steps_ = 0;
    return lit_ = false;
  }

  // Carries out an action: next observation, finite reward, terminated, truncated. `terminated`: the task is over, by
  // the environment's rules. `truncated`: it was only broken off, here by a time limit.
  icpi::Step<bool> step(Move action) {
    const bool pressed = action == Move::press;
    const double reward = pressed && lit_ ? 1 : 0;
    lit_ = lit_ || random_.uniform() < 0.5;
    return {.observation = lit_, .reward = reward, .terminated = pressed, .truncated = !pressed && ++steps_ == 8};
  }

 private:
  icpi::RandomStream random_{icpi::RandomKey(0)};
  int steps_ = 0;
  bool lit_ = false;
};

static_assert(icpi::Environment<Lamp>);

}  // namespace skeletons
