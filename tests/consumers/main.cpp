// SPDX-License-Identifier: MIT
// Uses the library: functions of its own and those that headers make.
#include <cstdio>
#include <string>

#include "icpi/domains/chain_formatter.hpp"
#include "icpi/icpi.hpp"

int main() {
  icpi::Chain env;
  icpi::InductionModel model;
  icpi::PolicyIterationOptions options;
  options.seed = 7;
  icpi::PolicyIteration<icpi::Chain, icpi::InductionModel> agent(env, model, options);
  agent.train(env, {.episodes = 15});
  const double reached = agent.evaluate(env);
  std::printf("icpi %d.%d: %zu episodes, %llu answers, return %g\n", icpi::version_major, icpi::version_minor,
              agent.episodes(), static_cast<unsigned long long>(agent.costs().lm_calls), reached);

  options.decisions.values = icpi::Planning{{.step_limit = 0}};
  try {
    icpi::PolicyIteration<icpi::Chain, icpi::InductionModel> refused(env, model, options);
  } catch (const icpi::InvalidArgument& error) {
    return reached == 1 && std::string(error.what()).find("step_limit") != std::string::npos ? 0 : 1;
  }
  return 1;
}
