// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>

#include "commands.hpp"

namespace icpi::program {

/// Adds the options that say how an agent behaves; `with_agent`: and which it is.
void add_method_options(CLI::App& command, MethodArguments& method, bool with_agent);

/// Adds --batch-pause.
void add_batch_pause(CLI::App& command, BatchChoice& batch);

/// Adds `icpi show`.
void add_show(CLI::App& app, ShowArguments& arguments);

/// Adds `icpi ask`.
void add_ask(CLI::App& app, AskArguments& arguments);

/// Adds `icpi assess`.
void add_assess(CLI::App& app, AssessArguments& arguments);

}  // namespace icpi::program
