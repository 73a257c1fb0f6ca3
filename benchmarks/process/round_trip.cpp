// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "icpi/domains/maze.hpp"
#include "icpi/process/environment.hpp"

// What it takes to step an environment in another process, examples/environment_server.cpp, beside the same one in this
// process: the overhead of a round trip is the difference. Wall time, since the other process works meanwhile.

namespace icpi::benchmarks {
namespace {

void step_in_this_process(::benchmark::State& state) {
  Maze maze;
  std::uint64_t seed = 0;
  bool running = false;
  for (auto _ : state) {
    if (!running) maze.reset(seed++);
    const auto step = maze.step(maze.actions()[0]);
    running = !step.terminated && !step.truncated;
  }
}

/// One round trip steps `environments` of them.
void step_behind_a_round_trip(::benchmark::State& state) {
  ProcessOptions options;
  options.command = {ICPI_MAZE_SERVER, "maze"};
  options.timeout = std::chrono::seconds(60);
  auto environments = ProcessEnvironment::start(options, static_cast<std::size_t>(state.range(0)));
  const std::string action = environments[0].actions()[0];
  std::vector<ProcessEnvironment*> all;
  for (auto& each : environments) all.push_back(&each);
  const std::vector<const std::string*> actions(all.size(), &action);
  std::vector<std::uint64_t> seeds(all.size(), 1);
  std::vector<char> running(all.size(), 0);
  std::uint64_t steps = 0;
  for (auto _ : state) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (running[i] == 0) all[i]->reset(seeds[i]++);
      running[i] = 1;
    }
    ProcessEnvironment::begin_steps(all, actions);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto step = all[i]->step(action);
      if (step.terminated || step.truncated) running[i] = 0;
    }
    steps += all.size();
  }
  state.counters["steps_per_second"] = ::benchmark::Counter(static_cast<double>(steps), ::benchmark::Counter::kIsRate);
}

BENCHMARK(step_in_this_process)->UseRealTime();
BENCHMARK(step_behind_a_round_trip)->ArgName("environments")->Arg(1)->Arg(16)->Arg(64)->UseRealTime();

}  // namespace
}  // namespace icpi::benchmarks
