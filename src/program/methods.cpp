// SPDX-License-Identifier: MIT
#include "methods.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

#include "icpi/core/error.hpp"
#include "parse.hpp"

namespace icpi::program {

namespace {

using Options = PolicyIterationOptions;

/// Sets a whole number that is at least `lowest`.
template <class Number>
bool set_count(std::string_view text, Number lowest, Number& value) {
  Number parsed{};
  if (!parse_number(text, parsed) || parsed < lowest) return false;
  value = parsed;
  return true;
}

/// Sets a number in the closed interval.
bool set_between(std::string_view text, double lowest, double highest, double& value) {
  double parsed = 0;
  if (!parse_number(text, parsed) || parsed < lowest || parsed > highest) return false;
  value = parsed;
  return true;
}

bool set_optional(std::string_view text, double lowest, std::optional<double>& value) {
  double parsed = 0;
  if (text == "none") {
    value.reset();
    return true;
  }
  if (!parse_number(text, parsed) || parsed < lowest) return false;
  value = parsed;
  return true;
}

std::string show(const std::optional<double>& value) { return value ? fmt::to_string(*value) : "none"; }

template <class Enum, std::size_t Size>
bool set_name(std::string_view text, const std::array<std::string_view, Size>& names, Enum& value) {
  for (std::size_t i = 0; i < Size; ++i) {
    if (names[i] != text) continue;
    value = static_cast<Enum>(i);
    return true;
  }
  return false;
}

constexpr std::array<std::string_view, 3> rule_names{"rollouts", "planning", "rollout_policy"};
constexpr std::array<std::string_view, 2> mode_names{"per_query", "stable"};
constexpr double unbounded = 1e300;
constexpr double above_zero = 1e-300;
constexpr double below_one = 1 - 1e-16;

void add_decision_settings(std::vector<Setting>& all) {
  all.push_back({"rule", "rollouts, planning, rollout_policy", "how an action is chosen",
                 [](Options& o, std::string_view v) { return set_name(v, rule_names, o.decisions.rule); },
                 [](const Options& o) { return std::string(rule_names[static_cast<std::size_t>(o.decisions.rule)]); }});
  all.push_back({"step_limit", "whole numbers from 1", "simulated steps of a rollout; the domain's unless set",
                 [](Options& o, std::string_view v) { return set_count(v, 1, o.decisions.rollouts.step_limit); },
                 [](const Options& o) { return fmt::to_string(o.decisions.rollouts.step_limit); }});
  all.push_back(
      {"rollouts_per_action", "whole numbers from 1", "rollouts of which the mean is taken",
       [](Options& o, std::string_view v) { return set_count(v, 1, o.decisions.rollouts.rollouts_per_action); },
       [](const Options& o) { return fmt::to_string(o.decisions.rollouts.rollouts_per_action); }});
  all.push_back({"attempts", "whole numbers from 1", "how often a question is put until its answer is valid",
                 [](Options& o, std::string_view v) { return set_count(v, 1, o.decisions.rollouts.attempts); },
                 [](const Options& o) { return fmt::to_string(o.decisions.rollouts.attempts); }});
  all.push_back({"speculate", "on, off", "ask for reward and observation together with the termination",
                 [](Options& o, std::string_view v) { return parse_switch(v, o.decisions.rollouts.speculate); },
                 [](const Options& o) { return fmt::to_string(o.decisions.rollouts.speculate); }});
  all.push_back(
      {"random_action_rate", "0 to 1", "part of the imagined actions that are drawn uniformly",
       [](Options& o, std::string_view v) { return set_between(v, 0, 1, o.decisions.rollouts.random_action_rate); },
       [](const Options& o) { return fmt::to_string(o.decisions.rollouts.random_action_rate); }});
  all.push_back({"node_limit", "whole numbers from 1", "planning: observations expanded per decision",
                 [](Options& o, std::string_view v) { return set_count(v, std::size_t{1}, o.decisions.node_limit); },
                 [](const Options& o) { return fmt::to_string(o.decisions.node_limit); }});
  all.push_back(
      {"novelty_bonus", "finite numbers", "added to the value of actions never tried at the observation",
       [](Options& o, std::string_view v) { return set_between(v, -unbounded, unbounded, o.decisions.novelty_bonus); },
       [](const Options& o) { return fmt::to_string(o.decisions.novelty_bonus); }});
  all.push_back({"online", "on, off", "steps of the running episode enter the world model's prompts at once",
                 [](Options& o, std::string_view v) { return parse_switch(v, o.decisions.online); },
                 [](const Options& o) { return fmt::to_string(o.decisions.online); }});
  all.push_back({"warm_up_successes", "numbers", "trajectories at which the agent acts by its rule half of the time",
                 [](Options& o, std::string_view v) {
                   return set_between(v, -unbounded, unbounded, o.decisions.warm_up.successes);
                 },
                 [](const Options& o) { return fmt::to_string(o.decisions.warm_up.successes); }});
  all.push_back({"warm_up_slope", "0 or more", "how fast that changes with one more trajectory",
                 [](Options& o, std::string_view v) { return set_between(v, 0, unbounded, o.decisions.warm_up.slope); },
                 [](const Options& o) { return fmt::to_string(o.decisions.warm_up.slope); }});
  all.push_back({"warm_up_abrupt", "on, off", "at random before, never after",
                 [](Options& o, std::string_view v) { return parse_switch(v, o.decisions.warm_up.abrupt); },
                 [](const Options& o) { return fmt::to_string(o.decisions.warm_up.abrupt); }});
}

void add_prompt_settings(std::vector<Setting>& all) {
  all.push_back({"mode", "per_query, stable", "when a prompt's examples are drawn",
                 [](Options& o, std::string_view v) { return set_name(v, mode_names, o.prompts.mode); },
                 [](const Options& o) { return std::string(mode_names[static_cast<std::size_t>(o.prompts.mode)]); }});
  all.push_back({"context_tokens", "whole numbers from 1", "most tokens of a prompt",
                 [](Options& o, std::string_view v) { return set_count(v, std::size_t{1}, o.prompts.context_tokens); },
                 [](const Options& o) { return fmt::to_string(o.prompts.context_tokens); }});
  all.push_back({"recency", "whole numbers from 1", "policy prompts show the last so many trajectories",
                 [](Options& o, std::string_view v) { return set_count(v, std::size_t{1}, o.prompts.recency); },
                 [](const Options& o) { return fmt::to_string(o.prompts.recency); }});
  all.push_back({"balance", "on, off", "repeat examples of the smaller classes",
                 [](Options& o, std::string_view v) { return parse_switch(v, o.prompts.balance); },
                 [](const Options& o) { return fmt::to_string(o.prompts.balance); }});
  all.push_back({"constraints", "on, off", "examples of the same action and termination only",
                 [](Options& o, std::string_view v) { return parse_switch(v, o.prompts.constraints); },
                 [](const Options& o) { return fmt::to_string(o.prompts.constraints); }});
  all.push_back(
      {"rebuild_fraction", "above 0, below 1", "stable: part of the room that a rebuilt prompt fills",
       [](Options& o, std::string_view v) { return set_between(v, above_zero, below_one, o.prompts.rebuild_fraction); },
       [](const Options& o) { return fmt::to_string(o.prompts.rebuild_fraction); }});
  all.push_back({"policy_prompts", "whole numbers from 1", "stable: policy prompts drawn per episode, used in turn",
                 [](Options& o, std::string_view v) { return set_count(v, std::size_t{1}, o.prompts.policy_prompts); },
                 [](const Options& o) { return fmt::to_string(o.prompts.policy_prompts); }});
  all.push_back(
      {"success_threshold", "a number, or none", "policy prompts show only trajectories with a higher return",
       [](Options& o, std::string_view v) { return set_optional(v, -unbounded, o.prompts.success_threshold); },
       [](const Options& o) { return show(o.prompts.success_threshold); }});
}

void add_query_settings(std::vector<Setting>& all) {
  all.push_back(
      {"temperature", "0 or more", "of sampling",
       [](Options& o, std::string_view v) { return set_between(v, 0, unbounded, o.queries.sampling.temperature); },
       [](const Options& o) { return fmt::to_string(o.queries.sampling.temperature); }});
  all.push_back({"policy_temperature", "0 or more, or none", "of action queries; none: as all others",
                 [](Options& o, std::string_view v) { return set_optional(v, 0, o.queries.policy_temperature); },
                 [](const Options& o) { return show(o.queries.policy_temperature); }});
  all.push_back({"top_p", "above 0, at most 1", "of sampling",
                 [](Options& o, std::string_view v) { return set_between(v, above_zero, 1, o.queries.sampling.top_p); },
                 [](const Options& o) { return fmt::to_string(o.queries.sampling.top_p); }});
  all.push_back({"max_tokens", "whole numbers from 1", "of a completion",
                 [](Options& o, std::string_view v) { return set_count(v, 1, o.queries.sampling.max_tokens); },
                 [](const Options& o) { return fmt::to_string(o.queries.sampling.max_tokens); }});
  all.push_back({"deduplicate", "on, off", "stable: put identical queries once",
                 [](Options& o, std::string_view v) { return parse_switch(v, o.queries.deduplicate); },
                 [](const Options& o) { return fmt::to_string(o.queries.deduplicate); }});
  all.push_back({"restrict_answers", "on, off", "only known terminations, actions and rewards as answers",
                 [](Options& o, std::string_view v) { return parse_switch(v, o.queries.restrict_answers); },
                 [](const Options& o) { return fmt::to_string(o.queries.restrict_answers); }});
  all.push_back({"prime_prefixes", "on, off", "send one request of a new prefix ahead of the others",
                 [](Options& o, std::string_view v) { return parse_switch(v, o.queries.prime_prefixes); },
                 [](const Options& o) { return fmt::to_string(o.queries.prime_prefixes); }});
  all.push_back({"threads", "1 to 1024", "that write prompts",
                 [](Options& o, std::string_view v) {
                   std::size_t parsed = 0;
                   if (!parse_number(v, parsed) || parsed < 1 || parsed > 1024) return false;
                   o.queries.threads = parsed;
                   return true;
                 },
                 [](const Options& o) { return fmt::to_string(o.queries.threads); }});
  all.push_back({"timeout_ms", "whole numbers from 0", "of one request; 0: the model's own",
                 [](Options& o, std::string_view v) {
                   std::int64_t parsed = 0;
                   if (!parse_number(v, parsed) || parsed < 0) return false;
                   o.queries.timeout = std::chrono::milliseconds(parsed);
                   return true;
                 },
                 [](const Options& o) { return fmt::to_string(o.queries.timeout.count()); }});
}

}  // namespace

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

const std::vector<Setting>& settings() {
  static const std::vector<Setting> all = [] {
    std::vector<Setting> made;
    add_decision_settings(made);
    add_prompt_settings(made);
    add_query_settings(made);
    return made;
  }();
  return all;
}

void apply_setting(std::string_view assignment, Method& method) {
  const auto equals = assignment.find('=');
  const auto name = assignment.substr(0, equals);
  if (equals == std::string_view::npos)
    throw InvalidArgument(fmt::format("--set '{}': expected name=value", assignment));
  const auto value = assignment.substr(equals + 1);
  std::vector<std::string_view> known;
  for (const Setting& each : settings()) {
    known.push_back(each.name);
    if (each.name != name) continue;
    if (!each.set(method.options, value))
      throw InvalidArgument(fmt::format("--set {}: '{}' is not allowed; allowed: {}", name, value, each.allowed));
    method.sets_step_limit = method.sets_step_limit || name == "step_limit";
    return;
  }
  throw InvalidArgument(fmt::format("--set: unknown option '{}': choose one of {}", name, fmt::join(known, ", ")));
}

PolicyIterationOptions named_options(std::string_view name) {
  if (name == "paper") return {};
  if (name == "best") return recommended_options();
  throw InvalidArgument(fmt::format("unknown options '{}': choose one of paper, best", name));
}

std::vector<Method> figure_methods(const PolicyIterationOptions& options) {
  Method icpi{"icpi", AgentKind::icpi, true, false, false, options};
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

std::vector<Method> ablation_methods(const PolicyIterationOptions& options) {
  const Method icpi{"icpi", AgentKind::icpi, true, false, false, options};
  Method no_hints = icpi;
  no_hints.label = "icpi-no-hints";
  no_hints.hints = false;
  Method no_balance = icpi;
  no_balance.label = "icpi-no-balance";
  no_balance.options.prompts.balance = false;
  Method no_constraints = icpi;
  no_constraints.label = "icpi-no-constraints";
  no_constraints.options.prompts.constraints = false;
  Method recency = icpi;
  recency.label = "icpi-recency-16";
  recency.options.prompts.recency = 16;
  return {no_hints, no_balance, no_constraints, recency};
}

}  // namespace icpi::program
