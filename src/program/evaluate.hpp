// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>

#include "commands.hpp"
#include "run_files.hpp"

namespace icpi::program {

/// Plays the run again from the log that `arguments.recovery` has, then the episodes of `arguments.evaluation`, and
/// writes what came of them.
void evaluate(PlannedRun run, const TrainArguments& arguments, std::ostream& out);

}  // namespace icpi::program
