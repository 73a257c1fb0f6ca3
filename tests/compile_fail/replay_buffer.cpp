// SPDX-License-Identifier: MIT
#include "icpi/concepts/replay_buffer.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

struct Corridor {
  using Observation = int;
  using Action = int;
  static std::array<int, 2> actions() { return {0, 1}; }
  static int reset(std::uint64_t /*seed*/) { return 0; }
  static icpi::Step<int> step(int action) { return {.observation = action}; }
  static double discount() { return 0.9; }
};

using Transition = icpi::TransitionOf<Corridor>;

// case 1: append(trajectory): a whole trajectory, all or nothing
// case 2: extend(transition): one more step of the running trajectory
// case 3: close(): the running trajectory is complete
// case 4: size(): transitions held
// case 5: buffer[id]: one transition
// case 6: action_index(id): which of actions()
// case 7: trajectory_count(): complete trajectories
// case 8: trajectory(number): oldest first
// case 9: matching(action, terminated): ids
// case 10: reward_classes(action, terminated): RewardClass objects
// case 11: matching: a span or a reference
struct Forgetful {
#if ICPI_BROKEN != 1
  void append(std::span<const Transition> trajectory) { last.assign(trajectory.begin(), trajectory.end()); }
#endif
#if ICPI_BROKEN != 2
  void extend(const Transition& transition) { last.push_back(transition); }
#endif
#if ICPI_BROKEN != 3
  static void close() {}
#endif
#if ICPI_BROKEN != 4
  std::size_t size() const { return last.size(); }
#endif
#if ICPI_BROKEN != 5
  const Transition& operator[](icpi::TransitionId id) const { return last[id]; }
#endif
#if ICPI_BROKEN != 6
  static std::size_t action_index(icpi::TransitionId /*id*/) { return 0; }
#endif
#if ICPI_BROKEN != 7
  static std::size_t trajectory_count() { return 1; }
#endif
#if ICPI_BROKEN != 8
  static icpi::TransitionRange trajectory(std::size_t /*number*/) { return {}; }
#endif
#if ICPI_BROKEN == 11
  static std::vector<icpi::TransitionId> matching(std::size_t /*action*/, bool /*terminated*/) { return {}; }
#elif ICPI_BROKEN != 9
  static std::span<const icpi::TransitionId> matching(std::size_t /*action*/, bool /*terminated*/) { return {}; }
#endif
#if ICPI_BROKEN != 10
  static std::span<const icpi::RewardClass> reward_classes(std::size_t /*action*/, bool /*terminated*/) { return {}; }
#endif

  std::vector<Transition> last;
};

static_assert(icpi::ReplayBuffer<Forgetful, Corridor>);
