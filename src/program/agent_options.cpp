// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "agent_settings.hpp"
#include "icpi/core/error.hpp"

namespace icpi::program {

PolicyIterationOptions AgentSettings::options() const {
  PolicyIterationOptions options;
  DecisionOptions& decisions = options.decisions;
  switch (values) {
    case ValueChoice::mean_of_rollouts: decisions.values = MeanOfRollouts{rollouts}; break;
    case ValueChoice::planning:
      decisions.values = Planning{{rollouts.step_limit, rollouts.attempts, node_limit, outcomes, recall}};
      break;
    case ValueChoice::policy_alone: decisions.values = PolicyAlone{rollouts.attempts}; break;
  }
  decisions.explorations.clear();
  if (warms_up) decisions.explorations.push_back(warm_up);
  if (random_rate != 0) decisions.explorations.push_back(RandomRate{random_rate});
  if (untried_bonus != 0) decisions.explorations.push_back(UntriedFirst{untried_bonus});
  if (hopes) decisions.explorations.push_back(optimism);
  if (selection == SelectionChoice::softmax) decisions.selection = Softmax{softmax_temperature};
  decisions.update_within_episode = update_within_episode;
  switch (examples) {
    case ExampleChoiceName::balanced: options.prompts.examples = BalancedExamples{balance}; break;
    case ExampleChoiceName::append_only:
      options.prompts.examples =
          AppendOnlyExamples{balance, rebuild_fraction, policy_prompts, balance_chance, bootstrap, growth};
      break;
    case ExampleChoiceName::alike:
      options.prompts.examples = AlikeExamples{alike_count, stem_tokens, policy_prompts};
      break;
  }
  if (return_threshold)
    options.prompts.trajectories = TrajectoriesAboveReturn{*return_threshold, recency};
  else
    options.prompts.trajectories = LastTrajectories{recency};
  options.prompts.context_tokens = context_tokens;
  options.prompts.constraints = constraints;
  options.prompts.transition_questions = transition_questions;
  options.queries = queries;
  return options;
}

AgentSettings recommended_settings() {
  AgentSettings settings;
  settings.values = ValueChoice::planning;
  settings.outcomes = 8;
  settings.recall = true;
  settings.warms_up = false;
  settings.hopes = true;
  settings.optimism.sparing = true;
  settings.update_within_episode = true;
  settings.examples = ExampleChoiceName::append_only;
  settings.balance_chance = false;
  settings.growth = 0.1;
  settings.rebuild_fraction = 0.8;
  settings.context_tokens = 12000;
  settings.queries.sampling.temperature = 0;
  return settings;
}

AgentSettings named_settings(std::string_view name) {
  if (name == "paper") return {};
  if (name == "recommended" || name == "best") return recommended_settings();
  throw InvalidArgument(fmt::format("unknown options '{}': choose one of recommended, best (the same), paper", name));
}

}  // namespace icpi::program
