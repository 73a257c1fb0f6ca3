// SPDX-License-Identifier: MIT
#include "methods.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "icpi/core/error.hpp"

namespace icpi::program {

const std::vector<AgentName>& agent_names() {
  static const std::vector<AgentName> names{
      {AgentKind::icpi, "icpi", "In-Context Policy Iteration"},
      {AgentKind::no_argmax, "no-argmax", "acts as the rollout policy does, from successful trajectories"},
      {AgentKind::tabular_q, "tabular-q", "Q-learning with a table"},
      {AgentKind::matching_model, "matching-model", "the same rollouts, answered by the last exact match"},
      {AgentKind::random, "random", "uniformly random actions"},
      {AgentKind::optimal, "optimal", "an optimal policy: a check of the regret"}};
  return names;
}

AgentKind parse_agent(std::string_view name) {
  std::vector<std::string_view> known;
  for (const auto& each : agent_names()) {
    if (each.name == name) return each.kind;
    known.push_back(each.name);
  }
  throw InvalidArgument(fmt::format("unknown agent '{}': choose one of {}", name, fmt::join(known, ", ")));
}

std::vector<Method> figure_methods(const AgentSettings& settings) {
  Method icpi{"icpi", AgentKind::icpi, true, false, false, settings};
  Method no_argmax = icpi;
  no_argmax.label = "no-argmax";
  no_argmax.kind = AgentKind::no_argmax;
  Method matching{"matching-model", AgentKind::matching_model};
  Method tabular{"tabular-q-bootstrap", AgentKind::tabular_q};
  tabular.bootstrap_past_terminal = true;
  Method proper{"tabular-q", AgentKind::tabular_q};
  Method random{"random", AgentKind::random};
  return {icpi, no_argmax, tabular, proper, matching, random};
}

std::vector<Method> ablation_methods(const AgentSettings& settings) {
  const Method icpi{"icpi", AgentKind::icpi, true, false, false, settings};
  Method no_hints = icpi;
  no_hints.label = "icpi-no-hints";
  no_hints.hints = false;
  Method no_balance = icpi;
  no_balance.label = "icpi-no-balance";
  no_balance.settings.balance = false;
  Method no_constraints = icpi;
  no_constraints.label = "icpi-no-constraints";
  no_constraints.settings.constraints = false;
  Method recency = icpi;
  recency.label = "icpi-recency-16";
  recency.settings.recency = 16;
  return {no_hints, no_balance, no_constraints, recency};
}

std::vector<Method> chosen_methods(const AgentSettings& settings, const std::vector<std::string>& labels) {
  std::vector<Method> all = figure_methods(settings);
  for (auto& method : ablation_methods(settings)) all.push_back(std::move(method));
  std::vector<std::string> known;
  for (const auto& method : all) known.push_back(method.label);
  for (const auto& label : labels) {
    if (std::find(known.begin(), known.end(), label) == known.end())
      throw InvalidArgument(fmt::format("unknown agent '{}': choose from {}", label, fmt::join(known, ", ")));
  }
  if (labels.empty()) return all;
  std::erase_if(
      all, [&](const Method& method) { return std::find(labels.begin(), labels.end(), method.label) == labels.end(); });
  return all;
}

}  // namespace icpi::program
