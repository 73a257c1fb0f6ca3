// SPDX-License-Identifier: MIT
// An agent of nothing but own types: the same program and the same decisions whichever way icpi comes in.
#include <cstdio>
#include <string>

#include "types.hpp"

/// A word an episode, a letter a decision: down, up or rest; capitals are the model's. After the bar: evaluation.
constexpr const char* expected =
    "DDUURUU UU UU UU RUUUU UUU UU UU UUUU UU UU UUU UUUU UU UUUU UU UU UUU UUUU UUUU UU UU UUUU UUU UU UUUU UUU "
    "UU UUUU UUUU |UU UUU UU UU UU UUUU UUUU UUUU UUUU UUUU ";

int main() {
  Ladder env;
  Echo model;
  icpi::PolicyIterationOptions options;
  options.seed = 5;
  icpi::PolicyIteration<Ladder, Echo, LadderText, Diary> agent(env, model, options);

  std::string decisions;
  agent.callbacks().on_decision = [&](const icpi::Decision& decision) {
    decisions += "dur"[decision.action];
    if (decision.by_model) decisions.back() = static_cast<char>(decisions.back() - 'a' + 'A');
  };
  agent.callbacks().on_episode = [&](const auto&) { decisions += ' '; };
  agent.train(env, {.episodes = 30});

  double total = 0;
  decisions += '|';
  for (int episode = 0; episode < 10; ++episode) total += agent.evaluate(env);
  std::printf("%s\n%g of 10 climbs reach the top; %zu answers\n", decisions.c_str(), total, model.answered);

  bool refused = false;
  try {
    options.decisions.values = icpi::Planning{{.step_limit = 0}};
    icpi::PolicyIteration<Ladder, Echo, LadderText, Diary> none(env, model, options);
  } catch (const icpi::InvalidArgument&) {
    refused = true;
  }
  if (decisions != expected) std::printf("expected:\n%s\n", expected);
  return decisions == expected && total == 10 && refused && agent.memory().buffer.trajectory_count() == 30 ? 0 : 1;
}
