// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "domain_program.hpp"
#include "icpi/process/options.hpp"

namespace icpi::program {

/// An environment in another process, as the command line names it.
struct EnvironmentChoice {
  std::string name;                  ///< "gym:FrozenLake-v1", "process: COMMAND", ...; empty: none
  std::vector<std::string> args;     ///< "NAME=VALUE", for the server
  std::string step_limit;            ///< empty: the environment's own, else 100
  std::string start_timeout = "60";  ///< seconds that the first answer may take
  std::string timeout = "10";        ///< seconds that every other answer may take
  std::string window = "1";          ///< observations that are seen as one
};

/// Whether the text begins with the name of a kind, as "gym:FrozenLake-v1" does.
bool names_kind(std::string_view name);

/// Whether it is the command of `process:`.
bool is_command(std::string_view name);

/// How the server of that environment is started: python3, or what ICPI_PYTHON names, with a server of icpi's own; or
/// the command of `process:`. Throws InvalidArgument with the known kinds, and for other choices that make no sense.
ProcessOptions process_options(const EnvironmentChoice& choice);

/// Starts the environment to see what it is, and says once when its episodes get a step limit that it does not have.
/// Throws as ProcessEnvironment.
std::unique_ptr<DomainProgram> environment_program(const EnvironmentChoice& choice);

}  // namespace icpi::program
