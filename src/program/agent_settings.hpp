// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/policy/options.hpp"

namespace icpi::program {

/// Which strategies an agent is made of; the order is that of their names in agent_settings.cpp.
enum class ValueChoice : std::uint8_t { mean_of_rollouts, planning, policy_alone };
enum class ExampleChoiceName : std::uint8_t { balanced, append_only, alike };
enum class SelectionChoice : std::uint8_t { greedy, softmax };

/// PolicyIterationOptions as `--set` reaches them: every parameter has its name and its place, whichever strategies are
/// chosen, so that settings may come in any order. Initial values: the paper's.
struct AgentSettings {
  ValueChoice values = ValueChoice::mean_of_rollouts;
  RolloutOptions rollouts{};  ///< step_limit and attempts count for all value estimators
  std::size_t node_limit = 600;
  int outcomes = 1;
  bool recall = false;

  bool warms_up = true;
  WarmUp warm_up{};
  double untried_bonus = 0;  ///< 0: UntriedFirst is not used
  double random_rate = 0;    ///< 0: RandomRate is not used
  bool hopes = false;        ///< Optimism is used
  Optimism optimism{};
  bool bound_stated = true;  ///< the reward bound is what the environment states, if it does
  SelectionChoice selection = SelectionChoice::greedy;
  double softmax_temperature = 1;
  bool update_within_episode = false;

  ExampleChoiceName examples = ExampleChoiceName::balanced;
  bool balance = true;
  bool balance_chance = true;
  bool bootstrap = false;
  double growth = 0;
  double rebuild_fraction = 0.5;
  std::size_t policy_prompts = 4;
  std::size_t alike_count = 6;
  std::size_t stem_tokens = 0;
  std::size_t context_tokens = 3800;
  bool constraints = true;
  TransitionQuestions transition_questions = TransitionQuestions::separate;
  std::size_t recency = 8;
  std::optional<double> return_threshold;  ///< not set: policy prompts show the last trajectories, whatever they gained

  QueryOptions queries{.sampling = {.temperature = 0.1, .top_p = 1, .max_tokens = 200}};

  /// What they mean to the library.
  [[nodiscard]] PolicyIterationOptions options() const;
};

/// The recommended set: PolicyIterationOptions{}.
AgentSettings recommended_settings();

/// "recommended", its alias "best", or "paper". Throws InvalidArgument for other names.
AgentSettings named_settings(std::string_view name);

/// A parameter that `--set name=value` reaches.
struct Setting {
  std::string_view name;
  std::string_view allowed;  ///< a sentence fragment: "0 or more"
  std::string_view meaning;
  bool (*set)(AgentSettings& settings, std::string_view value);  ///< false: not allowed
  std::string (*get)(const AgentSettings& settings);
};

/// Every parameter, in the order of the documentation.
const std::vector<Setting>& settings();

/// A name that `--set` understands for one more version, and what it is called now.
struct FormerSetting {
  std::string_view name;
  std::string_view now;  ///< the setting that took its place
  bool (*set)(AgentSettings& settings, std::string_view value);
};

/// Names of earlier versions.
const std::vector<FormerSetting>& former_settings();

/// Carries out "name=value"; returns the name as it is called now. Throws InvalidArgument naming the value and what is
/// allowed.
std::string_view apply_setting(std::string_view assignment, AgentSettings& settings);

}  // namespace icpi::program
