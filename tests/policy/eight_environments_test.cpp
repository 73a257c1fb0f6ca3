// SPDX-License-Identifier: MIT
// Who decides together, in which order, on how many threads and in which batches changes nothing.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "icpi/domains/maze_formatter.hpp"
#include "icpi/domains/mini_catch_formatter.hpp"
#include "icpi/models/induction.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "icpi/policy/several_environments.hpp"
#include "support/agent_options.hpp"
#include "support/gates.hpp"
#include "support/shuffled_language_model.hpp"

namespace icpi {
namespace {

constexpr std::size_t count = 8;

/// What happened in each environment, to be compared bit for bit.
struct Record {
  std::vector<std::size_t> actions;
  std::vector<double> values;
  std::vector<std::uint64_t> legality;
  std::size_t by_model = 0;
  friend bool operator==(const Record&, const Record&) = default;
};
using Records = std::vector<Record>;

void add(Record& record, const Decision& decision) {
  record.actions.push_back(decision.action);
  record.by_model += decision.by_model ? 1 : 0;
  for (const double value : decision.values)
    record.values.push_back(std::isnan(value) ? std::numeric_limits<double>::infinity() : value);
  const auto& known = decision.imagined_legality;
  record.legality.insert(record.legality.end(), {known.text, known.environment, known.seen, known.all});
}

/// Eight that are alike.
struct Catches {
  using Env = MiniCatch;
  using Text = MiniCatchFormatter;
  static std::vector<Env> make() { return std::vector<Env>(count); }
};

/// Mazes with one goal and different walls.
struct Mazes {
  using Env = Maze;
  using Text = MazeFormatter;
  static std::vector<Env> make() {
    std::vector<Env> envs;
    for (std::size_t i = 0; i < count; ++i) {
      std::string map{default_maze_map};
      if (i % 2 == 1) map[map.find('\n') + 5] = '|';  // in the first row
      if (i % 3 == 1) map.replace(map.find("+---+   +"), 9, "+   +---+");
      envs.emplace_back(MazeOptions{.map = map});
    }
    return envs;
  }
};

/// Corridors in which other actions are legal at equal texts: known by asking, or from what was seen.
template <class Formatter>
struct Corridors {
  using Env = testing::Gates;
  using Text = Formatter;
  static std::vector<Env> make() {
    std::vector<Env> envs;
    for (std::size_t i = 0; i < count; ++i) envs.emplace_back(i % 3 == 1);
    return envs;
  }
};

struct Mode {
  bool recommended = true;  ///< the options; else the paper's
  double temperature = 0;
  bool within_episode = true;
  icpi_test::PromptMode prompts = icpi_test::PromptMode::stable;
  std::size_t held = std::numeric_limits<std::size_t>::max();  ///< bound of the buffer
};

PolicyIterationOptions options_with(const Mode& mode) {
  PolicyIterationOptions options = mode.recommended ? PolicyIterationOptions{} : paper_options();
  options.seed = 3;
  options.prompts.context_tokens = 500;
  options.queries.sampling.temperature = mode.temperature;
  options.decisions.update_within_episode = mode.within_episode;
  if (mode.recommended) {
    options.decisions.values.get_if<Planning>()->options.step_limit = 3;
    return options;
  }
  options.prompts.examples = icpi_test::examples_of(mode.prompts);
  options.decisions.explorations = {WarmUp{.successes = 1}};
  icpi_test::rollouts_of(options).rollouts_per_action = 2;
  icpi_test::rollouts_of(options).step_limit = 3;
  if (mode.prompts == icpi_test::PromptMode::per_query) {  // every question has a prompt of its own, which takes time
    options.prompts.context_tokens = 150;
    icpi_test::rollouts_of(options).step_limit = 2;
  }
  return options;
}

/// How a round goes about what it does.
enum class Way { in_order, permuted, in_two_parts };

/// Plays the open loop; `way` must not matter.
template <class World, class LM>
Records play(LM& model, const PolicyIterationOptions& options, Way way, const Mode& mode, std::size_t rounds) {
  using Env = typename World::Env;
  using Observation = typename Env::Observation;
  std::vector<Env> envs = World::make();
  PolicyIteration<Env, LM, typename World::Text> agent(envs[0], model, options, typename World::Text(envs[0]),
                                                       TrajectoryBuffer<Env>(envs[0], mode.held));
  Records records(count);
  std::vector<Observation> seen;
  std::vector<bool> over(count, false);
  const auto begin = [&](std::size_t i) {
    auto& place = agent.environment(i);
    const auto first = envs[i].reset(agent.environment_key(i).child(place.episodes()).seed());
    place.consult(envs[i]);
    place.begin_episode(first);
    return first;
  };
  for (std::size_t i = 0; i < count; ++i) {
    agent.environment(i).callbacks().on_decision = [&records, i](const Decision& each) { add(records[i], each); };
    seen.push_back(begin(i));
  }
  RandomStream shuffling{RandomKey(99)};
  for (std::size_t round = 0; round < rounds; ++round) {
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (way != Way::in_order) shuffling.shuffle(std::span(order));
    const std::size_t first = way == Way::in_two_parts ? 1 + round % (count - 1) : count;
    std::vector<typename Env::Action> actions(count, agent.actions()[0]);
    std::vector<const Observation*> observations;
    for (const std::size_t i : order) observations.push_back(&seen[i]);
    const std::span<const std::size_t> numbers(order);
    const std::span<const Observation* const> places(observations);
    agent.act(numbers.first(first), places.first(first), std::span(actions).first(first));
    if (first < count) agent.act(numbers.subspan(first), places.subspan(first), std::span(actions).subspan(first));
    std::vector<Step<Observation>> steps;
    for (std::size_t k = 0; k < count; ++k) steps.push_back(envs[order[k]].step(actions[k]));
    agent.observe(order, steps);
    for (std::size_t k = 0; k < count; ++k) {
      seen[order[k]] = steps[k].observation;
      over[order[k]] = steps[k].terminated || steps[k].truncated;
    }
    for (std::size_t i = 0; i < count; ++i)
      if (over[i]) seen[i] = begin(i);
  }
  EXPECT_EQ(agent.memory().buffer.departed() > 0, mode.held < std::numeric_limits<std::size_t>::max());
  return records;
}

template <class World>
void compare_ways(const Mode& mode, std::size_t rounds) {
  const auto options = options_with(mode);
  InductionModel model;
  const Records expected = play<World>(model, options, Way::in_order, mode, rounds);
  std::size_t by_model = 0;
  for (const Record& each : expected) by_model += each.by_model;
  EXPECT_GT(by_model, 2 * count);
  EXPECT_NE(expected[0], expected[1]);
  EXPECT_EQ(play<World>(model, options, Way::permuted, mode, rounds), expected);
  EXPECT_EQ(play<World>(model, options, Way::in_two_parts, mode, rounds), expected);
  auto otherwise = options;
  otherwise.queries.threads = 3;
  otherwise.queries.chunk = 5;
  EXPECT_EQ(play<World>(model, otherwise, Way::permuted, mode, rounds), expected);
  for (const std::size_t concurrency : {7U, 1000U}) {
    testing::ShuffledLanguageModel shuffled(InductionModel{}, concurrency, 8);
    EXPECT_EQ(play<World>(shuffled, options, Way::permuted, mode, rounds), expected) << concurrency;
  }
}

class EightEnvironments : public ::testing::TestWithParam<Mode> {};
std::string name_of(const Mode& mode) {
  return std::string(mode.recommended                                ? "recommended"
                     : mode.prompts == icpi_test::PromptMode::stable ? "stable"
                                                                     : "per_query") +
         (mode.temperature > 0 ? "_sampled" : "_greedy") + (mode.within_episode ? "_online" : "") +
         (mode.held < std::numeric_limits<std::size_t>::max() ? "_bounded" : "");
}
INSTANTIATE_TEST_SUITE_P(Modes, EightEnvironments,
                         ::testing::Values(Mode{false, 0, false}, Mode{false, .1, false}, Mode{false, .1, true},
                                           Mode{false, 0, false, icpi_test::PromptMode::per_query},
                                           Mode{false, .1, false, icpi_test::PromptMode::per_query}, Mode{true, 0},
                                           Mode{true, .1}, Mode{true, 0, true, icpi_test::PromptMode::stable, 30},
                                           Mode{false, .1, false, icpi_test::PromptMode::stable, 30}),
                         [](const auto& mode) { return name_of(mode.param); });

TEST_P(EightEnvironments, OrderCompanyThreadsSplitsAndCompletionDoNotMatter) { compare_ways<Catches>(GetParam(), 11); }

TEST_P(EightEnvironments, NorDoTheyWhereMazesDiffer) { compare_ways<Mazes>(GetParam(), 11); }

TEST_P(EightEnvironments, NorDoTheyWhereOtherActionsAreLegal) {
  compare_ways<Corridors<testing::GatesText>>(GetParam(), 12);
  compare_ways<Corridors<testing::ParsingGatesText>>(GetParam(), 12);
}

TEST_P(EightEnvironments, OneOfThemIsTheSingleLoop) {
  const auto options = options_with(GetParam());
  InductionModel model;
  MiniCatch env;
  const auto record = [&](auto&& train) {
    PolicyIteration<MiniCatch, InductionModel> agent(env, model, options, MiniCatchFormatter(env),
                                                     TrajectoryBuffer<MiniCatch>(env, GetParam().held));
    Record result;
    agent.callbacks().on_decision = [&](const Decision& decision) { add(result, decision); };
    const TrainingResult trained = train(agent);
    EXPECT_EQ(trained.end, TrainingEnd::steps);
    EXPECT_EQ(trained.steps, agent.memory().buffer.size() + agent.memory().buffer.departed());
    return std::pair(result, agent.total_costs());
  };
  MiniCatch* const only = &env;
  const auto alone = record([&](auto& agent) { return agent.train(env, {.steps = 60}); });
  EXPECT_EQ(record([&](auto& agent) { return agent.train(std::span(&only, 1), {.steps = 60}); }), alone);
}

}  // namespace
}  // namespace icpi
