// SPDX-License-Identifier: MIT
#include "icpi/concepts/environment.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

// case 1: the type of what the agent sees
// case 2: the type of what the agent does
// case 3: actions(): every action, in a constant order
// case 4: actions() holds values of E::Action
// case 5: reset(seed): first observation of an episode
// case 6: step(action): observation, reward, flags
// case 7: step(action): observation, reward, flags
// case 8: discount(): the planning discount, in (0, 1]
struct Corridor {
#if ICPI_BROKEN != 1
  using Observation = int;
#endif
#if ICPI_BROKEN != 2
  using Action = std::string;
#endif
#if ICPI_BROKEN == 4
  static std::array<int, 2> actions() { return {0, 1}; }
#elif ICPI_BROKEN != 3
  static std::array<std::string, 2> actions() { return {"left", "right"}; }
#endif
#if ICPI_BROKEN == 5
  int reset() { return position = 0; }  // takes no seed
#else
  int reset(std::uint64_t /*seed*/) { return position = 0; }
#endif
#if ICPI_BROKEN == 7
  int step(const std::string& action) { return position += action == "left" ? -1 : 1; }  // no reward, no flags
#elif ICPI_BROKEN != 6
  icpi::Step<int> step(const std::string& action) {
    position += action == "left" ? -1 : 1;
    return {.observation = position, .reward = 1, .terminated = position == 3};
  }
#endif
#if ICPI_BROKEN != 8
  static double discount() { return 0.9; }
#endif

  int position = 0;
};

static_assert(icpi::Environment<Corridor>);
