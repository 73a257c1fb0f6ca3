// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "commands.hpp"
#include "icpi/core/error.hpp"
#include "parse.hpp"

namespace icpi::program {

SeedRange parse_seeds(std::string_view text) {
  const auto colon = text.find(':');
  SeedRange seeds;
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  bool valid = parse_number(text.substr(0, colon), seeds.first);
  if (colon == std::string_view::npos) {
    valid = valid && seeds.first < most;
    seeds.last = seeds.first + 1;
  } else {
    valid = valid && parse_number(text.substr(colon + 1), seeds.last);
  }
  if (!valid || seeds.first >= seeds.last || seeds.size() > 1'000'000)
    throw InvalidArgument(fmt::format(
        "--seeds '{}' is not allowed; expected A:B with A < B (at most a million seeds), or one seed", text));
  return seeds;
}

std::size_t parse_count(std::string_view option, std::string_view text, std::size_t lowest, std::size_t highest) {
  std::size_t value = 0;
  if (!parse_number(text, value) || value < lowest || value > highest)
    throw InvalidArgument(
        fmt::format("{} '{}' is not allowed; expected a whole number in {} .. {}", option, text, lowest, highest));
  return value;
}

std::string options_name(const MethodArguments& arguments) {
  if (!arguments.options.empty()) return arguments.options;
  return asks_model(parse_agent(arguments.agent)) ? "recommended" : "paper";
}

ModelChoice model_for(const MethodArguments& method, ModelChoice model) {
  if (options_name(method) == "paper") model.embedded = InductionVersion::first;
  return model;
}

void check_different(const std::vector<ModelChoice>& models) {
  std::vector<std::string> names;
  for (const ModelChoice& model : models) {
    const bool first = model.embedded == InductionVersion::first;
    names.push_back(model.name != "induction" ? model.name : first ? "induction/1" : "induction/2");
    if (std::find(names.begin(), names.end() - 1, names.back()) != names.end() - 1)
      throw InvalidArgument(fmt::format("--model names {} twice", names.back()));
  }
}

bool wants_short_prompts(std::string_view model) { return model == "http" || model == "llama"; }

Method make_method(const MethodArguments& arguments, std::string_view model) {
  Method method;
  method.kind = parse_agent(arguments.agent);
  method.label = arguments.agent;
  const std::string options = options_name(arguments);
  method.settings = named_settings(options);
  if (wants_short_prompts(model)) method.settings.context_tokens = AgentSettings{}.context_tokens;
  if (arguments.begun_with) method.settings = *arguments.begun_with;
  // In records the paper's options have no name of their own.
  if (options != "paper" && asks_model(method.kind)) method.label += "-best";
  const auto ablation = [&](bool wanted, std::string_view name) {
    if (!wanted) return;
    if (!asks_model(method.kind))
      throw InvalidArgument(
          fmt::format("--{} does not go with agent '{}'; allowed: icpi, no-argmax", name, arguments.agent));
    method.label += fmt::format("-{}", name);
  };
  ablation(arguments.no_hints, "no-hints");
  ablation(arguments.no_balance, "no-balance");
  ablation(arguments.no_constraints, "no-constraints");
  method.hints = !arguments.no_hints;
  if (arguments.no_balance) method.settings.balance = false;
  if (arguments.no_constraints) method.settings.constraints = false;
  if (!arguments.recency.empty()) {
    method.settings.recency = parse_count("--recency", arguments.recency, 1, 1'000'000);
    method.label += "-recency-" + arguments.recency;
  }
  ablation(!arguments.task.empty() || arguments.describe_task, "task");
  if (!arguments.task.empty() && arguments.describe_task)
    throw InvalidArgument("--task and --describe-task: give one of them");
  method.task = arguments.task;
  method.describes_task = arguments.describe_task;
  if (arguments.bootstrap_past_terminal) {
    if (method.kind != AgentKind::tabular_q)
      throw InvalidArgument(
          fmt::format("--bootstrap does not go with agent '{}'; allowed: tabular-q", arguments.agent));
    method.bootstrap_past_terminal = true;
    method.label += "-bootstrap";
  }
  for (const auto& assignment : arguments.set) {
    if (apply_setting(assignment, method.settings) == "step_limit") method.sets_step_limit = true;
    method.label += "-" + assignment;
  }
  return method;
}

}  // namespace icpi::program
