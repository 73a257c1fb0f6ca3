// SPDX-License-Identifier: MIT
#include "sweep_options.hpp"

#include "icpi/core/error.hpp"

namespace icpi::program {

void add_sweep(CLI::App& app, SweepCommands& commands) {
  auto& sweep = *app.add_subcommand("sweep", "methods, environments, seeds and models of a plan, as independent tasks");
  sweep.require_subcommand(0, 1);
  SweepArguments& arguments = commands.sweep;
  sweep.add_option("plan", arguments.plan, "a file in TOML: see docs/sweeps.md");
  sweep.add_option("--out", arguments.out, "a new or empty folder, or that of this sweep, to go on with it");
  sweep.add_option("--jobs", arguments.jobs, "tasks at a time, each a process (default 1)");
  sweep.add_option("--tasks", arguments.tasks, "only these, as 3,7-9 (default: all that are not done)");
  sweep.add_flag("--slurm", arguments.slurm, "submit the tasks as a job array in place of playing them here");
  sweep.add_option("--slurm-option", arguments.slurm_options, "NAME=VALUE, for sbatch; may be repeated")
      ->allow_extra_args(false);
  sweep.add_flag("--no-submit", arguments.no_submit,
                 "with --slurm: write the script, and leave it to you to submit it");
  sweep.add_flag("--dry-run", arguments.dry_run, "print the tasks, or Slurm's script, and write nothing");

  auto& status = *sweep.add_subcommand("status", "how every task stands, why some failed, and how to run those again");
  status.add_option("folder", commands.task.folder, "of the sweep")->required();
  auto& task = *sweep.add_subcommand("task", "play one task here; a job array does this");
  task.add_option("folder", commands.task.folder, "of the sweep")->required();
  task.add_option("task", commands.task.task, "its number")->required();

  auto& merge = *app.add_subcommand("merge", "join runs, or the tasks of sweeps, into one run");
  merge.add_option("runs", commands.merge.runs, "folders of runs and of sweeps")->required();
  merge.add_option("--out", commands.merge.out, "a new or empty folder, or that of an earlier merge");
  merge.add_flag("--partial", commands.merge.partial, "join what is complete, and say what is left out");
}

void run_sweep(const CLI::App& app, const SweepCommands& commands, std::ostream& out) {
  if (app.got_subcommand("merge")) merge(commands.merge, out);
  if (!app.got_subcommand("sweep")) return;
  const CLI::App& command = *app.get_subcommand("sweep");
  if (command.got_subcommand("status")) return sweep_status(commands.task, out);
  if (command.got_subcommand("task")) return sweep_task(commands.task, out);
  if (commands.sweep.plan.empty()) throw InvalidArgument("sweep: the plan is missing: icpi sweep PLAN.toml --out DIR");
  if (command.count("--tasks") > 0 && commands.sweep.tasks.empty())
    throw InvalidArgument("--tasks names none; expected numbers and ranges, as 3,7-9");
  sweep(commands.sweep, out);
}

}  // namespace icpi::program
