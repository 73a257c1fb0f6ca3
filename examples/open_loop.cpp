// SPDX-License-Identifier: MIT
// The open loop: a host program owns the stepping of its environment and asks the agent what to do. It may stop in the
// middle of an episode, start with experience recorded elsewhere, and look into every decision.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "icpi/domains/maze_formatter.hpp"
#include "icpi/icpi.hpp"

namespace {

/// Experience from elsewhere: here, an episode of a policy that only moves up, then left.
icpi::TrajectoryOf<icpi::Maze> recorded_episode(icpi::Maze env) {
  icpi::TrajectoryOf<icpi::Maze> trajectory;
  auto observation = env.reset(11);
  for (std::size_t i = 0;; ++i) {
    const auto action = i % 2 == 0 ? icpi::MazeAction::up : icpi::MazeAction::left;
    const auto step = env.step(action);
    trajectory.push_back({observation, action, step.reward, step.terminated, step.truncated, step.observation});
    if (step.terminated || step.truncated) return trajectory;
    observation = step.observation;
  }
}

}  // namespace

int main() {
  icpi::Maze env;
  icpi::InductionModel model;
  icpi::PolicyIteration<icpi::Maze, icpi::InductionModel> agent(env, model, {.seed = 5});
  agent.import(recorded_episode(env));

  std::size_t steps = 0;
  for (std::uint64_t episode = 0; steps < 140; ++episode) {
    auto observation = env.reset(episode);
    agent.begin_episode(observation);
    double total = 0;
    for (bool running = true; running; ++steps) {
      const auto action = agent.act(observation);
      const auto step = env.step(action);  // the host's own stepping, logging, rendering ...
      agent.observe(step);
      total += step.reward;
      running = !step.terminated && !step.truncated;
      observation = step.observation;
    }
    const icpi::Decision& decision = agent.decision();
    fmt::print("episode {:2}: return {}, last decision {}", episode, total, decision.by_model ? "by model" : "random");
    if (decision.by_model)
      fmt::print(", values {:.2f}", fmt::join(decision.values.begin(), decision.values.end(), " "));
    fmt::print("\n");
  }
}
