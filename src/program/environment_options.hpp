// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>

#include "commands.hpp"

namespace icpi::program {

/// Adds what is said of an environment in another process beside its name.
void add_environment(CLI::App& command, EnvironmentChoice& environment);

// The commands of these names.
void add_check_env(CLI::App& app, CheckEnvArguments& arguments);
void add_evaluate(CLI::App& app, EvaluateArguments& arguments);

}  // namespace icpi::program
