// SPDX-License-Identifier: MIT
#include "run_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "icpi/core/error.hpp"
#include "icpi/core/json.hpp"
#include "icpi/core/json_line.hpp"
#include "icpi/version.hpp"

namespace icpi::program {

std::map<std::string, std::size_t> horizons_of(const std::vector<PlannedRun>& runs) {
  std::map<std::string, std::size_t> horizons;
  for (const auto& run : runs) horizons[std::string(run.domain->facts().name)] = run.request.steps;
  return horizons;
}

std::string describe_runs(const std::vector<PlannedRun>& runs) {
  JsonLine horizons;
  for (const auto& [domain, steps] : horizons_of(runs)) horizons.add(domain, steps);
  JsonLine line;
  line.add("icpi", fmt::format("{}.{}.{}", version_major, version_minor, version_patch));
  line.add_raw("horizons", horizons.str());
  line.add_list("runs", runs, [](const PlannedRun& run, std::string& out) {
    const Method method = method_for(run.request.method, run.domain->facts());
    JsonLine options;
    for (const Setting& each : settings()) options.add(each.name, each.get(method.options));
    JsonLine item;
    item.add("domain", run.domain->facts().name).add("agent", method.label);
    item.add("seeds", fmt::format("{}:{}", run.request.seeds.first, run.request.seeds.last));
    item.add("steps", run.request.steps).add("hints", method.hints);
    item.add("bootstrap_past_terminal", method.bootstrap_past_terminal).add_raw("options", options.str());
    out += '\n' + item.str();
  });
  return line.str() + '\n';
}

std::map<std::string, std::size_t> read_horizons(const std::filesystem::path& folder) {
  const auto file = folder / "run.json";
  const std::string text = read_file(file);
  try {
    const Json json = Json::parse(text);
    std::map<std::string, std::size_t> horizons;
    const Json& listed = json["horizons"];
    for (const auto& domain : listed.names()) {
      horizons[domain] = listed[domain].integer<std::size_t>();
      if (horizons[domain] == 0 || horizons[domain] > 100'000'000)
        throw InvalidArgument(fmt::format("horizon {} of {} is not in 1 .. 100000000", horizons[domain], domain));
    }
    return horizons;
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(fmt::format("{}: {}", file.string(), error.what()));
  }
}

std::vector<EpisodeRecord> read_records(const std::filesystem::path& folder) {
  const auto file = folder / "episodes.jsonl";
  const std::string text = read_file(file);
  std::vector<EpisodeRecord> records;
  std::string_view rest = text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const auto end = std::min(rest.find('\n'), rest.size());
    try {
      records.push_back(parse_episode_record(rest.substr(0, end)));
    } catch (const InvalidArgument& error) {
      throw InvalidArgument(fmt::format("{}, line {}: {}", file.string(), number, error.what()));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return records;
}

RunOutcome play_runs(const std::vector<PlannedRun>& runs, const std::filesystem::path& folder) {
  write_file(folder / "run.json", describe_runs(runs));
  OutputFile file(folder / "episodes.jsonl");
  std::size_t total = 0;
  for (const auto& run : runs) total += run.request.steps * run.request.seeds.size();
  Progress progress(total);
  RunOutcome outcome;
  for (const auto& run : runs) {
    progress.label(fmt::format("{} {}", run.domain->facts().name, run.request.method.label));
    outcome.costs += run.domain->run(run.request, [&](const EpisodeRecord& record) {
      file.write(to_json(record) + '\n');
      const std::size_t before = record.step - record.length;
      progress.advance(std::min<std::size_t>(record.step, run.request.steps) - before);
      outcome.records.push_back(record);
    });
    file.flush();
  }
  return outcome;
}

}  // namespace icpi::program
