// SPDX-License-Identifier: MIT
// One agent in eight environments at once: one history, so that each learns from what happens in all. Its buffer keeps the
// last 2,000 steps.
#include <fmt/format.h>

#include <vector>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/icpi.hpp"

int main() {
  icpi::InductionModel model;
  std::vector<icpi::Chain> envs(8);
  icpi::TrajectoryBuffer<icpi::Chain> experience(envs[0], 2000);
  icpi::PolicyIteration<icpi::Chain, icpi::InductionModel> agent(envs[0], model, {.seed = 1}, icpi::ChainFormatter(),
                                                                 experience);
  std::vector<icpi::Chain*> all;
  for (auto& env : envs) all.push_back(&env);
  const icpi::TrainingResult result = agent.train(all, {.steps = 320});
  for (const auto& failure : result.failures) fmt::print("environment {}: {}\n", failure.environment, failure.message);

  double total = 0;
  for (int episode = 0; episode < 20; ++episode) total += agent.evaluate(envs[0]);
  fmt::print("{} episodes of {} steps; {} of 20 evaluation episodes reach the goal\n", result.episodes, result.steps,
             total);
}
