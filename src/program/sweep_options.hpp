// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>
#include <iosfwd>

#include "merge.hpp"
#include "sweep.hpp"

namespace icpi::program {

/// `icpi sweep` with its own commands, and `icpi merge`.
struct SweepCommands {
  SweepArguments sweep;
  SweepTaskArguments task;
  MergeArguments merge;
};

/// Adds them.
void add_sweep(CLI::App& app, SweepCommands& commands);

/// Carries out the one that was given, if any.
void run_sweep(const CLI::App& app, const SweepCommands& commands, std::ostream& out);

}  // namespace icpi::program
