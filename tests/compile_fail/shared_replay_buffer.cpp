// SPDX-License-Identifier: MIT
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "icpi/concepts/replay_buffer.hpp"

struct Corridor {
  using Observation = int;
  using Action = int;
  static std::array<int, 2> actions() { return {0, 1}; }
  static int reset(std::uint64_t /*seed*/) { return 0; }
  static icpi::Step<int> step(int action) { return {.observation = action}; }
  static double discount() { return 0.9; }
};

using Transition = icpi::TransitionOf<Corridor>;

// case 1: begin(): one more trajectory is running; its number
// case 2: extend(id, transition): one more step of that one
// case 3: end(id): that one is complete
// case 4: trajectory(number): a span of ids
struct Forgetful {
  void append(std::span<const Transition> trajectory) { last.assign(trajectory.begin(), trajectory.end()); }
  void extend(const Transition& transition) { last.push_back(transition); }
  static void close() {}
  std::size_t size() const { return last.size(); }
  const Transition& operator[](icpi::TransitionId id) const { return last[id]; }
  static std::size_t action_index(icpi::TransitionId /*id*/) { return 0; }
  static std::size_t trajectory_count() { return 1; }
#if ICPI_BROKEN == 4
  static icpi::TransitionRange trajectory(std::size_t /*number*/) { return {}; }
#else
  static icpi::TransitionIds trajectory(std::size_t /*number*/) { return {}; }
#endif
  static std::span<const icpi::TransitionId> matching(std::size_t /*action*/, bool /*terminated*/) { return {}; }
  static std::span<const icpi::RewardClass> reward_classes(std::size_t /*action*/, bool /*terminated*/) { return {}; }
#if ICPI_BROKEN != 1
  static icpi::TrajectoryId begin() { return 0; }
#endif
#if ICPI_BROKEN != 2
  void extend(icpi::TrajectoryId /*id*/, const Transition& transition) { last.push_back(transition); }
#endif
#if ICPI_BROKEN != 3
  static void end(icpi::TrajectoryId /*id*/) {}
#endif

  std::vector<Transition> last;
};

static_assert(icpi::SharedReplayBuffer<Forgetful, Corridor>);
