// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <iterator>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/legal_actions.hpp"
#include "icpi/core/costs.hpp"
#include "icpi/core/random.hpp"

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

namespace detail {

/// Any RandomAccessRange of actions: not one that lies in a row, so that agents take more than spans. Declared alone.
template <class Action>
struct SomeActions {
  [[nodiscard]] std::reverse_iterator<const Action*> begin() const;
  [[nodiscard]] std::reverse_iterator<const Action*> end() const;
};

}  // namespace detail

/// An agent that can be told which actions are legal where it acts: any RandomAccessRange of them.
template <class A, class E>
concept TakesLegalActions = Agent<A, E> && requires(A& agent, const typename E::Observation& observation,
                                                    const detail::SomeActions<typename E::Action>& legal) {
  { agent.act(observation, legal) } -> std::convertible_to<typename E::Action>;  // act(o, legal): one of these
};

/// The key of everything random in environment number `number` of an agent of this seed: episode n of it, evaluations counted
/// too, starts with reset(environment_key(seed, number).child(n).seed()).
[[nodiscard]] inline RandomKey environment_key(std::uint64_t seed, std::uint64_t number = 0) noexcept {
  return RandomKey(seed).child(number == 0 ? 0 : number + 1);  // child 1 is the agent's
}

/// Lets an agent act at an observation of `env`: among what is legal there, where the environment says so and the agent can
/// be told.
template <Environment Env, Agent<Env> A>
typename Env::Action act_in(const Env& env, A& agent, const typename Env::Observation& observation) {
  if constexpr (HasLegalActions<Env> && TakesLegalActions<A, Env>)
    if (limits_actions(env)) return agent.act(observation, env.legal_actions(observation));
  return agent.act(observation);
}

/// Offers `agent`, which can be offered some, what is legal at an observation of `env`, where the environment says so.
template <Environment Env, class A>
void offer_legal([[maybe_unused]] const Env& env, [[maybe_unused]] A& agent,
                 [[maybe_unused]] const typename Env::Observation& observation) {
  if constexpr (HasLegalActions<Env>)
    if (limits_actions(env)) agent.offer(env.legal_actions(observation));
}

/// Holds an agent's experience and gives observations their handles: what RolloutAgent needs besides a rollout model.
///
/// Where not all actions are legal, it may also have `ready(legal)`: the same for these actions; `note_legal(o, legal)`: what
/// was legal where something was really seen, or, where several environments share it, `stand_at(o, legal)` before a decision
/// and `note_here()` when the step is complete; `legality()`: LegalSourceCounts so far; `consult(env)`: whom to ask;
/// `legal_failure()`: what that threw in this decision. Where actions may be gained, `grow(env)`: takes them in, all or nothing.
///
/// Laws: ids are valid until the next begin_episode; append and extend are all-or-nothing; what check lets pass is not
/// refused by them.
template <class L, class E>
concept AgentMemory =
    Environment<E> && requires(L& prompt_context, const L& constant, const typename E::Observation& observation,
                               const TrajectoryOf<E>& trajectory, const TransitionOf<E>& transition,
                               std::uint64_t episode, std::uint32_t id, std::uint32_t action) {
      prompt_context.begin_episode(episode);  // begin_episode(n): forgets what was imagined
      {
        prompt_context.observe(observation)
      } -> std::convertible_to<std::uint32_t>;            // observe(o): begins a decision there; its handle
      constant.check(transition);                         // check(transition): throws if it is refused
      prompt_context.append(trajectory);                  // append(trajectory): a finished episode
      prompt_context.extend(transition);                  // extend(transition): a step of the running one
      prompt_context.close();                             // close(): the running episode is over
      { constant.ready() } -> std::convertible_to<bool>;  // ready(): every prompt can be filled
      {
        constant.trajectories()
      } -> std::convertible_to<std::size_t>;  // trajectories(): to imitate, at most the recency
      { prompt_context.tried(id, action) } -> std::convertible_to<bool>;  // tried(id, action): ever done there
      { prompt_context.costs } -> std::convertible_to<const Costs&>;      // costs: what answering has cost
    };

}  // namespace icpi
