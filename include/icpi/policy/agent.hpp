// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include "icpi/concepts/environment.hpp"
#include "icpi/core/costs.hpp"

namespace icpi {

/// Acts in episodes and learns from them: the open loop, for hosts that step their environments themselves.
///
/// Laws: begin_episode(o), then act(o) and observe(step) in turn until the step is terminated or truncated.
template <class A, class E>
concept Agent = Environment<E> && requires(A& agent, const A& constant, const typename E::Observation& observation,
                                           const Step<typename E::Observation>& step) {
  agent.begin_episode(observation);                                       // begin_episode(o): a first observation
  { agent.act(observation) } -> std::convertible_to<typename E::Action>;  // act(o): chooses an action
  agent.observe(step);                                                    // observe(step): what came of it
  { constant.costs() } -> std::convertible_to<const Costs&>;              // costs(): everything spent so far
};

/// Holds an agent's experience and gives observations their handles: what RolloutAgent needs besides a rollout model.
///
/// Laws: ids are valid until the next begin_episode; append and extend are all-or-nothing; what check lets pass is not
/// refused by them.
template <class L, class E>
concept AgentMemory = Environment<E> && requires(L& lane, const L& constant, const typename E::Observation& observation,
                                                 const TrajectoryOf<E>& trajectory, const TransitionOf<E>& transition,
                                                 std::uint64_t episode, std::uint32_t id, std::uint32_t action) {
  lane.begin_episode(episode);  // begin_episode(n): forgets what was imagined
  {
    lane.observe(observation)
  } -> std::convertible_to<std::uint32_t>;                          // observe(o): begins a decision there; its handle
  constant.check(transition);                                       // check(transition): throws if it is refused
  lane.append(trajectory);                                          // append(trajectory): a finished episode
  lane.extend(transition);                                          // extend(transition): a step of the running one
  lane.close();                                                     // close(): the running episode is over
  { constant.ready() } -> std::convertible_to<bool>;                // ready(): every prompt can be filled
  { constant.trajectories() } -> std::convertible_to<std::size_t>;  // trajectories(): to imitate, at most the recency
  { lane.tried(id, action) } -> std::convertible_to<bool>;          // tried(id, action): ever done there
  { lane.costs } -> std::convertible_to<const Costs&>;              // costs: what answering has cost
};

}  // namespace icpi
