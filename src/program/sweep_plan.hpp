// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "words.hpp"

namespace icpi::program {

/// One task of a sweep: a run of `icpi train` that needs nothing of the others.
struct SweepTask {
  std::string name;  ///< its folder below that of all tasks: "chain/icpi/induction/seed-3"; follows from the plan alone
  Words words;       ///< the command `train` with all its options, folders aside

  friend bool operator==(const SweepTask&, const SweepTask&) = default;
};

/// What a sweep is: methods x environments x models x seeds.
struct SweepPlan {
  std::vector<SweepTask> tasks;    ///< by environment, model, method and seeds, in the order of the plan
  bool record = false;             ///< whether every task writes down its requests and answers
  std::vector<std::string> slurm;  ///< options of sbatch: "time=1:00:00", "exclusive"
};

/// Reads a plan, a file in TOML (docs/sweeps.md). Every combination is checked as `icpi train` checks its arguments;
/// environments of others are started for that, servers of models are not asked. Throws InvalidArgument naming file, line
/// and what is wrong with it.
SweepPlan read_plan(const std::string& file);

}  // namespace icpi::program
