// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace icpi::program {

/// `icpi sweep`.
struct SweepArguments {
  std::string plan;
  std::string out;
  std::string jobs;   ///< tasks at a time on this machine; empty: 1
  std::string tasks;  ///< only these, as "3,7-9"; empty: all that are not done
  bool slurm = false;
  std::vector<std::string> slurm_options;  ///< "NAME=VALUE", for sbatch; they come before those of the plan
  bool no_submit = false;                  ///< write the script of Slurm's array, and do not hand it to sbatch
  bool dry_run = false;
};

/// `icpi sweep status`, and `icpi sweep task`.
struct SweepTaskArguments {
  std::string folder;
  std::string task;  ///< its number
};

// The commands. They throw as those of commands.hpp.

/// Plays what is not done of a plan's tasks, here or by Slurm; with `dry_run` says how, and writes nothing. Throws Error
/// when tasks failed.
void sweep(const SweepArguments& arguments, std::ostream& out);
/// How every task stands, and how to run those again that are not done.
void sweep_status(const SweepTaskArguments& arguments, std::ostream& out);
/// Plays one task in this process.
void sweep_task(const SweepTaskArguments& arguments, std::ostream& out);

/// The file of this program, to be started again. Throws Error where it cannot be found out.
std::string own_program();

}  // namespace icpi::program
