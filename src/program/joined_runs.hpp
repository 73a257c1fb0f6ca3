// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "merge_sources.hpp"
#include "run_directory.hpp"

namespace icpi::program {

/// Runs that are joined into one. Keeps where records are, and not the records.
class JoinedRuns {
 public:
  /// Reads a run. What is not complete in it is left out, and said in `missing`. Throws InvalidArgument naming the runs
  /// when it is of another version of icpi than those before, when a method has other options or other steps, and when a
  /// seed has other records.
  void add(const MergeSource& source, std::vector<std::string>& missing);

  /// Whether there are no records.
  [[nodiscard]] bool empty() const noexcept { return order_.empty(); }

  /// All records, by domain, agent and model in the order in which they first came, then by seed. Throws Error.
  void write_episodes(OutputFile& file) const;

  /// A run.json for them.
  [[nodiscard]] std::string description() const;

  /// domain,agent,model,seeds,episodes and the sums of EpisodeCosts.
  [[nodiscard]] std::string costs_csv() const;

  /// The runs that something came from, in order.
  [[nodiscard]] std::vector<MergeSource> contributors() const;

 private:
  /// What the options of a method are told by in a run.json: domain and agent.
  using Method = std::pair<std::string, std::string>;

  /// Where the records of one seed are.
  struct FoundSeed {
    std::size_t source = 0;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };

  /// What is joined of one method in one domain with one model.
  struct JoinedRecords {
    std::string text;  ///< of run.json
    std::map<std::uint64_t, FoundSeed> seeds;
    EpisodeCosts costs;
  };

  [[nodiscard]] std::string name(std::size_t source) const;
  void check_version(const RunDescription& description);
  void check_options(const ListedRun& run);
  void sort_in(const RunDescription& description, SeedRecords records, std::vector<std::string>& missing);
  void join(SeedRecords records, const std::string& text);
  [[nodiscard]] bool equal_bytes(const FoundSeed& one, const FoundSeed& other) const;
  static std::vector<SeedRange> ranges_of(const JoinedRecords& joined);

  std::vector<MergeSource> sources_;
  std::size_t source_ = 0;  ///< that is being read
  std::string version_;
  std::map<std::string, std::size_t> horizons_;
  std::map<Method, std::pair<std::string, std::size_t>> options_;  ///< and the run that has them
  std::map<RecordsKey, JoinedRecords> joined_;
  std::vector<RecordsKey> order_;  ///< in which they came
  std::map<std::pair<Method, std::uint64_t>, std::size_t>
      awaited_;  ///< how many models' records, in the run being read
};

}  // namespace icpi::program
