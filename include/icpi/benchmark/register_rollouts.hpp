// SPDX-License-Identifier: MIT
#pragma once

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <utility>

#include "icpi/benchmark/timed_model.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/random.hpp"
#include "icpi/policy/policy_iteration.hpp"

// Needs Google Benchmark, which icpi::icpi does not bring: link benchmark::benchmark yourself.

namespace icpi::benchmark {

/// What register_rollouts() measures.
struct RolloutBenchmarkOptions {
  PolicyIterationOptions agent{};     ///< how decisions are made
  std::size_t episodes = 50;          ///< of random experience before the first decision
  std::size_t longest_episode = 200;  ///< steps after which an episode is broken off
};

namespace detail {

/// Gives the agent random episodes. Throws InvalidArgument when the agent could not decide afterwards.
template <class Agent, Environment Env>
void gather_experience(Agent& agent, Env& env, const RolloutBenchmarkOptions& options) {
  for (std::size_t episode = 0; episode < options.episodes; ++episode) {
    const RandomKey key = RandomKey(options.agent.seed).child(2).child(episode);
    RandomStream random(key.child(0));
    TrajectoryOf<Env> trajectory;
    auto observation = env.reset(key.child(1).seed());
    for (std::size_t step = 0; step < options.longest_episode; ++step) {
      const auto action = env.actions()[random.index(env.actions().size())];
      auto result = env.step(action);
      trajectory.push_back(
          {observation, action, result.reward, result.terminated, result.truncated, result.observation});
      if (result.terminated || result.truncated) break;
      observation = std::move(result.observation);
    }
    agent.import(trajectory);
  }
  if (!agent.memory().ready())
    throw InvalidArgument(
        fmt::format("register_rollouts: an action was never tried in {} random episodes of up to {} steps; see "
                    "RolloutBenchmarkOptions",
                    options.episodes, options.longest_episode));
}

/// Imagined steps and rollouts of a decision.
template <class Agent>
std::pair<std::uint64_t, std::uint64_t> imagined(const Agent& agent) {
  std::uint64_t steps = 0;
  for (const auto& rollout : agent.rollouts()) steps += rollout.steps().size();
  return {steps, agent.rollouts().size()};
}

template <Environment Env, LanguageModel LM, class Formatter>
void measure_rollouts(::benchmark::State& state, Env env, const std::function<LM()>& factory,
                      const RolloutBenchmarkOptions& options) {
  TimedModel<LM> model(factory);
  PolicyIteration<Env, TimedModel<LM>, Formatter> agent(env, model, options.agent);
  gather_experience(agent, env, options);
  std::uint64_t steps = 0;
  std::uint64_t rollouts = 0;
  std::size_t episode = 0;
  std::size_t length = options.longest_episode;
  auto observation = env.reset(options.agent.seed);
  const Costs before = agent.costs();
  const double inside_before = model.seconds();
  double elapsed = 0;
  for (auto _ : state) {
    if (length >= options.longest_episode) {
      observation = env.reset(RandomKey(options.agent.seed).child(3).child(episode++).seed());
      agent.begin_episode(observation, EpisodeKind::evaluation);
      length = 0;
    }
    const auto start = std::chrono::steady_clock::now();
    const auto action = agent.act(observation);
    elapsed += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const auto [imagined_steps, imagined_rollouts] = imagined(agent);
    steps += imagined_steps;
    rollouts += imagined_rollouts;
    auto result = env.step(action);
    agent.observe(result);
    observation = std::move(result.observation);
    length = result.terminated || result.truncated ? options.longest_episode : length + 1;
  }
  const auto spent = agent.costs() - before;
  elapsed -= model.seconds() - inside_before;
  using Counter = ::benchmark::Counter;
  const auto count = [](std::uint64_t value) { return static_cast<double>(value); };
  state.counters["simulated_steps_per_second"] = Counter(count(steps), Counter::kIsRate);
  state.counters["rollouts_per_second"] = Counter(count(rollouts), Counter::kIsRate);
  state.counters["queries_per_second"] = Counter(count(spent.lm_calls), Counter::kIsRate);
  const auto per_query = [&](double value) {
    return Counter(spent.lm_calls == 0 ? 0 : value / count(spent.lm_calls), Counter::kAvgThreads);
  };
  state.counters["overhead_per_query"] = per_query(elapsed);
  state.counters["queries_per_decision"] = Counter(count(spent.lm_calls), Counter::kAvgIterations);
  state.counters["invalid_rate"] = per_query(count(spent.invalid));
  state.counters["failure_rate"] = per_query(count(spent.failures));
  if (spent.lm_calls == 0) state.SkipWithError("no decision asked the model: see PolicyIterationOptions::decisions");
}

}  // namespace detail

/// Registers a benchmark of imagined rollouts with the caller's own environment and language model. One iteration is
/// one decision of PolicyIteration in a running episode, after some random experience. Counters: simulated steps,
/// rollouts and queries per second of wall time (of ActionRule::rollouts: others simulate none); overhead per query:
/// seconds that are not spent inside the model; rates of invalid and of failed answers.
///
/// `factory()` makes the model, anew for every measurement. Exceptions end the benchmark with their message. Returns
/// Google Benchmark's handle, for further settings.
template <Environment Env, LanguageModel LM, class Formatter = default_formatter_t<Env>>
::benchmark::internal::Benchmark* register_rollouts(const std::string& name, Env env, std::function<LM()> factory,
                                                    RolloutBenchmarkOptions options = {}) {
  return ::benchmark::RegisterBenchmark(
             name.c_str(),
             [env = std::move(env), factory = std::move(factory), options](::benchmark::State& state) {
               try {
                 detail::measure_rollouts<Env, LM, Formatter>(state, env, factory, options);
               } catch (const std::exception& error) {
                 state.SkipWithError(error.what());
               }
             })
      ->UseRealTime();
}

}  // namespace icpi::benchmark
