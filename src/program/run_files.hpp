// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "domain_program.hpp"
#include "icpi/experiment/episode_record.hpp"
#include "icpi/experiment/record_log.hpp"
#include "progress.hpp"
#include "run_directory.hpp"

namespace icpi::program {

/// One method in one domain, with one kind of model.
struct PlannedRun {
  const DomainProgram* domain = nullptr;
  RunRequest request;
  TokenPrices prices{};  ///< of its model
};

/// How a command keeps what it does, and goes on after it was stopped.
struct RecoveryArguments {
  std::string resume;  ///< the folder of the run to continue; empty: a new run
  std::string durability = "process";
  std::string on_environment_error = "stop";
  std::vector<std::string> words;     ///< the whole command, as it was given
  std::shared_ptr<RecordLog> log;     ///< of the run to continue
  std::string asked_by = "--resume";  ///< for messages: what plays a run again
};

/// Opens the log of the run in a folder to go on with it. Throws InvalidArgument.
std::shared_ptr<RecordLog> open_log(const std::filesystem::path& folder);

/// What all runs of a command came to.
struct RunOutcome {
  std::vector<EpisodeRecord> records;
  Costs costs;
};

/// What run.json says: the command's settings, and the horizon of every domain.
std::string describe_runs(const std::vector<PlannedRun>& runs);

/// The horizon of every domain in a run.json. Throws InvalidArgument.
std::map<std::string, std::size_t> read_horizons(const std::filesystem::path& folder);

/// What is known about the runs in a folder.
struct ReadRun {
  std::vector<EpisodeRecord> records;  ///< of seeds that are complete
  std::vector<std::string> missing;    ///< what is not there, in words; empty: nothing
};

/// Reads a folder's run.json and episodes.jsonl. Throws InvalidArgument naming file and line. Seeds that are not
/// complete are left out, and so is a last line that is not whole.
ReadRun read_run(const std::filesystem::path& folder);

/// Throws InvalidArgument unless the words make sense and, where a run is to be continued, it is one of these runs.
void check_recovery(const RecoveryArguments& recovery, const std::vector<PlannedRun>& runs);

/// Plays all runs one after the other and writes log, run.json and episodes.jsonl into `folder`, which exists. Throws
/// Interrupted when a signal came, and Error when something fails; both say how to go on.
RunOutcome play_runs(std::vector<PlannedRun> runs, const std::filesystem::path& folder,
                     const RecoveryArguments& recovery);

/// The horizons of planned runs.
std::map<std::string, std::size_t> horizons_of(const std::vector<PlannedRun>& runs);

}  // namespace icpi::program
