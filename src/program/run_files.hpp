// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "domain_program.hpp"
#include "icpi/experiment/episode_record.hpp"
#include "progress.hpp"
#include "run_directory.hpp"

namespace icpi::program {

/// One method in one domain, with one kind of model.
struct PlannedRun {
  const DomainProgram* domain = nullptr;
  RunRequest request;
};

/// What all runs of a command came to.
struct RunOutcome {
  std::vector<EpisodeRecord> records;
  Costs costs;
};

/// What run.json says: the command's settings, and the horizon of every domain.
std::string describe_runs(const std::vector<PlannedRun>& runs);

/// The horizon of every domain in a run.json. Throws InvalidArgument.
std::map<std::string, std::size_t> read_horizons(const std::filesystem::path& folder);

/// The records of a folder's episodes.jsonl. Throws InvalidArgument naming file and line.
std::vector<EpisodeRecord> read_records(const std::filesystem::path& folder);

/// Plays all runs one after the other and writes run.json and episodes.jsonl into `folder`, which exists.
RunOutcome play_runs(const std::vector<PlannedRun>& runs, const std::filesystem::path& folder);

/// The horizons of planned runs.
std::map<std::string, std::size_t> horizons_of(const std::vector<PlannedRun>& runs);

}  // namespace icpi::program
