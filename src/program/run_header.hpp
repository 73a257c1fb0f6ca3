// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent_settings.hpp"
#include "icpi/core/json.hpp"
#include "icpi/experiment/record_log.hpp"
#include "run_files.hpp"

namespace icpi::program {

/// A log's first line: the command, and what it meant.
std::string run_header(const std::vector<std::string>& words, const std::vector<PlannedRun>& runs);

/// The command that began a log. One of a version whose defaults were others names its options.
std::vector<std::string> recorded_command(const RecordLog& log);

/// The settings of the first run that a log is of. Throws InvalidArgument for the log of something else.
AgentSettings recorded_settings(const RecordLog& log);

/// The identity of the model that a log's first run asks; empty: none, or none was begun.
std::string recorded_model(const RecordLog& log);

/// Something that is not the same in two descriptions of runs.
struct RunDifference {
  std::string what;  ///< "steps", "temperature", ...
  std::string then;  ///< as people write it
  std::string now;
};

/// The first thing in which two descriptions of runs, or of lists of them, differ: see describe_runs(). Settings of
/// earlier versions count by what they are called now.
std::optional<RunDifference> first_difference(const Json& then, const Json& now);

/// Throws InvalidArgument naming the first thing in which the runs of a log's first line differ from those of `now`.
/// Settings of earlier versions count by what they are called now. `asked_by`: for the message, what compares them.
void check_same_runs(std::string_view asked_by, const std::string& then, const std::string& now);

}  // namespace icpi::program
