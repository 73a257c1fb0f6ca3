// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/replay_buffer.hpp"
#include "icpi/core/costs.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/owned.hpp"
#include "icpi/core/random.hpp"
#include "icpi/policy/agent.hpp"
#include "icpi/policy/rollout_agent.hpp"
#include "icpi/policy/training.hpp"

namespace icpi {

template <class Env, class Memory, class Model>
class SharedTraining;

/// An agent in several environments of one type, numbered from 0 on: one history, one set of prompts, common batches of
/// questions; each environment has episodes, a running trajectory and random streams of its own. The agent itself is its
/// place in environment 0, and with that one alone a RolloutAgent like any other.
///
/// A round is act() of some environments and observe() of what came of it. What one learns is in the prompts of all from
/// the next decision on; policy prompts that are kept for an episode stay as they were when it began. Which environments
/// decide together, and in which order they are named, changes no action.
/// Thread-safety: one object by one thread at a time, its places included.
template <class Env, class Memory, class Model>
class SeveralEnvironments : public RolloutAgent<Env, Memory, Model> {
 public:
  /// The agent's place in one environment: the open loop, decision(), costs() and episodes() of that environment.
  using Place = RolloutAgent<Env, Memory, Model>;
  using Observation = typename Env::Observation;  ///< the environment's
  using Action = typename Env::Action;            ///< the environment's

  using Place::act;
  using Place::observe;

  /// See RolloutAgent; environments draw from RandomKey(seed).
  SeveralEnvironments(const Env& env, Owned<Memory> prompt_context, Model model, std::uint64_t seed,
                      const DecisionOptions& options)
      : Place(env, std::move(prompt_context), std::move(model), seed, options), seed_(seed) {}

  /// The agent's place in environment number `number`, from the first call on as long as the agent is there; number 0 is the
  /// agent itself. Numbers are counted up: all below are there too. Who acts in another one alone asks on one thread.
  [[nodiscard]] Place& environment(std::size_t number)
    requires SharedReplayBuffer<typename Memory::BufferType, Env>
  {
    this->check_whole();
    while (others_.size() < number) {
      const std::uint64_t next = others_.size() + 1;
      others_.emplace_back(new Place(*this, next, make_owned<Memory>(this->memory(), next), this->model().another()));
    }
    return place(number);
  }
  /// How many there are.
  [[nodiscard]] std::size_t environments() const noexcept { return 1 + others_.size(); }

  /// Decides in common batches: `environments[i]` stands at *observations[i], and actions[i] is chosen. All of them run an
  /// episode. Throws as act_together(), which it is for the places of one agent. When an environment cannot be asked any more
  /// what is legal at what is imagined, that is passed on when the others' actions are chosen and can be observed.
  void act(std::span<const std::size_t> environments, std::span<const Observation* const> observations,
           std::span<Action> actions, const Until& until = {})
    requires SharedReplayBuffer<typename Memory::BufferType, Env>
  {
    check_spans("act", environments, observations.size());
    if (actions.size() != environments.size()) throw InvalidArgument("act: as many actions as environments");
    for (const Observation* each : observations)
      if (each == nullptr) throw InvalidArgument("act: an observation is a null pointer");
    decide(environments, observations, until);
    for (std::size_t i = 0; i < environments.size(); ++i)
      if (!place(environments[i]).failure()) actions[i] = place(environments[i]).chosen_action();
    this->pass_on_failure();
  }

  /// What came of the last actions, in the order of the environments' numbers, whatever the order of the spans. Every step
  /// that can be taken is; then the first exception is passed on. See observe(step) for what that may be.
  void observe(std::span<const std::size_t> environments, std::span<const Step<Observation>> steps)
    requires SharedReplayBuffer<typename Memory::BufferType, Env>
  {
    check_spans("observe", environments, steps.size());
    std::exception_ptr problem;
    for (const std::size_t i : in_order(environments)) {
      try {
        place(environments[i]).observe(steps[i]);
      } catch (...) {
        if (!problem) problem = std::current_exception();
      }
    }
    if (problem) std::rethrow_exception(problem);
  }

  /// Spent in all environments together. Questions of several are booked where they were asked first: in the one with the
  /// lowest number.
  [[nodiscard]] Costs total_costs() const {
    Costs total = this->costs();
    for (const auto& other : others_) total += other->costs();
    return total;
  }

  /// icpi::environment_key() of this agent's seed.
  [[nodiscard]] RandomKey environment_key(std::size_t number) const { return icpi::environment_key(seed_, number); }

 protected:
  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }  ///< as given

 private:
  friend class SharedTraining<Env, Memory, Model>;

  /// act() without actions; failures stay with the places.
  void decide(std::span<const std::size_t> environments, std::span<const Observation* const> observations,
              const Until& until) {
    this->gather_none();
    for (const std::size_t i : in_order(environments)) this->gather(place(environments[i]), observations[i]);
    this->decide_together(until);
  }
  static const std::exception_ptr& failure(const Place& place) { return place.failure(); }

  // The parts of observe(): what may be refused, what is kept then, and what calls back when all is done.
  static void check(const Place& place, const Step<Observation>& step) { place.check(step); }
  static void take_checked(Place& place, const Step<Observation>& step) { place.take(step, true); }
  static void tell(Place& place) { place.tell(); }

  [[nodiscard]] Place& place(std::size_t number) noexcept { return number == 0 ? *this : *others_[number - 1]; }

  void check_spans(const char* member, std::span<const std::size_t> environments, std::size_t count) const {
    detail::check_environments(member, environments, count, 1 + others_.size());
  }

  /// The places in `environments` by rising number: who comes first asks first.
  [[nodiscard]] std::span<const std::size_t> in_order(std::span<const std::size_t> environments) {
    return detail::by_rising_number(environments, order_);
  }

  std::uint64_t seed_;
  std::vector<Owned<Place>> others_;
  std::vector<std::size_t> order_;
};

}  // namespace icpi
