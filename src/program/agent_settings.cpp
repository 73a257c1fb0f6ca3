// SPDX-License-Identifier: MIT
#include "agent_settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <utility>

#include "icpi/core/error.hpp"
#include "setting_values.hpp"

namespace icpi::program {

namespace {

using Settings = AgentSettings;
using Text = std::string_view;

constexpr std::array<Text, 3> value_names{"mean_of_rollouts", "planning", "policy_alone"};
constexpr std::array<Text, 3> former_value_names{"rollouts", "planning", "rollout_policy"};
constexpr std::array<Text, 3> example_names{"balanced", "append_only", "alike"};
constexpr std::array<Text, 2> former_example_names{"per_query", "stable"};
constexpr std::array<Text, 2> selection_names{"greedy", "softmax"};
constexpr std::array<Text, 2> transition_names{"separate", "whole"};
constexpr double unbounded = 1e300;
constexpr double above_zero = 1e-300;
constexpr double below_one = 1 - 1e-16;

void add_value_settings(std::vector<Setting>& all) {
  all.push_back({"values", "mean_of_rollouts, planning, policy_alone", "value estimator: what values are made of",
                 [](Settings& s, Text v) { return set_name(v, value_names, s.values); },
                 [](const Settings& s) { return name_of(s.values, value_names); }});
  all.push_back({"step_limit", "whole numbers from 1", "simulated steps of a rollout; the domain's unless set",
                 [](Settings& s, Text v) { return set_count(v, 1, s.rollouts.step_limit); },
                 [](const Settings& s) { return fmt::to_string(s.rollouts.step_limit); }});
  all.push_back({"rollouts_per_action", "whole numbers from 1", "mean_of_rollouts: of how many",
                 [](Settings& s, Text v) { return set_count(v, 1, s.rollouts.rollouts_per_action); },
                 [](const Settings& s) { return fmt::to_string(s.rollouts.rollouts_per_action); }});
  all.push_back({"attempts", "whole numbers from 1", "how often a question is put until its answer is valid",
                 [](Settings& s, Text v) { return set_count(v, 1, s.rollouts.attempts); },
                 [](const Settings& s) { return fmt::to_string(s.rollouts.attempts); }});
  all.push_back({"speculate", "on, off", "mean_of_rollouts: ask for reward and observation along with the termination",
                 [](Settings& s, Text v) { return parse_switch(v, s.rollouts.speculate); },
                 [](const Settings& s) { return fmt::to_string(s.rollouts.speculate); }});
  all.push_back({"random_action_rate", "0 to 1", "mean_of_rollouts: part of the imagined actions drawn uniformly",
                 [](Settings& s, Text v) { return set_between(v, 0, 1, s.rollouts.random_action_rate); },
                 [](const Settings& s) { return fmt::to_string(s.rollouts.random_action_rate); }});
  all.push_back({"node_limit", "whole numbers from 1", "planning: observations expanded per decision",
                 [](Settings& s, Text v) { return set_count(v, std::size_t{1}, s.node_limit); },
                 [](const Settings& s) { return fmt::to_string(s.node_limit); }});
  all.push_back({"outcomes", "whole numbers from 1", "planning: how many are drawn of a step that chance decides",
                 [](Settings& s, Text v) { return set_count(v, 1, s.outcomes); },
                 [](const Settings& s) { return fmt::to_string(s.outcomes); }});
  all.push_back({"recall", "on, off", "planning: what came of recorded steps is taken as it was, and not asked for",
                 [](Settings& s, Text v) { return parse_switch(v, s.recall); },
                 [](const Settings& s) { return fmt::to_string(s.recall); }});
}

void add_exploration_settings(std::vector<Setting>& all) {
  all.push_back({"warm_up", "on, off", "exploration: at random while there are few trajectories",
                 [](Settings& s, Text v) { return parse_switch(v, s.warms_up); },
                 [](const Settings& s) { return fmt::to_string(s.warms_up); }});
  all.push_back({"warm_up_successes", "numbers", "trajectories at which the agent acts by its values half of the time",
                 [](Settings& s, Text v) { return set_between(v, -unbounded, unbounded, s.warm_up.successes); },
                 [](const Settings& s) { return fmt::to_string(s.warm_up.successes); }});
  all.push_back({"warm_up_slope", "0 or more", "how fast that changes with one more trajectory",
                 [](Settings& s, Text v) { return set_between(v, 0, unbounded, s.warm_up.slope); },
                 [](const Settings& s) { return fmt::to_string(s.warm_up.slope); }});
  all.push_back({"warm_up_abrupt", "on, off", "at random before, never after",
                 [](Settings& s, Text v) { return parse_switch(v, s.warm_up.abrupt); },
                 [](const Settings& s) { return fmt::to_string(s.warm_up.abrupt); }});
  all.push_back({"untried_bonus", "finite numbers",
                 "exploration: added to values of actions never tried there; 0: none",
                 [](Settings& s, Text v) { return set_between(v, -unbounded, unbounded, s.untried_bonus); },
                 [](const Settings& s) { return fmt::to_string(s.untried_bonus); }});
  all.push_back({"random_rate", "0 to 1", "exploration: part of the actions drawn uniformly; 0: none",
                 [](Settings& s, Text v) { return set_between(v, 0, 1, s.random_rate); },
                 [](const Settings& s) { return fmt::to_string(s.random_rate); }});
  all.push_back({"optimism", "on, off", "exploration: hope for the highest reward where what is imagined is not known",
                 [](Settings& s, Text v) { return parse_switch(v, s.hopes); },
                 [](const Settings& s) { return fmt::to_string(s.hopes); }});
  all.push_back({"reward_bound", "stated, none, or a number",
                 "optimism: highest reward of a step; stated: as the environment",
                 [](Settings& s, Text v) {
                   const bool stated = v == "stated";
                   if (stated) s.optimism.reward_bound.reset();
                   if (!stated && !set_optional(v, -unbounded, s.optimism.reward_bound)) return false;
                   s.bound_stated = stated;
                   return true;
                 },
                 [](const Settings& s) { return s.bound_stated ? "stated" : show(s.optimism.reward_bound); }});
  all.push_back({"optimism_trials", "0 or more", "optimism: after which half of what chance decides is known",
                 [](Settings& s, Text v) { return set_between(v, 0, unbounded, s.optimism.trials); },
                 [](const Settings& s) { return fmt::to_string(s.optimism.trials); }});
  all.push_back({"optimism_doubt", "on, off", "optimism: the model's doubt counts",
                 [](Settings& s, Text v) { return parse_switch(v, s.optimism.doubt); },
                 [](const Settings& s) { return fmt::to_string(s.optimism.doubt); }});
  all.push_back({"optimism_sparing", "on, off", "optimism: only where there is a reason to hope for more",
                 [](Settings& s, Text v) { return parse_switch(v, s.optimism.sparing); },
                 [](const Settings& s) { return fmt::to_string(s.optimism.sparing); }});
  all.push_back({"selection", "greedy, softmax", "how values become an action",
                 [](Settings& s, Text v) { return set_name(v, selection_names, s.selection); },
                 [](const Settings& s) { return name_of(s.selection, selection_names); }});
  all.push_back({"softmax_temperature", "above 0", "softmax: in units of value",
                 [](Settings& s, Text v) { return set_between(v, above_zero, unbounded, s.softmax_temperature); },
                 [](const Settings& s) { return fmt::to_string(s.softmax_temperature); }});
  all.push_back({"update_within_episode", "on, off", "steps of the running episode enter world-model prompts at once",
                 [](Settings& s, Text v) { return parse_switch(v, s.update_within_episode); },
                 [](const Settings& s) { return fmt::to_string(s.update_within_episode); }});
}

void add_prompt_settings(std::vector<Setting>& all) {
  all.push_back({"examples", "balanced, append_only, alike",
                 "example selection: drawn anew for every question, kept, or those most like the question",
                 [](Settings& s, Text v) { return set_name(v, example_names, s.examples); },
                 [](const Settings& s) { return name_of(s.examples, example_names); }});
  all.push_back({"context_tokens", "whole numbers from 1", "most tokens of a prompt",
                 [](Settings& s, Text v) { return set_count(v, std::size_t{1}, s.context_tokens); },
                 [](const Settings& s) { return fmt::to_string(s.context_tokens); }});
  all.push_back({"recency", "whole numbers from 1", "policy prompts show the last so many trajectories",
                 [](Settings& s, Text v) { return set_count(v, std::size_t{1}, s.recency); },
                 [](const Settings& s) { return fmt::to_string(s.recency); }});
  all.push_back({"return_threshold", "a number, or none", "policy prompts show only trajectories with a higher return",
                 [](Settings& s, Text v) { return set_optional(v, -unbounded, s.return_threshold); },
                 [](const Settings& s) { return show(s.return_threshold); }});
  all.push_back({"balance", "on, off", "repeat examples of the smaller classes",
                 [](Settings& s, Text v) { return parse_switch(v, s.balance); },
                 [](const Settings& s) { return fmt::to_string(s.balance); }});
  all.push_back({"balance_chance", "on, off", "append_only: balance also what chance decides",
                 [](Settings& s, Text v) { return parse_switch(v, s.balance_chance); },
                 [](const Settings& s) { return fmt::to_string(s.balance_chance); }});
  all.push_back({"constraints", "on, off", "examples of the same action and termination only",
                 [](Settings& s, Text v) { return parse_switch(v, s.constraints); },
                 [](const Settings& s) { return fmt::to_string(s.constraints); }});
  all.push_back({"transition_questions", "separate, whole",
                 "termination, reward and next observation by a question each, or by one",
                 [](Settings& s, Text v) { return set_name(v, transition_names, s.transition_questions); },
                 [](const Settings& s) { return name_of(s.transition_questions, transition_names); }});
  all.push_back({"rebuild_fraction", "above 0, below 1", "append_only: part of the room that a rebuilt prompt fills",
                 [](Settings& s, Text v) { return set_between(v, above_zero, below_one, s.rebuild_fraction); },
                 [](const Settings& s) { return fmt::to_string(s.rebuild_fraction); }});
  all.push_back({"bootstrap_examples", "on, off",
                 "append_only: every episode draws its examples anew (posterior sampling)",
                 [](Settings& s, Text v) { return parse_switch(v, s.bootstrap); },
                 [](const Settings& s) { return fmt::to_string(s.bootstrap); }});
  all.push_back({"prompt_growth", "0 or more", "append_only: by which part experience grows before prompts take it in",
                 [](Settings& s, Text v) { return set_between(v, 0, unbounded, s.growth); },
                 [](const Settings& s) { return fmt::to_string(s.growth); }});
  all.push_back({"policy_prompts", "whole numbers from 1",
                 "append_only, alike: policy prompts drawn per episode, used in turn",
                 [](Settings& s, Text v) { return set_count(v, std::size_t{1}, s.policy_prompts); },
                 [](const Settings& s) { return fmt::to_string(s.policy_prompts); }});
  all.push_back({"alike_count", "1 to 1000", "alike: examples of a question",
                 [](Settings& s, Text v) { return set_count(v, std::size_t{1}, s.alike_count, std::size_t{1000}); },
                 [](const Settings& s) { return fmt::to_string(s.alike_count); }});
  all.push_back({"stem_tokens", "whole numbers from 0", "alike: tokens of kept examples before them; 0: none",
                 [](Settings& s, Text v) { return set_count(v, std::size_t{0}, s.stem_tokens); },
                 [](const Settings& s) { return fmt::to_string(s.stem_tokens); }});
}

void add_query_settings(std::vector<Setting>& all) {
  all.push_back(
      {"temperature", "0 or more, or unset", "of sampling; unset: as the model likes",
       [](Settings& s, Text v) { return set_optional(v, 0.0, s.queries.sampling.temperature, "unset", unbounded); },
       [](const Settings& s) { return show(s.queries.sampling.temperature, "unset"); }});
  all.push_back({"policy_temperature", "0 or more, or none", "of action queries; none: as all others",
                 [](Settings& s, Text v) { return set_optional(v, 0.0, s.queries.policy_temperature); },
                 [](const Settings& s) { return show(s.queries.policy_temperature); }});
  all.push_back(
      {"top_p", "above 0, at most 1, or unset", "of sampling; unset: as the model likes",
       [](Settings& s, Text v) { return set_optional(v, above_zero, s.queries.sampling.top_p, "unset", 1.0); },
       [](const Settings& s) { return show(s.queries.sampling.top_p, "unset"); }});
  all.push_back({"max_tokens", "whole numbers from 1, or unset", "of a completion; unset: as the model likes",
                 [](Settings& s, Text v) { return set_optional(v, 1, s.queries.sampling.max_tokens, "unset"); },
                 [](const Settings& s) { return show(s.queries.sampling.max_tokens, "unset"); }});
  all.push_back({"deduplicate", "on, off", "append_only, alike: put identical queries once",
                 [](Settings& s, Text v) { return parse_switch(v, s.queries.deduplicate); },
                 [](const Settings& s) { return fmt::to_string(s.queries.deduplicate); }});
  all.push_back({"restrict_answers", "on, off", "only known terminations, actions and rewards as answers",
                 [](Settings& s, Text v) { return parse_switch(v, s.queries.restrict_answers); },
                 [](const Settings& s) { return fmt::to_string(s.queries.restrict_answers); }});
  all.push_back({"prime_prefixes", "on, off", "send one request of a new prefix ahead of the others",
                 [](Settings& s, Text v) { return parse_switch(v, s.queries.prime_prefixes); },
                 [](const Settings& s) { return fmt::to_string(s.queries.prime_prefixes); }});
  all.push_back({"threads", "1 to 1024", "that write prompts",
                 [](Settings& s, Text v) { return set_count(v, std::size_t{1}, s.queries.threads, std::size_t{1024}); },
                 [](const Settings& s) { return fmt::to_string(s.queries.threads); }});
  all.push_back({"timeout_ms", "whole numbers from 0", "of one request; 0: the model's own",
                 [](Settings& s, Text v) {
                   std::int64_t parsed = 0;
                   if (!set_count(v, std::int64_t{0}, parsed)) return false;
                   s.queries.timeout = std::chrono::milliseconds(parsed);
                   return true;
                 },
                 [](const Settings& s) { return fmt::to_string(s.queries.timeout.count()); }});
}

}  // namespace

const std::vector<Setting>& settings() {
  static const std::vector<Setting> all = [] {
    std::vector<Setting> made;
    add_value_settings(made);
    add_exploration_settings(made);
    add_prompt_settings(made);
    add_query_settings(made);
    return made;
  }();
  return all;
}

const std::vector<FormerSetting>& former_settings() {
  static const std::vector<FormerSetting> all{
      {"rule", "values", [](Settings& s, Text v) { return set_name(v, former_value_names, s.values); }},
      {"novelty_bonus", "untried_bonus",
       [](Settings& s, Text v) { return set_between(v, -unbounded, unbounded, s.untried_bonus); }},
      {"online", "update_within_episode", [](Settings& s, Text v) { return parse_switch(v, s.update_within_episode); }},
      {"mode", "examples", [](Settings& s, Text v) { return set_name(v, former_example_names, s.examples); }},
      {"success_threshold", "return_threshold",
       [](Settings& s, Text v) { return set_optional(v, -unbounded, s.return_threshold); }}};
  return all;
}

std::string_view apply_setting(std::string_view assignment, AgentSettings& settings) {
  const auto equals = assignment.find('=');
  const auto name = assignment.substr(0, equals);
  if (equals == std::string_view::npos)
    throw InvalidArgument(fmt::format("--set '{}': expected name=value", assignment));
  const auto value = assignment.substr(equals + 1);
  const auto refuse = [&](std::string_view allowed) {
    throw InvalidArgument(fmt::format("--set {}: '{}' is not allowed; allowed: {}", name, value, allowed));
  };
  std::vector<std::string_view> known;
  for (const Setting& each : program::settings()) {
    known.push_back(each.name);
    if (each.name != name) continue;
    if (!each.set(settings, value)) refuse(each.allowed);
    return each.name;
  }
  for (const FormerSetting& each : former_settings()) {
    if (each.name != name) continue;
    if (!each.set(settings, value)) refuse(fmt::format("what it once was; it is now called {}", each.now));
    return each.now;
  }
  throw InvalidArgument(fmt::format("--set: unknown option '{}': choose one of {}", name, fmt::join(known, ", ")));
}

}  // namespace icpi::program
