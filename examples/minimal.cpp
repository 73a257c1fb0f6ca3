// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/icpi.hpp"

int main() {
  icpi::Chain env;             // eight states in a row; try_goal is rewarded in state 4
  icpi::InductionModel model;  // the embedded model: no weights, it reads everything from the prompt
  icpi::PolicyIteration<icpi::Chain, icpi::InductionModel> agent(env, model, {.seed = 7});

  agent.callbacks().on_episode = [](const auto& trajectory) {
    const auto& last = trajectory.back();
    fmt::print("from state {} in {} steps to state {}: reward {}\n", trajectory.front().observation, trajectory.size(),
               last.observation, last.reward);
  };
  agent.train(env, {.steps = 80});

  double total = 0;
  for (int episode = 0; episode < 20; ++episode) total += agent.evaluate(env);
  const auto& costs = agent.costs();
  fmt::print("then {} of 20 evaluation episodes reach the goal; {} model calls, {} prompt tokens\n", total,
             costs.lm_calls, costs.prompt_tokens);
}
