// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "sweep_folder.hpp"

namespace icpi::program {

/// A job array that plays tasks of a sweep.
struct SlurmArray {
  std::string file;    ///< where its script belongs
  std::string script;  ///< for sbatch
};

/// The arrays of these tasks: one for every thousand task numbers, since clusters limit the numbers in an array. `options`:
/// of sbatch, as check_slurm_option() allows. Throws InvalidArgument when the sweep's folder has a name that no script can
/// hold.
std::vector<SlurmArray> slurm_arrays(const SweepFolder& sweep, const std::vector<std::size_t>& tasks,
                                     const std::vector<std::string>& options);

/// Writes the script into the sweep's folder. Throws Error.
void write_array(const SlurmArray& array);

/// Hands the written script to sbatch; returns what that said. Throws Error with the reason when it fails.
std::string submit_array(const SlurmArray& array);

/// What Slurm says of a task: its own word, as PENDING, RUNNING, NODE_FAIL.
struct SlurmState {
  std::string state;

  [[nodiscard]] bool waiting() const;  ///< in the queue
  [[nodiscard]] bool running() const;  ///< on a node, or on its way from one
};

/// What Slurm knows of the sweep's tasks, by their numbers; nothing where there is no squeue that answers.
std::map<std::size_t, SlurmState> slurm_states(const SweepFolder& sweep);

/// The word as a shell takes it, in quotes where it needs them.
std::string shell_word(const std::string& word);

}  // namespace icpi::program
