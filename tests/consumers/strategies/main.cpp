// SPDX-License-Identifier: MIT
// Strategies that were written outside the library; each changes a decision that the library's own do not make.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "alike_examples.hpp"
#include "imagined_optimism.hpp"
#include "sampled_outcomes.hpp"
#include "world.hpp"

namespace {

using Agent = icpi::PolicyIteration<Rooms, Copier, RoomsText>;
using Trajectory = icpi::TrajectoryOf<Rooms>;
constexpr int left = 0, right = 1;
constexpr int decisions = 20;

/// How often of `decisions` times an agent with this experience goes right in `room`.
int goes_right(const icpi::PolicyIterationOptions& given, const std::vector<Trajectory>& experience, int room) {
  Rooms env;
  Copier model;
  int count = 0;
  for (int seed = 0; seed < decisions; ++seed) {
    icpi::PolicyIterationOptions options = given;
    options.seed = static_cast<std::uint64_t>(seed);
    options.decisions.explorations.clear();
    Agent agent(env, model, options);
    for (const Trajectory& each : experience) agent.import(each);
    agent.begin_episode(room);
    if (agent.act(room) == right) ++count;
  }
  return count;
}

bool expect(const char* what, int count, int least, int most) {
  std::printf("%s: right %d of %d times\n", what, count, decisions);
  return count >= least && count <= most;
}

/// A gamble: most often 1, sometimes -10; the other door pays nothing.
bool chance() {
  std::vector<Trajectory> experience;
  for (const double reward : {1.0, -10.0, 1.0, -10.0, 1.0}) {
    experience.push_back({{0, right, reward, true, false, 0}});
    experience.push_back({{0, left, 0.0, true, false, 0}});
  }
  icpi::PolicyIterationOptions options;
  options.prompts.examples = icpi::AppendOnlyExamples{.balance = false};  // as often as it was seen
  options.decisions.values = icpi::Planning{};
  bool good = expect("planning, one outcome an edge", goes_right(options, experience, 0), decisions, decisions);
  options.decisions.values = SampledOutcomes{};
  options.queries.sampling.temperature = 1;
  return expect("three sampled outcomes an edge", goes_right(options, experience, 0), 0, decisions / 2) && good;
}

/// Nothing was ever gained; only behind the right door there is something untried.
bool curiosity() {
  const std::vector<Trajectory> experience{
      {{1, left, 0.0, false, false, 0}, {0, right, 0.0, false, false, 1}, {1, right, 0.0, false, true, 2}},
      {{2, left, 0.0, false, false, 1}, {1, left, 0.0, false, false, 0}, {0, left, 0.0, false, true, 0}}};
  icpi::PolicyIterationOptions options;
  options.decisions.update_within_episode = true;
  bool good = expect("planning", goes_right(options, experience, 1), 1, decisions - 1);
  options.decisions.values = ImaginedOptimism{};
  return expect("optimism for what is untried", goes_right(options, experience, 1), decisions, decisions) && good;
}

/// Room 41 is new; in rooms of forty the right door pays, elsewhere it does not. The left one always pays a half.
bool likeness() {
  std::vector<Trajectory> experience;
  for (const int room : {40, 42, 43, 7, 8, 11, 96, 97, 98, 99}) {
    experience.push_back({{room, right, room / 10 == 4 ? 1.0 : 0.0, true, false, 0}});
    experience.push_back({{room, left, 0.5, true, false, 0}});
  }
  icpi::PolicyIterationOptions options;
  options.prompts.examples = icpi::BalancedExamples{};
  bool good = expect("examples in random order", goes_right(options, experience, 41), 1, decisions - 1);
  options.prompts.examples = AlikeExamples{};
  return expect("the most alike last", goes_right(options, experience, 41), decisions, decisions) && good;
}

}  // namespace

int main() {
  const bool chances = chance();
  const bool untried = curiosity();
  const bool alike = likeness();
  return chances && untried && alike ? 0 : 1;
}
