// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <string>
#include <string_view>
#include <vector>

#include "icpi/core/random.hpp"
#include "icpi/domains/all.hpp"
#include "icpi/models/induction.hpp"

namespace icpi {
namespace {

/// Observation examples of one action from random episodes, up to `size` characters, and queries for it.
struct Material {
  std::string prompt;
  std::vector<std::string> queries;
};

template <class Env>
Material material(std::size_t size) {
  Env env;
  const default_formatter_t<Env> formatter;
  RandomStream random{RandomKey(1)};
  Material result;
  for (std::uint64_t episode = 0; result.prompt.size() < size || result.queries.size() < 64; ++episode) {
    auto observation = env.reset(episode);
    for (bool running = true; running;) {
      const std::size_t index = random.index(env.actions().size());
      const auto action = env.actions()[index];
      const auto step = env.step(action);
      const std::string query = formatter.observation(observation) + formatter.action(action);
      if (index == 0 && !step.terminated) {
        if (result.prompt.size() < size)
          result.prompt += query + formatter.observation(step.observation) + "\n";
        else if (result.queries.size() < 64)
          result.queries.push_back(query);
      }
      observation = step.observation;
      running = !step.terminated && !step.truncated;
    }
  }
  return result;
}

constexpr std::string_view newline = "\n";

void ask(InductionModel& model, const PromptPrefix& prefix, std::string_view query) {
  CompletionRequest request;
  request.prefix = prefix;
  request.query = query;
  request.stop = {&newline, 1};
  request.sampling.temperature = 0;
  Completion completion;
  model.complete({&request, 1}, {&completion, 1});
  benchmark::DoNotOptimize(completion.text.data());
}

template <class Env>
void complete_again(benchmark::State& state) {
  const Material given = material<Env>(10'000);
  InductionModel model;
  for (const std::string& query : given.queries) ask(model, {1, given.prompt}, query);
  std::size_t i = 0;
  for (auto _ : state) ask(model, {1, given.prompt}, given.queries[i++ % given.queries.size()]);
}

template <class Env>
void complete_first(benchmark::State& state) {
  const Material given = material<Env>(10'000);
  InductionModel model;
  std::size_t i = 0;
  for (auto _ : state) ask(model, {0, given.prompt}, given.queries[i++ % given.queries.size()]);
}

template <class Env>
void read_prefix(benchmark::State& state) {
  const Material given = material<Env>(10'000);
  induction::PrefixState prefix;
  for (auto _ : state) {
    prefix.clear();
    prefix.extend(given.prompt);
    benchmark::DoNotOptimize(prefix.index().counted());
  }
}

template <class Env>
void extend_by_300(benchmark::State& state) {
  const Material given = material<Env>(10'300);
  const std::string_view whole = given.prompt;
  induction::PrefixState prefix;
  for (auto _ : state) {
    state.PauseTiming();
    prefix.clear();
    prefix.extend(whole.substr(0, 10'000));
    state.ResumeTiming();
    prefix.extend(whole.substr(0, 10'300));
  }
}

#define ICPI_INDUCTION_BENCHMARKS(Env)     \
  BENCHMARK_TEMPLATE(complete_again, Env); \
  BENCHMARK_TEMPLATE(complete_first, Env); \
  BENCHMARK_TEMPLATE(read_prefix, Env);    \
  BENCHMARK_TEMPLATE(extend_by_300, Env)

ICPI_INDUCTION_BENCHMARKS(Chain);
ICPI_INDUCTION_BENCHMARKS(DistractorChain);
ICPI_INDUCTION_BENCHMARKS(Maze);
ICPI_INDUCTION_BENCHMARKS(MiniCatch);
ICPI_INDUCTION_BENCHMARKS(MiniInvaders);
ICPI_INDUCTION_BENCHMARKS(PointMass);

}  // namespace
}  // namespace icpi
