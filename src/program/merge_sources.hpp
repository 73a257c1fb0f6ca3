// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/core/json.hpp"
#include "icpi/experiment/seed_groups.hpp"

namespace icpi::program {

constexpr std::string_view recording_file = "recording.jsonl";  ///< in the folder of a run

/// A run to be joined with others.
struct MergeSource {
  std::filesystem::path run;        ///< with run.json and episodes.jsonl
  std::filesystem::path recording;  ///< may be missing
};

/// The runs that these folders are, or hold if they are sweeps, in order, each once. What is not there is said in
/// `missing`. Throws InvalidArgument for folders that are neither.
std::vector<MergeSource> find_sources(const std::vector<std::string>& folders, std::vector<std::string>& missing);

/// One of the runs that a run.json lists.
struct ListedRun {
  std::string domain;
  std::string agent;
  SeedRange seeds;
  std::uint64_t steps = 0;
  std::uint64_t environments = 1;
  std::string text;  ///< as it stands there
};

/// What a run.json says.
struct RunDescription {
  std::string version;  ///< of icpi
  std::map<std::string, std::size_t> horizons;
  std::vector<ListedRun> runs;
};

/// Reads it. Throws InvalidArgument naming the file.
RunDescription read_description(const std::filesystem::path& run);

/// `text`, one of RunDescription's, with other seeds.
std::string with_seeds(const std::string& text, SeedRange seeds);

/// What episodes came to, summed.
struct EpisodeCosts {
  static constexpr std::array names{"lm_calls", "prompt_tokens", "computed_tokens", "completion_tokens",
                                    "invalid",  "failures",      "over_budget",     "cancelled"};
  std::uint64_t episodes = 0;
  std::array<std::uint64_t, names.size()> sums{};  ///< of the fields of these names

  EpisodeCosts& operator+=(const EpisodeCosts& other);
};

/// Whose records they are.
struct RecordsKey {
  std::string domain;
  std::string agent;
  std::string model;

  friend auto operator<=>(const RecordsKey&, const RecordsKey&) = default;
};

/// The records of one seed, which stand together in a file.
struct SeedRecords {
  RecordsKey key;
  std::uint64_t seed = 0;
  std::uint64_t begin = 0;  ///< offset in episodes.jsonl
  std::uint64_t end = 0;    ///< behind them
  EpisodeCosts costs;
  std::map<std::uint64_t, std::uint64_t> steps;  ///< played, by environment
};

/// Reads the records of a run and says where those of each seed stand. A last line that is not whole is left out. Throws
/// InvalidArgument naming file and line.
std::vector<SeedRecords> find_records(const std::filesystem::path& run);

}  // namespace icpi::program
