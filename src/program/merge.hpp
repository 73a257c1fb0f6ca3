// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace icpi::program {

/// `icpi merge`.
struct MergeArguments {
  std::vector<std::string> runs;  ///< folders of runs, and of sweeps
  std::string out;
  bool partial = false;  ///< join what is complete, and leave out the rest
};

/// Joins runs into one: episodes.jsonl, run.json, costs.csv and, where there are some, recording.jsonl, in a new or empty
/// folder or in that of an earlier merge, whose files are replaced. The same runs give the same bytes; a run that comes
/// twice counts once. Memory does not grow with the records. Throws InvalidArgument, before anything is written, naming
/// the runs that are not of one version, that have other options or other records of the same seed, or that are not
/// complete.
void merge(const MergeArguments& arguments, std::ostream& out);

}  // namespace icpi::program
