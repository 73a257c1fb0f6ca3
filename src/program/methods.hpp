// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent_settings.hpp"

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

/// An agent with everything that changes what it does, model aside. `settings` still lack what depends on the domain:
/// see method_for().
struct Method {
  std::string label;  ///< as written into records: "icpi", "icpi-no-hints", "tabular-q-bootstrap", ...
  AgentKind kind = AgentKind::icpi;
  bool hints = true;
  bool bootstrap_past_terminal = false;  ///< tabular-q
  bool sets_step_limit = false;          ///< `settings` have it; otherwise it is the domain's
  AgentSettings settings{};
  std::string task{};           ///< PromptOptions::task
  bool describes_task = false;  ///< it is what the environment says, which method_for() does not know
};

/// The methods of the paper's first figure, with the settings given.
std::vector<Method> figure_methods(const AgentSettings& settings);

/// The paper's ablations of `icpi`.
std::vector<Method> ablation_methods(const AgentSettings& settings);

/// Those of these labels, in the order of the figures; all of them if there are no labels. Throws InvalidArgument for
/// unknown labels.
std::vector<Method> chosen_methods(const AgentSettings& settings, const std::vector<std::string>& labels);

}  // namespace icpi::program
