// SPDX-License-Identifier: MIT
// measure_question_cost SHAPE MODE ROLLOUTS: decisions in mini-invaders with a model that costs nothing, as
// benchmarks/decision.cpp makes them, first to warm up and then inside counted_decisions(), which scripts/measure-questions
// counts. Prints the questions of the counted part. It is compiled against other revisions too.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

#include "icpi/domains/all.hpp"
#include "icpi/rollout/planner.hpp"
#include "support/repeated_decisions.hpp"
#if __has_include("support/agent_options.hpp")
#include "support/agent_options.hpp"
#endif

namespace icpi::measurements {

/// What is counted: one call is one decision.
template <class Decide>
[[gnu::noinline]] void counted_decisions(Decide&& decide) {
  decide();
}

namespace {

constexpr int few_rollouts = 64;

// Examples drawn anew for every question, or appended only ("stable"), and a plan of at most 1,000 observations: said to
// this revision, and to 62a147e, which has neither strategies nor support/agent_options.hpp.
#if __has_include("support/agent_options.hpp")
void choose_examples(PromptOptions& prompts, std::string_view mode) {
  using icpi_test::PromptMode;
  prompts.examples = icpi_test::examples_of(mode == "stable" ? PromptMode::stable : PromptMode::per_query);
}

template <class Model>
void plan(Planner& planner, Model& model, std::span<const DecisionTask> tasks, const RolloutOptions& options,
          std::span<DecisionResult> results) {
  planner.run(model, tasks, {.step_limit = options.step_limit, .node_limit = 1000}, results);
}
#else
void choose_examples(PromptOptions& prompts, std::string_view mode) {
  prompts.mode = mode == "stable" ? PromptMode::stable : PromptMode::per_query;
}

template <class Model>
void plan(Planner& planner, Model& model, std::span<const DecisionTask> tasks, const RolloutOptions& options,
          std::span<DecisionResult> results) {
  planner.run(model, tasks, options, 1000, results);
}
#endif

testing::DecisionShape shape_of(std::string_view mode, int rollouts) {
  testing::DecisionShape shape;
  choose_examples(shape.prompts, mode);
  shape.queries.deduplicate = false;
  shape.rollouts.step_limit = rollouts > few_rollouts ? 3 : 8;  // valgrind takes its time
  shape.rollouts.rollouts_per_action = rollouts;
  shape.episodes = 100;
  shape.actions = 1;
  shape.different = rollouts > few_rollouts ? 1 : 2;
  return shape;
}

/// Runs `decide` until memory is warm, then counted; returns the questions of the counted part.
template <class Decisions, class Decide>
std::uint64_t measure(Decisions& decisions, std::size_t warm, std::size_t counted, Decide decide) {
  for (std::size_t i = 0; i < warm; ++i) decide();
  const auto before = decisions.costs().lm_calls;
  for (std::size_t i = 0; i < counted; ++i) counted_decisions(decide);
  return decisions.costs().lm_calls - before;
}

template <class Decisions>
std::uint64_t measure_rollouts(Decisions decisions, bool few) {
  return measure(decisions, few ? 8 : 1, few ? 4 : 1, [&] { decisions.run(); });
}

/// Plans again and again at one observation.
template <class Decisions>
std::uint64_t measure_planning(Decisions decisions, const RolloutOptions& options) {
  Planner planner;
  std::vector<DecisionResult> results(1);
  const std::size_t tape = decisions.different();
  const auto plan_anew = [&] {
    decisions.begin(0);
    plan(planner, decisions.model(), decisions.tasks(0), options, results);
  };
  decisions.language_model().record(tape);
  plan_anew();
  return measure(decisions, 4, 4, [&] {
    decisions.language_model().replay(tape);
    plan_anew();
  });
}

std::uint64_t measure_shape(std::string_view shape_name, std::string_view mode, int rollouts) {
  auto shape = shape_of(mode, rollouts);
  using Free = testing::FreeModel<MiniInvaders>;
  using Submitted = testing::FreeSubmittedModel<MiniInvaders>;
  const OracleModel<MiniInvaders> oracle;
  const bool few = rollouts <= few_rollouts;
  if (shape_name == "batch") {
    return measure_rollouts(testing::RepeatedDecisions<MiniInvaders>(Free(oracle), shape), few);
  }
  if (shape_name == "submitted") {
    const auto concurrency = 2 * static_cast<std::size_t>(rollouts);
    return measure_rollouts(testing::RepeatedDecisions<MiniInvaders, Submitted>(Submitted(oracle, concurrency), shape),
                            few);
  }
  shape.actions = 0;
  return measure_planning(testing::RepeatedDecisions<MiniInvaders>(Free(oracle), shape), shape.rollouts);
}

}  // namespace
}  // namespace icpi::measurements

int main(int count, char** arguments) {
  const std::vector<std::string_view> given(arguments + 1, arguments + count);
  const bool shape_known = count == 4 && (given[0] == "batch" || given[0] == "submitted" || given[0] == "planning");
  const int rollouts = count == 4 ? std::atoi(arguments[3]) : 0;
  if (!shape_known || (given[1] != "per_query" && given[1] != "stable") || rollouts < 1) {
    std::fputs("usage: measure_question_cost batch|submitted|planning per_query|stable ROLLOUTS\n", stderr);
    return 2;
  }
  const auto questions = icpi::measurements::measure_shape(given[0], given[1], rollouts);
  std::printf("%llu\n", static_cast<unsigned long long>(questions));
}
