// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstring>
#include <string>
#include <vector>

#include "counters.hpp"
#include "icpi/domains/all.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "icpi/prompt/answer_reader.hpp"
#include "icpi/rollout/engine.hpp"
#include "support/random_episodes.hpp"
#include "support/sequential_rollouts.hpp"

// The stages of a decision one by one, on mini-invaders: choosing examples, copying prompts together, reading answers,
// advancing rollouts. And stepping the six environments.

namespace icpi::benchmarks {
namespace {

using Memory = TypedPromptContext<MiniInvaders, MiniInvadersFormatter, TrajectoryBuffer<MiniInvaders>>;

Memory& lane_with(std::int64_t episodes) {
  return kept<Memory>(fmt::format("{}", episodes), [&] {
    MiniInvaders env;
    auto prompt_context = std::make_unique<Memory>(
        env, TrajectoryBuffer<MiniInvaders>(env), MiniInvadersFormatter(env), PromptOptions{},
        [](std::string_view text) { return estimated_tokens(text); }, RandomKey(1));
    for (std::int64_t i = 0; i < episodes; ++i) {
      prompt_context->append(testing::random_episode(env, static_cast<std::uint64_t>(i)));
    }
    prompt_context->begin_episode(0);
    return prompt_context;
  });
}

/// Draws the balanced examples of a termination prompt, as many as 10,000 characters hold.
void select_examples(::benchmark::State& state) {
  const Memory& prompt_context = lane_with(state.range(0));
  ExampleClasses classes;
  ExampleSampler sampler;
  RandomStream stream{RandomKey(3)};
  std::uint64_t examples = 0;
  for (auto _ : state) {
    classes.clear();
    classes.add(0, prompt_context.buffer.matching(0, false));
    classes.add(1, prompt_context.buffer.matching(0, true));
    sampler.start(classes, true);
    for (int i = 0; i < 60; ++i) {
      const auto example = sampler.next(stream);
      if (!example) break;
      ::benchmark::DoNotOptimize(example->id);
      ++examples;
    }
  }
  state.counters["time_per_example"] = seconds_per(examples);
  state.counters["examples_per_prompt"] =
      number(static_cast<double>(examples) / static_cast<double>(state.iterations()));
}
BENCHMARK(select_examples)->ArgName("episodes")->Arg(10)->Arg(500)->Arg(10000);

/// A fresh prompt as `per_query` writes it, examples chosen and copied.
void assemble(::benchmark::State& state) {
  const Memory& prompt_context = lane_with(state.range(1));
  const auto kind = static_cast<QueryKind>(state.range(0));
  PromptScratch scratch;
  RandomStream stream{RandomKey(3)};
  std::string prompt;
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    prompt.clear();
    prompt_context.state().book.write(kind, 1, false, stream, scratch, prompt);
    ::benchmark::DoNotOptimize(prompt.data());
    bytes += prompt.size();
  }
  state.SetLabel(std::string(name(kind)));
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
  state.counters["prompts_per_second"] = per_second(static_cast<std::uint64_t>(state.iterations()));
  state.counters["time_per_prompt"] = seconds_per(static_cast<std::uint64_t>(state.iterations()));
}
BENCHMARK(assemble)->ArgNames({"kind", "episodes"})->ArgsProduct({{0, 1, 2, 3}, {10, 500, 10000}});

/// The floor of assembly: one copy of the same prompt.
void copy_prompt(::benchmark::State& state) {
  const Memory& prompt_context = lane_with(500);
  PromptScratch scratch;
  RandomStream stream{RandomKey(3)};
  std::string prompt;
  prompt_context.state().book.write(QueryKind::termination, 1, false, stream, scratch, prompt);
  std::vector<char> copy(prompt.size());
  for (auto _ : state) {
    std::memcpy(copy.data(), prompt.data(), prompt.size());
    ::benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(prompt.size()));
  state.counters["time_per_prompt"] = seconds_per(static_cast<std::uint64_t>(state.iterations()));
}
BENCHMARK(copy_prompt);

void parse(::benchmark::State& state) {
  Memory& prompt_context = lane_with(10);
  const auto kind = static_cast<QueryKind>(state.range(0));
  const MiniInvadersFormatter formatter;
  const auto& step = prompt_context.buffer[0];
  const std::string texts[] = {formatter.termination(false), formatter.reward(1),
                               formatter.observation(step.next_observation), formatter.action(step.action)};
  Completion completion;
  completion.text = without_stop(texts[state.range(0)], formatter.stop(kind));
  completion.finish = FinishReason::stop;
  std::string scratch;
  for (auto _ : state) {
    auto answer = read_answer(prompt_context.state(), kind, completion, scratch);
    ::benchmark::DoNotOptimize(answer);
    if (answer.status != AnswerStatus::valid) state.SkipWithError("an answer was not read");
  }
  state.SetLabel(std::string(name(kind)));
  state.counters["time_per_answer"] = seconds_per(static_cast<std::uint64_t>(state.iterations()));
}
BENCHMARK(parse)->ArgName("kind")->DenseRange(0, 3);

/// Answers at once; nothing ends before the step limit.
struct FreeRolloutModel {
  void answer(std::span<const Question> questions, std::span<Answer> answers) {
    ::benchmark::DoNotOptimize(questions.data());
    ::benchmark::ClobberMemory();  // the questions must be there, whether they are read or not
    for (auto& answer : answers) answer = {AnswerStatus::valid, false, 0, 0, 1.0};
    asked += questions.size();
  }
  std::uint64_t asked = 0;
};

constexpr RolloutOptions eight_steps{.step_limit = 8, .rollouts_per_action = 16};

std::vector<DecisionTask> tasks_for(std::int64_t environments) {
  std::vector<DecisionTask> tasks;
  for (std::uint32_t prompt_context = 0; prompt_context < static_cast<std::uint32_t>(environments); ++prompt_context) {
    tasks.push_back({prompt_context, 0, 3, 0.8, RandomKey(prompt_context)});
  }
  return tasks;
}

/// Advancing 3 x 16 rollouts per environment, without any text.
void schedule(::benchmark::State& state) {
  FreeRolloutModel model;
  RolloutEngine engine;
  const auto tasks = tasks_for(state.range(0));
  std::vector<DecisionResult> results(tasks.size());
  for (auto _ : state) engine.run(model, tasks, eight_steps, results);
  state.counters["time_per_question"] = seconds_per(model.asked);
}
BENCHMARK(schedule)->ArgName("environments")->Arg(1)->Arg(16)->Arg(85);

/// The same rollouts, one question at a time.
void schedule_sequentially(::benchmark::State& state) {
  FreeRolloutModel model;
  testing::SequentialRollouts<FreeRolloutModel> sequential(model, eight_steps);
  const auto tasks = tasks_for(state.range(0));
  for (auto _ : state) {
    for (const auto& task : tasks) ::benchmark::DoNotOptimize(sequential.run(task));
  }
  state.counters["time_per_question"] = seconds_per(model.asked);
}
BENCHMARK(schedule_sequentially)->ArgName("environments")->Arg(1)->Arg(16)->Arg(85);

template <class Env>
void step_environment(::benchmark::State& state) {
  Env env;
  RandomStream random{RandomKey(1)};
  std::uint64_t episode = 0;
  env.reset(episode);
  for (auto _ : state) {
    auto step = env.step(env.actions()[random.index(env.actions().size())]);
    ::benchmark::DoNotOptimize(step);
    if (step.terminated || step.truncated) env.reset(++episode);
  }
  state.counters["steps_per_second"] = per_second(static_cast<std::uint64_t>(state.iterations()));
}
BENCHMARK(step_environment<Chain>)->Name("step_environment/chain");
BENCHMARK(step_environment<DistractorChain>)->Name("step_environment/distractor-chain");
BENCHMARK(step_environment<Maze>)->Name("step_environment/maze");
BENCHMARK(step_environment<MiniCatch>)->Name("step_environment/mini-catch");
BENCHMARK(step_environment<MiniInvaders>)->Name("step_environment/mini-invaders");
BENCHMARK(step_environment<PointMass>)->Name("step_environment/point-mass");

}  // namespace
}  // namespace icpi::benchmarks
