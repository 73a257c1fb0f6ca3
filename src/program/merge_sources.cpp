// SPDX-License-Identifier: MIT
#include "merge_sources.hpp"

#include <fmt/format.h>

#include <fstream>
#include <set>
#include <string_view>
#include <utility>

#include "commands.hpp"
#include "icpi/core/error.hpp"
#include "icpi/experiment/episode_record.hpp"
#include "run_directory.hpp"
#include "run_files.hpp"
#include "sweep_folder.hpp"

namespace icpi::program {

namespace {

bool is_run(const std::filesystem::path& folder) { return std::filesystem::exists(folder / "run.json"); }

/// The texts of the runs that a run.json lists: each stands on a line of its own.
std::vector<std::string> listed_texts(std::string_view text) {
  std::vector<std::string> texts;
  for (auto at = text.find('\n'); at != std::string_view::npos && at + 1 < text.size(); at = text.find('\n')) {
    text.remove_prefix(at + 1);
    std::string_view line = text.substr(0, text.find('\n'));
    line = line.ends_with("]}") ? line.substr(0, line.size() - 2) : line.substr(0, line.size() - 1);
    texts.emplace_back(line);
  }
  return texts;
}

constexpr std::string_view before_seeds = ",\"seeds\":\"";  // in a string the quotes would be escaped

ListedRun read_listed(const Json& json, std::string text) {
  ListedRun run;
  const std::string seeds = std::string(before_seeds) + json["seeds"].string() + '"';
  if (text.find(before_seeds) != text.find(seeds) || text.find(seeds) == std::string::npos)
    throw InvalidArgument("it is not as icpi writes it: each run's seeds after its agent, without blanks");
  run.domain = json["domain"].string();
  run.agent = json["agent"].string();
  run.seeds = parse_seeds(json["seeds"].string());
  run.steps = json["steps"].integer<std::uint64_t>();
  if (const Json* several = json.find("environments")) run.environments = several->integer<std::uint64_t>();
  run.text = std::move(text);
  return run;
}

/// Adds a record to those of its seed.
void add_record(const EpisodeRecord& record, SeedRecords& seed) {
  auto& played = seed.steps[record.environment.value_or(0)];
  played = std::max(played, record.step);
  seed.costs += {1,
                 {record.lm_calls, record.prompt_tokens, record.computed_tokens, record.completion_tokens,
                  record.invalid, record.failures, record.over_budget, record.cancelled}};
}

}  // namespace

EpisodeCosts& EpisodeCosts::operator+=(const EpisodeCosts& other) {
  episodes += other.episodes;
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += other.sums[i];
  return *this;
}

std::vector<MergeSource> find_sources(const std::vector<std::string>& folders, std::vector<std::string>& missing) {
  std::vector<MergeSource> sources;
  std::set<std::filesystem::path> seen;
  const auto add = [&](const std::filesystem::path& run, const std::filesystem::path& recording) {
    if (seen.insert(std::filesystem::weakly_canonical(run)).second) sources.push_back({run, recording});
  };
  for (const std::string& folder : folders) {
    if (is_run(folder)) {
      add(folder, std::filesystem::path(folder) / recording_file);
      continue;
    }
    if (!is_sweep(folder)) throw InvalidArgument(fmt::format("'{}': it holds neither a run nor a sweep", folder));
    const SweepFolder sweep(folder);
    for (std::size_t task = 0; task < sweep.tasks().size(); ++task) {
      if (is_run(sweep.run(task)))
        add(sweep.run(task), sweep.recording(task));
      else
        missing.push_back(fmt::format("task {} ({}) of '{}' has no run", task, sweep.tasks()[task].name, folder));
    }
  }
  return sources;
}

RunDescription read_description(const std::filesystem::path& run) {
  RunDescription description;
  description.horizons = read_horizons(run);
  const auto file = run / "run.json";
  try {
    const std::string text = read_file(file);
    const Json json = Json::parse(text);
    description.version = json["icpi"].string();
    const std::vector<Json>& listed = json["runs"].array();
    std::vector<std::string> texts = listed_texts(text);
    if (texts.size() != listed.size()) throw InvalidArgument("it is not as icpi writes it: one line for every run");
    for (std::size_t i = 0; i < listed.size(); ++i)
      description.runs.push_back(read_listed(listed[i], std::move(texts[i])));
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(fmt::format("{}: {}", file.string(), error.what()));
  }
  return description;
}

std::string with_seeds(const std::string& text, SeedRange seeds) {
  const auto begin = text.find(before_seeds) + before_seeds.size();
  return fmt::format("{}{}:{}{}", text.substr(0, begin), seeds.first, seeds.last, text.substr(text.find('"', begin)));
}

std::vector<SeedRecords> find_records(const std::filesystem::path& run) {
  const auto file = run / "episodes.jsonl";
  std::ifstream in(file, std::ios::binary);
  if (!in) throw InvalidArgument(fmt::format("cannot read {}", file.string()));
  std::vector<SeedRecords> found;
  std::set<std::pair<RecordsKey, std::uint64_t>> seen;
  std::uint64_t offset = 0;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line) && !in.eof();) {
    ++number;
    try {
      const EpisodeRecord record = parse_episode_record(line);
      RecordsKey key{record.domain, record.agent, record.model};
      if (found.empty() || found.back().seed != record.seed || found.back().key != key) {
        if (!seen.emplace(key, record.seed).second)
          throw InvalidArgument(
              fmt::format("seed {} was there before: its records do not stand together", record.seed));
        found.push_back({std::move(key), record.seed, offset, offset, {}, {}});
      }
      add_record(record, found.back());
    } catch (const InvalidArgument& error) {
      throw InvalidArgument(fmt::format("{}, line {}: {}", file.string(), number, error.what()));
    }
    offset += line.size() + 1;
    found.back().end = offset;
  }
  return found;
}

}  // namespace icpi::program
