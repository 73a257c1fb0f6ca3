// SPDX-License-Identifier: MIT
// Several environments share one model: all that decide at the same time put their questions into common batches. Each
// learns exactly what it would learn alone.
#include <fmt/format.h>

#include <memory>
#include <vector>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/icpi.hpp"

using Agent = icpi::PolicyIteration<icpi::Chain, icpi::InductionModel>;

struct Player {
  icpi::Chain env;
  std::unique_ptr<Agent> agent;
  int observation = 0;
  std::size_t steps = 0;

  void begin() {
    observation = env.reset(icpi::RandomKey(steps).seed());
    agent->begin_episode(observation);
  }
};

int main() {
  icpi::InductionModel model;
  std::vector<Player> players(8);
  for (std::size_t i = 0; i < players.size(); ++i) {
    players[i].agent = std::make_unique<Agent>(players[i].env, model, icpi::PolicyIterationOptions{.seed = i});
    players[i].begin();
  }

  std::vector<Agent::RolloutAgent*> agents;
  std::vector<const int*> observations;
  for (auto& player : players) {
    agents.push_back(player.agent.get());
    observations.push_back(&player.observation);
  }
  std::vector<icpi::ChainAction> actions(players.size());
  for (int step = 0; step < 80; ++step) {
    Agent::act_together(agents, observations, actions);
    for (std::size_t i = 0; i < players.size(); ++i) {
      auto& player = players[i];
      const auto result = player.env.step(actions[i]);
      player.agent->observe(result);
      player.observation = result.observation;
      ++player.steps;
      if (result.terminated || result.truncated) player.begin();
    }
  }

  for (std::size_t i = 0; i < players.size(); ++i) {
    double total = 0;
    for (int episode = 0; episode < 20; ++episode) total += players[i].agent->evaluate(players[i].env);
    fmt::print("agent {}: {:2} of 20 evaluation episodes reach the goal\n", i, total);
  }
}
