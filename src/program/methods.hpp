// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/policy/options.hpp"

namespace icpi::program {

/// The kinds of agents that the program knows.
enum class AgentKind : std::uint8_t { icpi, no_argmax, tabular_q, matching_model, random, optimal };

/// A name of the command line and what it means.
struct AgentName {
  AgentKind kind;
  std::string_view name;
  std::string_view meaning;
};

/// Every agent, in the order of the documentation.
const std::vector<AgentName>& agent_names();

/// Throws InvalidArgument with the known names.
AgentKind parse_agent(std::string_view name);

/// Whether the agent asks a language model.
constexpr bool asks_model(AgentKind kind) noexcept { return kind == AgentKind::icpi || kind == AgentKind::no_argmax; }

/// An agent with everything that changes what it does, model aside. `options` still lacks what depends on the domain:
/// see method_for().
struct Method {
  std::string label;  ///< as written into records: "icpi", "icpi-no-hints", "tabular-q-bootstrap", ...
  AgentKind kind = AgentKind::icpi;
  bool hints = true;
  bool bootstrap_past_terminal = false;  ///< tabular-q
  bool sets_step_limit = false;          ///< `options` has it; otherwise it is the domain's
  PolicyIterationOptions options{};
};

/// An option of PolicyIteration that `--set name=value` reaches.
struct Setting {
  std::string_view name;
  std::string_view allowed;  ///< a sentence fragment: "0 or more"
  std::string_view meaning;
  bool (*set)(PolicyIterationOptions& options, std::string_view value);  ///< false: not allowed
  std::string (*get)(const PolicyIterationOptions& options);
};

/// Every option, in the order of the documentation.
const std::vector<Setting>& settings();

/// Carries out "name=value". Throws InvalidArgument naming the value and what is allowed.
void apply_setting(std::string_view assignment, Method& method);

/// "paper": the defaults. "best": the recommended set, one for all domains. Throws InvalidArgument for other names.
PolicyIterationOptions named_options(std::string_view name);

/// The methods of the paper's first figure, with the options given.
std::vector<Method> figure_methods(const PolicyIterationOptions& options);

/// The paper's ablations of `icpi`.
std::vector<Method> ablation_methods(const PolicyIterationOptions& options);

}  // namespace icpi::program
