// SPDX-License-Identifier: MIT
#include "joined_runs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>

#include "icpi/core/error.hpp"
#include "icpi/core/json_line.hpp"
#include "report.hpp"
#include "run_header.hpp"

namespace icpi::program {

namespace {

/// Copies bytes begin .. end of a file. Throws Error.
void copy_bytes(const std::filesystem::path& file, std::uint64_t begin, std::uint64_t end, OutputFile& to) {
  std::ifstream in(file, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(begin));
  std::string buffer;
  while (begin < end) {
    buffer.resize(static_cast<std::size_t>(std::min<std::uint64_t>(65536, end - begin)));
    if (!in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())))
      throw Error(fmt::format("reading {} failed: it has changed", file.string()));
    to.write(buffer);
    begin += buffer.size();
  }
}

/// Whether two files have the same bytes there.
bool equal_parts(const std::filesystem::path& one, std::uint64_t begin, const std::filesystem::path& other,
                 std::uint64_t other_begin, std::uint64_t size) {
  std::ifstream first(one, std::ios::binary);
  std::ifstream second(other, std::ios::binary);
  first.seekg(static_cast<std::streamoff>(begin));
  second.seekg(static_cast<std::streamoff>(other_begin));
  for (; size > 0; --size) {
    const int byte = first.get();
    if (byte < 0 || byte != second.get()) return false;
  }
  return true;
}

constexpr const char* episodes_file = "episodes.jsonl";

}  // namespace

void JoinedRuns::add(const MergeSource& source, std::vector<std::string>& missing) {
  source_ = sources_.size();
  sources_.push_back(source);
  const RunDescription description = read_description(source.run);
  check_version(description);
  awaited_.clear();
  for (const ListedRun& run : description.runs) {
    check_options(run);
    for (std::uint64_t seed = run.seeds.first; seed < run.seeds.last; ++seed)
      ++awaited_[{{run.domain, run.agent}, seed}];
  }
  for (SeedRecords& records : find_records(source.run)) sort_in(description, std::move(records), missing);
  for (const auto& [records, models] : awaited_)
    if (models > 0)
      missing.push_back(fmt::format("{}: seed {} of {} in {} has no records", name(source_), records.second,
                                    records.first.second, records.first.first));
}

void JoinedRuns::write_episodes(OutputFile& file) const {
  for (const RecordsKey& key : order_)
    for (const auto& [seed, found] : joined_.at(key).seeds)
      copy_bytes(sources_[found.source].run / episodes_file, found.begin, found.end, file);
}

std::string JoinedRuns::description() const {
  JsonLine horizons;
  for (const auto& [domain, steps] : horizons_) horizons.add(domain, steps);
  std::vector<std::string> texts;
  for (const RecordsKey& key : order_)
    for (const SeedRange seeds : ranges_of(joined_.at(key))) texts.push_back(with_seeds(joined_.at(key).text, seeds));
  JsonLine line;
  line.add("icpi", version_).add_raw("horizons", horizons.str());
  line.add_list("runs", texts, [](const std::string& text, std::string& out) { out += '\n' + text; });
  return line.str() + '\n';
}

std::string JoinedRuns::costs_csv() const {
  std::string text = fmt::format("domain,agent,model,seeds,episodes,{}\n", fmt::join(EpisodeCosts::names, ","));
  for (const RecordsKey& key : order_) {
    const JoinedRecords& joined = joined_.at(key);
    text +=
        fmt::format("{},{},{},{},{},{}\n", quoted_field(key.domain), quoted_field(key.agent), quoted_field(key.model),
                    joined.seeds.size(), joined.costs.episodes, fmt::join(joined.costs.sums, ","));
  }
  return text;
}

std::vector<MergeSource> JoinedRuns::contributors() const {
  std::set<std::size_t> numbers;
  for (const auto& [key, joined] : joined_)
    for (const auto& [seed, found] : joined.seeds) numbers.insert(found.source);
  std::vector<MergeSource> used;
  for (const std::size_t number : numbers) used.push_back(sources_[number]);
  return used;
}

std::string JoinedRuns::name(std::size_t source) const { return fmt::format("'{}'", sources_[source].run.string()); }

void JoinedRuns::check_version(const RunDescription& description) {
  if (version_.empty()) version_ = description.version;
  if (version_ != description.version)
    throw InvalidArgument(fmt::format("{} is of icpi {}, and {} of icpi {}; allowed: runs of one version",
                                      name(source_), description.version, name(0), version_));
  for (const auto& [domain, steps] : description.horizons) {
    const auto known = horizons_.try_emplace(domain, steps).first;
    if (known->second != steps)
      throw InvalidArgument(fmt::format("{}: {} has {} steps, and {} in a run before; allowed: equal numbers",
                                        name(source_), domain, steps, known->second));
  }
}

void JoinedRuns::check_options(const ListedRun& run) {
  const std::string text = with_seeds(run.text, {0, 1});
  const auto [known, fresh] = options_.try_emplace(Method{run.domain, run.agent}, text, source_);
  if (fresh || known->second.first == text) return;
  if (const auto found = first_difference(Json::parse(known->second.first), Json::parse(text)))
    throw InvalidArgument(fmt::format("{} has other options than {}: {} of {} in {} is '{}', and '{}' there",
                                      name(source_), name(known->second.second), found->what, run.agent, run.domain,
                                      found->now, found->then));
}

void JoinedRuns::sort_in(const RunDescription& description, SeedRecords records, std::vector<std::string>& missing) {
  const auto& [domain, agent, model] = records.key;
  const auto listed = std::find_if(description.runs.begin(), description.runs.end(), [&](const ListedRun& run) {
    return run.domain == records.key.domain && run.agent == records.key.agent && run.seeds.first <= records.seed &&
           records.seed < run.seeds.last;
  });
  auto& awaited = awaited_[{{domain, agent}, records.seed}];
  if (listed == description.runs.end() || awaited == 0)
    throw InvalidArgument(fmt::format("{}: seed {} of {} in {} has records, and run.json does not list it",
                                      name(source_), records.seed, agent, domain));
  --awaited;
  for (std::uint64_t environment = 0; environment < listed->environments; ++environment) {
    if (const std::uint64_t played = records.steps[environment]; played < listed->steps) {
      missing.push_back(fmt::format("{}: seed {} of {} in {} has {} of {} steps", name(source_), records.seed, agent,
                                    domain, played, listed->steps));
      return;
    }
  }
  join(std::move(records), listed->text);
}

void JoinedRuns::join(SeedRecords records, const std::string& text) {
  if (!joined_.contains(records.key)) order_.push_back(records.key);
  JoinedRecords& joined = joined_[records.key];
  if (joined.text.empty()) joined.text = text;
  const FoundSeed now{source_, records.begin, records.end};
  const auto [before, fresh] = joined.seeds.try_emplace(records.seed, now);
  if (fresh)
    joined.costs += records.costs;
  else if (!equal_bytes(before->second, now))
    throw InvalidArgument(fmt::format("{} and {} have different records of seed {} of {} in {}",
                                      name(before->second.source), name(source_), records.seed, records.key.agent,
                                      records.key.domain));
}

bool JoinedRuns::equal_bytes(const FoundSeed& one, const FoundSeed& other) const {
  return one.end - one.begin == other.end - other.begin &&
         equal_parts(sources_[one.source].run / episodes_file, one.begin, sources_[other.source].run / episodes_file,
                     other.begin, one.end - one.begin);
}

std::vector<SeedRange> JoinedRuns::ranges_of(const JoinedRecords& joined) {
  std::vector<SeedRange> ranges;
  for (const auto& [seed, found] : joined.seeds) {
    if (ranges.empty() || ranges.back().last != seed) ranges.push_back({seed, seed});
    ranges.back().last = seed + 1;
  }
  return ranges;
}

}  // namespace icpi::program
