// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "counters.hpp"
#include "icpi/benchmark/register_rollouts.hpp"
#include "icpi/domains/all.hpp"
#include "icpi/models/induction.hpp"
#include "support/agent_options.hpp"
#include "support/random_episodes.hpp"

// End to end with the embedded model: training steps per second, threads against processes, and the benchmark that
// users register for types of their own.

namespace icpi::benchmarks {
namespace {

PolicyIterationOptions options_for(bool stable, std::uint64_t seed, std::size_t threads) {
  PolicyIterationOptions options = icpi::paper_options();
  options.seed = seed;
  options.prompts.examples =
      icpi_test::examples_of(stable ? icpi_test::PromptMode::stable : icpi_test::PromptMode::per_query);
  options.queries.threads = threads;
  return options;
}

/// One whole run with the paper's horizon; an iteration is a run. Returns the environment steps.
template <class Env>
std::size_t train(const PolicyIterationOptions& given) {
  Env env;
  InductionModel model({.threads = given.queries.threads});
  auto options = given;
  icpi_test::rollouts_of(options).step_limit = env.facts().rollout_limit;
  PolicyIteration<Env, InductionModel> agent(env, model, options);
  return agent.train(env, {.steps = static_cast<std::size_t>(env.facts().horizon)});
}

template <class Env>
void training(::benchmark::State& state) {
  std::uint64_t steps = 0;
  std::uint64_t seed = 0;
  for (auto _ : state) steps += train<Env>(options_for(state.range(0) != 0, seed++, 1));
  state.SetLabel(state.range(0) != 0 ? "stable" : "per_query");
  state.counters["training_steps_per_second"] = per_second(steps);
  state.counters["time_per_training_step"] = seconds_per(steps);
}
BENCHMARK(training<Chain>)->ArgName("stable")->Arg(1)->Arg(0)->Unit(::benchmark::kMillisecond);
BENCHMARK(training<MiniCatch>)->ArgName("stable")->Arg(1)->Arg(0)->Unit(::benchmark::kMillisecond);
BENCHMARK(training<MiniInvaders>)->ArgName("stable")->Arg(1)->Unit(::benchmark::kMillisecond);
BENCHMARK(training<PointMass>)->ArgName("stable")->Arg(1)->Unit(::benchmark::kMillisecond);

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Decisions with 3 x 16 rollouts of several agents in common batches.
void decide_together(std::size_t agents, std::size_t threads, int rounds, bool stable) {
  using Agent = PolicyIteration<MiniInvaders, InductionModel>;
  InductionModel model({.threads = threads});
  MiniInvaders env;
  std::vector<std::unique_ptr<Agent>> owned;
  for (std::uint64_t seed = 0; seed < agents; ++seed) {
    auto options = options_for(stable, seed, threads);
    icpi_test::rollouts_of(options).step_limit = env.facts().rollout_limit;
    icpi_test::rollouts_of(options).rollouts_per_action = 16;
    auto& agent = *owned.emplace_back(std::make_unique<Agent>(env, model, options));
    for (std::uint64_t episode = 0; episode < 20; ++episode) {
      agent.import(testing::random_episode(env, 100 * seed + episode));
    }
  }
  for (int round = 0; round < rounds; ++round) {
    std::vector<MiniInvadersObservation> starts;
    std::vector<Agent::Action> actions(agents, env.actions()[0]);
    for (std::size_t i = 0; i < agents; ++i) {
      starts.push_back(env.reset(static_cast<std::uint64_t>(round) * agents + i));
      owned[i]->begin_episode(starts[i], EpisodeKind::evaluation);
    }
    std::vector<const MiniInvadersObservation*> where;
    for (const auto& start : starts) where.push_back(&start);
    using Base = RolloutAgent<MiniInvaders, std::remove_reference_t<decltype(owned[0]->memory())>,
                              std::remove_reference_t<decltype(owned[0]->model())>>;
    std::vector<Base*> who;
    for (const auto& agent : owned) who.push_back(agent.get());
    Base::act_together(who, where, actions);
  }
}

/// Two threads that work for two environments in common batches, against two processes with one environment each that
/// run at the same time. Goal: threads_over_processes at least 0.9.
void threads_against_processes(::benchmark::State& state) {
  const bool stable = state.range(0) != 0;
  const int rounds = stable ? 4 : 1;
  double threads = 0;
  double processes = 0;
  for (auto _ : state) {
    auto start = Clock::now();
    std::vector<pid_t> children;
    for (int child = 0; child < 2; ++child) {
      const pid_t process = fork();
      if (process == 0) {
        decide_together(1, 1, rounds, stable);
        _exit(0);
      }
      children.push_back(process);
    }
    for (const pid_t child : children) waitpid(child, nullptr, 0);
    processes += seconds_since(start);
    start = Clock::now();
    decide_together(2, 2, rounds, stable);
    threads += seconds_since(start);
  }
  state.SetLabel(stable ? "stable" : "per_query");
  state.counters["threads_over_processes"] = number(processes / threads);
}
BENCHMARK(threads_against_processes)
    ->ArgName("stable")
    ->Arg(1)
    ->Arg(0)
    ->UseRealTime()
    ->Iterations(2)
    ->Unit(::benchmark::kMillisecond);

const auto* const registered = [] {
  benchmark::RolloutBenchmarkOptions options;
  options.agent = options_for(true, 0, 1);
  icpi_test::rollouts_of(options.agent) = {.step_limit = 8, .rollouts_per_action = 16};
  return benchmark::register_rollouts<MiniInvaders, InductionModel>(
      "rollouts/mini-invaders/induction", MiniInvaders(), [] { return InductionModel(); }, options);
}();

}  // namespace
}  // namespace icpi::benchmarks
