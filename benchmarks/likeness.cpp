// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "counters.hpp"
#include "icpi/domains/all.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "icpi/prompt/prompt_state.hpp"
#include "support/random_episodes.hpp"

// Choosing the examples of a question by likeness: where observations are often the same (mini-invaders) and where hardly
// two are (point-mass), with little experience and with much.

namespace icpi::benchmarks {
namespace {

template <class Env>
struct Asked {
  using Formatter = default_formatter_t<Env>;
  using Memory = TypedPromptContext<Env, Formatter, TrajectoryBuffer<Env>>;

  explicit Asked(std::int64_t episodes)
      : memory(env, TrajectoryBuffer<Env>(env), Formatter(env), {.examples = AlikeExamples{}}, estimated_tokens,
               RandomKey(1)) {
    for (std::int64_t i = 0; i < episodes; ++i) memory.append(episode(i));
    for (std::int64_t i = 0; questions.size() < 1000; ++i) {
      for (const auto& step : episode(10'000'000 + i))
        questions.emplace_back(memory.formatter().observation(step.observation));
    }
  }

  TrajectoryOf<Env> episode(std::int64_t number) {
    return testing::random_episode(env, static_cast<std::uint64_t>(number));
  }

  /// Chooses for question number `i`, of one kind and action after the other.
  void choose(std::size_t i, AlikePrompt& prompt) {
    constexpr std::array kinds{QueryKind::termination, QueryKind::reward, QueryKind::observation};
    const std::size_t action = i % env.actions().size();
    query.clear();
    memory.state().book.write_query(QueryKind::termination, questions[i % questions.size()], action, query);
    memory.state().book.choose_alike(kinds[i % kinds.size()], action, false, query, prompt);
  }

  Env env;
  Memory memory;
  std::vector<std::string> questions;
  std::string query;
};

template <class Env>
Asked<Env>& asked(std::int64_t episodes) {
  return kept<Asked<Env>>(fmt::format("{}", episodes), [&] { return std::make_unique<Asked<Env>>(episodes); });
}

template <class Env>
void choose_alike(::benchmark::State& state) {
  Asked<Env>& world = asked<Env>(state.range(0));
  AlikePrompt prompt;
  for (std::size_t i = 0; i < 60; ++i) world.choose(i, prompt);  // takes in what is known
  std::size_t number = 0;
  for (auto _ : state) world.choose(number++, prompt);
  state.counters["time_per_question"] = seconds_per(static_cast<std::uint64_t>(state.iterations()));
  state.counters["transitions"] = benchmarks::number(static_cast<double>(world.memory.buffer.size()));
}
BENCHMARK(choose_alike<MiniInvaders>)->ArgName("episodes")->Arg(10)->Arg(500)->Arg(10000);
BENCHMARK(choose_alike<PointMass>)->ArgName("episodes")->Arg(10)->Arg(500)->Arg(10000);

}  // namespace
}  // namespace icpi::benchmarks
