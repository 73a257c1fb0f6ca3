// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "words.hpp"

namespace icpi::program {

/// Adds how a run is kept, and how it goes on.
void add_recovery_options(CLI::App& command, RecoveryArguments& recovery);

/// The command `train`.
void add_train(CLI::App& app, TrainArguments& arguments);

/// What the words of a command `train` ask for, that first word included. Throws InvalidArgument naming what was not
/// understood.
TrainArguments parse_train(const Words& words);

}  // namespace icpi::program
