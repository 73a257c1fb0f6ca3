// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <ostream>
#include <string>

#include "commands.hpp"
#include "icpi/domains/all.hpp"

namespace icpi::program {

namespace {

/// Without the newline at the end; others become " / ".
std::string on_one_line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at)) text.replace(at, 1, " / ");
  return text;
}

}  // namespace

void list_domains(std::ostream& out) {
  for (const auto name : domain_names) {
    const DomainProgram& domain = domain_program(name);
    const DomainFacts facts = domain.facts();
    fmt::print(out,
               "{}\n  horizon {} steps, rollouts of at most {} steps, discount {} (evaluation {}, returns divided by "
               "{}), success above {}\n  sees, for instance  {}\n",
               name, facts.horizon, facts.rollout_limit, domain.planning_discount(), facts.evaluation_discount,
               facts.return_scale, facts.success_threshold, on_one_line(domain.example_observation(true)));
    for (const auto& action : domain.action_texts()) fmt::print(out, "  does                {}\n", on_one_line(action));
  }
}

void list_models(const ModelsArguments& arguments, std::ostream& out) {
  if (!arguments.model.name.empty()) {
    fmt::print(out, "{}", describe_model(arguments.model));
    return;
  }
  for (const auto& each : model_sources()) fmt::print(out, "{:<12}{}\n", each.name, each.meaning);
}

void list_settings(std::ostream& out) {
  const AgentSettings recommended = named_settings("recommended");
  const AgentSettings paper = named_settings("paper");
  fmt::print(out, "--set NAME=VALUE   (in brackets: the recommended value and, where it differs, the paper's)\n");
  for (const Setting& each : settings()) {
    std::string values = each.get(recommended);
    if (each.get(paper) != values) values += "; paper: " + each.get(paper);
    fmt::print(out, "  {:<21} {} [{}]; allowed: {}\n", each.name, each.meaning, values, each.allowed);
  }
  fmt::print(out, "\nFormer names, understood for one more version:\n");
  for (const FormerSetting& each : former_settings()) fmt::print(out, "  {:<21} now {}\n", each.name, each.now);
}

}  // namespace icpi::program
