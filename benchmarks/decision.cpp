// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "counters.hpp"
#include "icpi/domains/all.hpp"
#include "support/agent_options.hpp"
#include "support/allocation_counter.hpp"
#include "support/latency_model.hpp"
#include "support/repeated_decisions.hpp"
#include "support/sequential_rollouts.hpp"

// Whole decisions in mini-invaders with a model that costs nothing: what the engine adds to every question. Valid
// answers of a perfect world model are replayed; eight different decisions take turns.

namespace icpi::benchmarks {
namespace {

using testing::AllocationCounter;
using testing::DecisionShape;
using Decisions = testing::RepeatedDecisions<MiniInvaders>;
using SubmittedDecisions = testing::RepeatedDecisions<MiniInvaders, testing::FreeSubmittedModel<MiniInvaders>>;

constexpr std::string_view mode_names[] = {"per_query", "stable"};

DecisionShape shape_of(std::int64_t mode, bool deduplicate, std::int64_t episodes) {
  DecisionShape shape;
  shape.prompts.examples =
      icpi_test::examples_of(mode == 0 ? icpi_test::PromptMode::per_query : icpi_test::PromptMode::stable);
  shape.queries.deduplicate = deduplicate;
  shape.rollouts.step_limit = 8;
  shape.rollouts.rollouts_per_action = 16;
  shape.episodes = static_cast<std::size_t>(episodes);
  return shape;
}

Decisions& decisions_for(const DecisionShape& shape) {
  const auto name = fmt::format("{} {} {} {} {} {}", shape.prompts.examples.description(), shape.queries.deduplicate,
                                shape.episodes, shape.rollouts.rollouts_per_action, shape.environments, shape.actions);
  return kept<Decisions>(name, [&] {
    auto decisions = std::make_unique<Decisions>(testing::FreeModel<MiniInvaders>(OracleModel<MiniInvaders>()), shape);
    for (std::size_t i = 0; i < 4 * shape.different; ++i) decisions->run();
    return decisions;
  });
}

template <class AnyDecisions>
void measure(::benchmark::State& state, AnyDecisions& decisions) {
  const auto before = decisions.costs();
  std::uint64_t allocations = 0;
  std::uint64_t steps = 0;
  for (auto _ : state) {
    const auto earlier = AllocationCounter::allocations.load();
    decisions.run();
    allocations += AllocationCounter::allocations - earlier;
    steps += decisions.imagined_steps();
  }
  const auto spent = decisions.costs() - before;
  const auto runs = static_cast<double>(state.iterations());
  state.counters["time_per_query"] = seconds_per(spent.lm_calls);
  state.counters["queries_per_second"] = per_second(spent.lm_calls);
  state.counters["imagined_steps_per_second"] = per_second(steps);
  state.counters["queries"] = number(static_cast<double>(spent.lm_calls) / runs);
  state.counters["deduplicated"] = number(static_cast<double>(spent.deduplicated) / runs);
  state.counters["allocations"] = number(static_cast<double>(allocations) / runs);
}

/// 3 x 16 rollouts; goal: at most 1 us per query (stable), 10 us (per_query, 500 episodes).
void decide(::benchmark::State& state) {
  state.SetLabel(std::string(mode_names[state.range(0)]));
  measure(state, decisions_for(shape_of(state.range(0), state.range(2) != 0, state.range(1))));
}
BENCHMARK(decide)
    ->ArgNames({"stable", "episodes", "deduplicate"})
    ->ArgsProduct({{1}, {10, 100, 500, 2000, 10000}, {0}})
    ->ArgsProduct({{0}, {10, 100, 500, 2000, 10000}, {0}})
    ->Args({1, 500, 1});

/// The same questions one at a time.
void decide_sequentially(::benchmark::State& state) {
  auto shape = shape_of(state.range(0), false, 500);
  auto& decisions = decisions_for(shape);
  testing::SequentialRollouts<Decisions::Model> sequential(decisions.model(), shape.rollouts);
  const std::size_t tapes = decisions.different();
  for (std::size_t number = 0; number < tapes; ++number) {
    decisions.language_model().record(tapes + number);
    decisions.begin(number);
    ::benchmark::DoNotOptimize(sequential.run(decisions.tasks(number)[0]));
  }
  const auto before = decisions.costs();
  std::size_t number = 0;
  for (auto _ : state) {
    decisions.language_model().replay(tapes + number);
    decisions.begin(number);
    ::benchmark::DoNotOptimize(sequential.run(decisions.tasks(number)[0]));
    number = (number + 1) % tapes;
  }
  state.SetLabel(std::string(mode_names[state.range(0)]));
  state.counters["time_per_query"] = seconds_per((decisions.costs() - before).lm_calls);
}
BENCHMARK(decide_sequentially)->ArgName("stable")->Arg(1)->Arg(0);

/// Actions x rollouts x environments.
void decide_shapes(::benchmark::State& state) {
  auto shape = shape_of(state.range(0), false, 100);
  shape.rollouts.rollouts_per_action = static_cast<int>(state.range(1));
  shape.environments = static_cast<std::size_t>(state.range(2));
  state.SetLabel(std::string(mode_names[state.range(0)]));
  measure(state, decisions_for(shape));
}
BENCHMARK(decide_shapes)
    ->ArgNames({"stable", "rollouts_per_action", "environments"})
    ->ArgsProduct({{1, 0}, {1, 16}, {1, 4, 16}});

/// Live rollouts from 1 to 4,096; goal: the cost of a query does not grow. Memory: what engine and rollout model hold
/// after the decisions, per rollout.
template <class AnyDecisions, class Make>
void with_concurrency(::benchmark::State& state, Make&& make) {
  auto shape = shape_of(state.range(0), false, 100);
  shape.actions = 1;
  shape.rollouts.rollouts_per_action = static_cast<int>(state.range(1));
  shape.different = 2;
  const auto name = fmt::format("{} {}", state.range(0), state.range(1));
  static std::map<std::string, double> memory;
  auto& decisions = kept<AnyDecisions>(name, [&] {
    auto small = shape;
    small.rollouts.rollouts_per_action = 1;
    const auto held = [](const DecisionShape& each, auto& made) {
      const auto before = AllocationCounter::held_bytes.load();
      auto value = made(each);
      for (int i = 0; i < 4; ++i) value->run();
      const auto tapes = static_cast<std::int64_t>(value->language_model().bytes());
      return std::pair(std::move(value), AllocationCounter::held_bytes - before - tapes);
    };
    const auto least = held(small, make).second;
    auto [value, all] = held(shape, make);
    memory[name] =
        static_cast<double>(all - least) / static_cast<double>(std::max<std::int64_t>(1, state.range(1) - 1));
    return std::move(value);
  });
  state.SetLabel(std::string(mode_names[state.range(0)]));
  measure(state, decisions);
  if (state.range(1) > 1) state.counters["bytes_per_rollout"] = number(memory[name]);
}

void decide_concurrently(::benchmark::State& state) {
  with_concurrency<Decisions>(state, [](const DecisionShape& shape) {
    return std::make_unique<Decisions>(testing::FreeModel<MiniInvaders>(OracleModel<MiniInvaders>()), shape);
  });
}
BENCHMARK(decide_concurrently)
    ->ArgNames({"stable", "rollouts"})
    ->ArgsProduct({{1, 0}, {1, 4, 16, 64, 256, 1024, 4096}});

/// The same with submissions, all in flight at once.
void decide_by_submission(::benchmark::State& state) {
  with_concurrency<SubmittedDecisions>(state, [&](const DecisionShape& shape) {
    const auto concurrency = 2 * static_cast<std::size_t>(shape.rollouts.rollouts_per_action);
    return std::make_unique<SubmittedDecisions>(
        testing::FreeSubmittedModel<MiniInvaders>(OracleModel<MiniInvaders>(), concurrency), shape);
  });
}
BENCHMARK(decide_by_submission)->ArgNames({"stable", "rollouts"})->ArgsProduct({{1, 0}, {1, 16, 256, 1024, 4096}});

/// A decision on a simulated clock: heavy-tailed latencies (median 50 ms), 1 % failures. Counters are simulated seconds
/// per decision; `share` is the work divided by the concurrency.
void decide_with_latency(::benchmark::State& state) {
  using Slow = testing::LatencyModel<OracleModel<MiniInvaders>>;
  using Memory = Decisions::Memory;
  MiniInvaders env;
  Slow model(OracleModel<MiniInvaders>(), {.deviation = state.range(0) != 0 ? 1.5 : 0,
                                           .failure_rate = 0.01,
                                           .concurrency = static_cast<std::size_t>(state.range(1))});
  PolicyIterationOptions options = icpi::paper_options();
  icpi_test::rollouts_of(options) = shape_of(0, false, 0).rollouts;
  options.prompts.context_tokens = 1000;
  PolicyIteration<MiniInvaders, Slow> agent(env, model, options);
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(agent.memory())>, Memory>);
  for (std::uint64_t episode = 0; episode < 50; ++episode) agent.import(testing::random_episode(env, episode));
  std::uint64_t decisions = 0;
  for (auto _ : state) {
    const auto start = env.reset(decisions++);
    agent.begin_episode(start, EpisodeKind::evaluation);
    ::benchmark::DoNotOptimize(agent.act(start));
    model.collected.clear();
  }
  const auto count = static_cast<double>(decisions);
  state.SetLabel(state.range(0) != 0 ? "heavy tail" : "fixed");
  state.counters["simulated_seconds"] = number(model.now() / count);
  state.counters["share"] = number(model.work() / count / static_cast<double>(state.range(1)));
  state.counters["failures"] = number(static_cast<double>(model.failures()) / count);
}
BENCHMARK(decide_with_latency)
    ->ArgNames({"heavy_tail", "concurrency"})
    ->ArgsProduct({{0, 1}, {1, 16, 1024}})
    ->Unit(::benchmark::kMillisecond);

}  // namespace
}  // namespace icpi::benchmarks
