// SPDX-License-Identifier: MIT
// An agent in an environment that is a program of its own: the Python script that is named, or corridor_server.py.
#include "icpi/process/environment.hpp"

#include <fmt/format.h>

#include <string>

#include "icpi/icpi.hpp"

int main(int count, char** words) {
  const std::string script = count > 1 ? words[1] : ICPI_CORRIDOR_SERVER;

  icpi::ProcessOptions process;
  process.command = {"python3", script};
  icpi::ProcessEnvironment env(process);
  icpi::InductionModel model;
  icpi::PolicyIteration agent(env, model);
  agent.train(env, {.episodes = 30});

  double total = 0;
  for (int episode = 0; episode < 10; ++episode) total += agent.evaluate(env);
  fmt::print("{}: mean return of 10 episodes after 30: {:.2f}\n", env.spec().name, total / 10);
}
