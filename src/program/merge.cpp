// SPDX-License-Identifier: MIT
#include "merge.hpp"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <filesystem>
#include <fstream>
#include <list>
#include <ostream>
#include <string_view>
#include <system_error>

#include "icpi/core/error.hpp"
#include "icpi/core/json_line.hpp"
#include "joined_runs.hpp"
#include "merge_sources.hpp"
#include "printable.hpp"
#include "run_directory.hpp"

namespace icpi::program {

namespace {

/// Lists what was joined, and tells the folder of a merge from those of runs.
constexpr std::string_view merge_file = "merge.json";

/// Throws InvalidArgument unless the folder is new, empty or that of an earlier merge, and none of the runs.
void check_merge_folder(const MergeArguments& arguments) {
  const std::filesystem::path folder = arguments.out;
  for (const std::string& run : arguments.runs)
    if (std::filesystem::weakly_canonical(std::filesystem::absolute(run)) ==
        std::filesystem::weakly_canonical(std::filesystem::absolute(folder)))
      throw InvalidArgument(fmt::format("--out '{}' is one of the runs; allowed: another folder", arguments.out));
  const std::filesystem::path begun =
      folder / fmt::format("{}{}", merge_file, FreshFile::suffix);  // by a merge that died at once
  if (!std::filesystem::exists(folder / merge_file) && !std::filesystem::exists(begun)) check_run_directory(folder);
}

/// Files of the folder that take their places together.
class FreshFiles {
 public:
  explicit FreshFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// A new one, to be written.
  [[nodiscard]] OutputFile& file(std::string_view name) { return files_.emplace_back(folder_ / name).text(); }

  /// Throws Error.
  void take_places() {
    for (FreshFile& file : files_) file.text().flush();
    for (FreshFile& file : files_) file.take_place();
  }

 private:
  std::filesystem::path folder_;
  std::list<FreshFile> files_;
};

/// Adds the whole lines of a recording.
void append_recording(const std::filesystem::path& recording, OutputFile& to) {
  std::ifstream in(recording, std::ios::binary);
  if (!in) throw Error(fmt::format("cannot read {}", recording.string()));
  for (std::string line; std::getline(in, line) && !in.eof();) to.write(line + '\n');
}

/// Joins the recordings that there are. False: there is none.
bool join_recordings(const std::vector<MergeSource>& sources, FreshFiles& files) {
  OutputFile* joined = nullptr;
  for (const MergeSource& source : sources) {
    if (!std::filesystem::exists(source.recording)) continue;
    if (joined == nullptr) joined = &files.file(recording_file);
    append_recording(source.recording, *joined);
  }
  return joined != nullptr;
}

std::string describe_merge(const std::vector<MergeSource>& sources) {
  JsonLine line;
  line.add_list("runs", sources,
                [](const MergeSource& source, std::string& out) { append_json_string(source.run.string(), out); });
  return line.str() + '\n';
}

}  // namespace

void merge(const MergeArguments& arguments, std::ostream& out) {
  constexpr std::size_t most_named = 10;
  if (arguments.out.empty()) throw InvalidArgument("--out is missing: name a new or empty folder for the joined run");
  check_merge_folder(arguments);
  std::vector<std::string> missing;
  JoinedRuns joined;
  for (const MergeSource& source : find_sources(arguments.runs, missing)) joined.add(source, missing);
  if (!missing.empty() && !arguments.partial)
    throw InvalidArgument(fmt::format("not complete: {}{}; --partial joins what is", missing.front(),
                                      missing.size() > 1 ? fmt::format(", and {} more", missing.size() - 1) : ""));
  if (joined.empty()) throw InvalidArgument("no seed is complete: there is nothing to join");

  const std::filesystem::path folder = arguments.out;
  std::filesystem::create_directories(folder);
  const std::vector<MergeSource> sources = joined.contributors();
  write_file(folder / merge_file, describe_merge(sources));
  FreshFiles files(folder);
  joined.write_episodes(files.file("episodes.jsonl"));
  const bool recorded = join_recordings(sources, files);
  files.file("costs.csv").write(joined.costs_csv());
  files.file("run.json").write(joined.description());
  files.take_places();
  if (!recorded) std::filesystem::remove(folder / recording_file);  // of an earlier merge
  for (std::size_t i = 0; i < missing.size() && i < most_named; ++i)
    fmt::print(out, "left out: {}\n", printable_line(missing[i]));
  if (missing.size() > most_named) fmt::print(out, "left out: {} more\n", missing.size() - most_named);
  fmt::print(out, "joined {} runs\n", sources.size());
}

}  // namespace icpi::program
