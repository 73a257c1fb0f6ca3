// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/experiment/seed_groups.hpp"
#include "words.hpp"

namespace icpi::program {

constexpr std::size_t most_tasks = 1'000'000;  ///< of a sweep

/// Options of `icpi train` that a table of a plan names: a method, an environment, a model.
struct PlanEntry {
  std::uint32_t line = 0;         ///< of the plan where it stands; 0: nowhere
  std::string name;               ///< part of folders; empty: not given
  Words words;                    ///< "--steps=80", ...
  std::set<std::string> options;  ///< "steps", ...
};

/// What a plan says, as it stands there: nothing but its form is checked.
struct PlanFile {
  SeedRange seeds;
  std::size_t seeds_per_task = 1;
  bool record = false;
  std::vector<std::string> slurm;  ///< options of sbatch: "time=1:00:00", "exclusive"
  PlanEntry common;                ///< of every task
  std::vector<PlanEntry> environments;
  std::vector<PlanEntry> models;
  std::vector<PlanEntry> methods;
};

/// Reads a plan, a file in TOML (docs/sweeps.md). Throws InvalidArgument naming file and line.
PlanFile read_plan_file(const std::string& file);

/// A folder's name that says as much of the text as it can.
std::string folder_name(std::string_view text);

/// Throws InvalidArgument unless `option`, "NAME=VALUE" or "NAME", may be passed to sbatch.
void check_slurm_option(const std::string& option);

}  // namespace icpi::program
