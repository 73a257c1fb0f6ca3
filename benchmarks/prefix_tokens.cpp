// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>

#include "counters.hpp"
#include "icpi/domains/all.hpp"
#include "icpi/models/oracle.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "support/agent_options.hpp"

// How many tokens a model with a prefix cache has to compute: whole runs with the paper's horizons and settings, one
// rollout per action, a perfect world model, tokens of 0.38 to the character. No clock is involved.

namespace icpi::benchmarks {
namespace {

/// Counts what a model that keeps every prefix of an identity would have to compute.
template <LanguageModel Source>
class CountingModel {
 public:
  [[nodiscard]] std::string identity() const { return source_.identity(); }

  void complete(std::span<const CompletionRequest> requests, std::span<Completion> completions) {
    for (const auto& request : requests) {
      const auto tokens = estimated_tokens(request.prefix.text);
      auto& known = computed_[request.prefix.identity];
      if (request.prefix.identity == 0) known = 0;
      prefix_tokens += tokens - std::min(known, tokens);
      known = std::max(known, tokens);
      query_tokens += estimated_tokens(request.query);
      ++queries;
    }
    source_.complete(requests, completions);
  }

  std::uint64_t prefix_tokens = 0;
  std::uint64_t query_tokens = 0;
  std::uint64_t queries = 0;

 private:
  Source source_{};
  std::unordered_map<std::uint64_t, std::size_t> computed_;
};

/// Means over decisions by the model.
struct Tokens {
  double prefix = 0;
  double query = 0;
  double queries = 0;
};

template <class Env>
Tokens play(icpi_test::PromptMode mode, bool deduplicate, std::int64_t policy_prompts = 4) {
  constexpr std::uint64_t seeds = 4;
  CountingModel<OracleModel<Env>> model;
  std::uint64_t decisions = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    Env env;
    PolicyIterationOptions options = icpi::paper_options();
    options.seed = seed;
    options.prompts.examples = icpi_test::examples_of(mode);
    options.prompts.policy_prompts = static_cast<std::size_t>(policy_prompts);
    options.queries.deduplicate = deduplicate;
    icpi_test::rollouts_of(options).step_limit = env.facts().rollout_limit;
    PolicyIteration<Env, CountingModel<OracleModel<Env>>> agent(env, model, options);
    agent.callbacks().on_decision = [&](const Decision& decision) { decisions += decision.by_model ? 1 : 0; };
    agent.train(env, {.steps = static_cast<std::size_t>(env.facts().horizon)});
  }
  const auto mean = [&](std::uint64_t sum) { return static_cast<double>(sum) / static_cast<double>(decisions); };
  return {mean(model.prefix_tokens), mean(model.query_tokens), mean(model.queries)};
}

/// Goal: prefix_ratio at least 50.
template <class Env>
void tokens_per_decision(::benchmark::State& state) {
  Tokens paper, stable;
  for (auto _ : state) {
    paper = play<Env>(icpi_test::PromptMode::per_query, false);
    stable = play<Env>(icpi_test::PromptMode::stable, state.range(0) != 0, state.range(1));
  }
  state.SetLabel(std::string(Env::name));
  state.counters["prefix_per_query"] = number(paper.prefix);
  state.counters["prefix_stable"] = number(stable.prefix);
  state.counters["prefix_ratio"] = number(paper.prefix / stable.prefix);
  state.counters["query_per_query"] = number(paper.query);
  state.counters["query_stable"] = number(stable.query);
  state.counters["total_ratio"] = number((paper.prefix + paper.query) / (stable.prefix + stable.query));
  state.counters["queries_per_query"] = number(paper.queries);
  state.counters["queries_stable"] = number(stable.queries);
}

#define ICPI_TOKENS(Env)                            \
  BENCHMARK(tokens_per_decision<Env>)               \
      ->ArgNames({"deduplicate", "policy_prompts"}) \
      ->Args({0, 4})                                \
      ->Args({1, 4})                                \
      ->Args({1, 1})                                \
      ->Iterations(1)                               \
      ->Unit(::benchmark::kMillisecond)
ICPI_TOKENS(Chain);
ICPI_TOKENS(DistractorChain);
ICPI_TOKENS(Maze);
ICPI_TOKENS(MiniCatch);
ICPI_TOKENS(MiniInvaders);
ICPI_TOKENS(PointMass);
#undef ICPI_TOKENS

}  // namespace
}  // namespace icpi::benchmarks
