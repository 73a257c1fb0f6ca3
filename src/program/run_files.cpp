// SPDX-License-Identifier: MIT
#include "run_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "commands.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/json.hpp"
#include "icpi/core/json_line.hpp"
#include "interrupt.hpp"
#include "printable.hpp"
#include "run_header.hpp"
#include "version_text.hpp"

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
  line.add("icpi", this_version());
  line.add_raw("horizons", horizons.str());
  line.add_list("runs", runs, [](const PlannedRun& run, std::string& out) {
    const Method method = method_for(run.request.method, *run.domain);
    JsonLine options;
    for (const Setting& each : settings()) options.add(each.name, each.get(method.settings));
    JsonLine item;
    item.add("domain", run.domain->facts().name).add("agent", method.label);
    item.add("seeds", fmt::format("{}:{}", run.request.seeds.first, run.request.seeds.last));
    item.add("steps", run.request.steps).add("hints", method.hints);
    if (run.request.environments > 1) item.add("environments", run.request.environments);
    if (!method.task.empty()) item.add("task", method.task);
    if (const auto& history = run.request.history)
      item.add("history_transitions", history->size()).add("history_checksum", history->checksum());
    item.add("bootstrap_past_terminal", method.bootstrap_past_terminal).add_raw("options", options.str());
    if (const std::string environment = run.domain->environment_json(); !environment.empty())
      item.add_raw("environment", environment);
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

namespace {

/// Steps played, by domain, agent, model, seed and environment.
using Progresses =
    std::map<std::tuple<std::string, std::string, std::string, std::uint64_t, std::uint64_t>, std::uint64_t>;

std::vector<EpisodeRecord> read_records(const std::filesystem::path& file, std::vector<std::string>& missing) {
  const std::string text = read_file(file);
  std::vector<EpisodeRecord> records;
  std::string_view rest = text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const auto end = std::min(rest.find('\n'), rest.size());
    if (end == rest.size()) {
      missing.push_back(fmt::format("{}, line {} is not whole", file.string(), number));
      break;
    }
    try {
      if (end == 0) throw InvalidArgument("it is empty");
      records.push_back(parse_episode_record(rest.substr(0, end)));
    } catch (const InvalidArgument& error) {
      throw InvalidArgument(fmt::format("{}, line {}: {}", file.string(), number, error.what()));
    }
    rest.remove_prefix(end + 1);
  }
  return records;
}

/// Says which seeds of one of run.json's runs are not complete. `models`: that the records name.
void find_missing(const Json& run, const Progresses& progresses, const std::set<std::string>& models,
                  std::vector<std::string>& missing) {
  const std::string& domain = run["domain"].string();
  const std::string& agent = run["agent"].string();
  const auto steps = run["steps"].integer<std::uint64_t>();
  const SeedRange seeds = parse_seeds(run["seeds"].string());
  const Json* const several = run.find("environments");
  const auto environments = several == nullptr ? std::uint64_t{1} : several->integer<std::uint64_t>();
  bool any = false;
  for (const auto& model : models) {
    const auto first = progresses.lower_bound({domain, agent, model, 0, 0});
    if (first == progresses.end() || std::tie(std::get<0>(first->first), std::get<1>(first->first),
                                              std::get<2>(first->first)) != std::tie(domain, agent, model))
      continue;
    any = true;
    const std::string name = model.empty() ? agent : fmt::format("{} ({})", agent, model);
    for (std::uint64_t number = 0; number < seeds.size() * environments; ++number) {
      const std::uint64_t seed = seeds.first + number / environments;
      const std::uint64_t environment = number % environments;
      const auto found = progresses.find({domain, agent, model, seed, environment});
      const std::uint64_t played = found == progresses.end() ? 0 : found->second;
      if (played < steps)
        missing.push_back(fmt::format("{} in {}: seed {}{} has {} of {} steps", name, domain, seed,
                                      environments > 1 ? fmt::format(", environment {},", environment) : "", played,
                                      steps));
    }
  }
  if (!any) missing.push_back(fmt::format("{} in {}: no episode is finished", agent, domain));
}

}  // namespace

ReadRun read_run(const std::filesystem::path& folder) {
  ReadRun run;
  run.records = read_records(folder / "episodes.jsonl", run.missing);
  Progresses progresses;
  std::set<std::string> models;
  for (const auto& record : run.records) {
    auto& played = progresses[{record.domain, record.agent, record.model, record.seed, record.environment.value_or(0)}];
    played = std::max(played, record.step);
    models.insert(record.model);
  }
  const auto horizons = read_horizons(folder);
  const auto file = folder / "run.json";
  try {
    const Json json = Json::parse(read_file(file));
    for (const Json& each : json["runs"].array()) find_missing(each, progresses, models, run.missing);
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(fmt::format("{}: {}", file.string(), error.what()));
  }
  std::erase_if(run.records, [&](const EpisodeRecord& record) {
    const auto horizon = horizons.find(record.domain);
    return horizon != horizons.end() &&
           progresses[{record.domain, record.agent, record.model, record.seed, record.environment.value_or(0)}] <
               horizon->second;
  });
  return run;
}

namespace {

constexpr std::string_view log_name = "log.jsonl";

Durability durability_of(const std::string& name) {
  if (name == "process") return Durability::process;
  if (name == "power") return Durability::power;
  throw InvalidArgument(fmt::format("--durability '{}' is not allowed; choose one of process, power", name));
}

OnEnvironmentError on_environment_error_of(const std::string& name) {
  if (name == "stop") return OnEnvironmentError::stop;
  if (name == "continue") return OnEnvironmentError::proceed;
  throw InvalidArgument(fmt::format("--on-environment-error '{}' is not allowed; choose one of stop, continue", name));
}

}  // namespace

std::shared_ptr<RecordLog> open_log(const std::filesystem::path& folder) {
  const auto file = folder / log_name;
  if (!std::filesystem::exists(file))
    throw InvalidArgument(
        fmt::format("--resume '{}': there is no run to continue: {} is missing", folder.string(), file.string()));
  auto log = std::make_shared<RecordLog>(file, Durability::process);
  if (log->dropped() > 0)
    tell(fmt::format("{}: the last record was not whole; {} bytes are cut off", log->name(), log->dropped()));
  return log;
}

void check_recovery(const RecoveryArguments& recovery, const std::vector<PlannedRun>& runs) {
  (void)durability_of(recovery.durability);
  (void)on_environment_error_of(recovery.on_environment_error);
  if (!recovery.log) return;
  check_same_runs(recovery.asked_by, recovery.log->header(), run_header(recorded_command(*recovery.log), runs));
}

RunOutcome play_runs(std::vector<PlannedRun> runs, const std::filesystem::path& folder,
                     const RecoveryArguments& recovery) {
  std::shared_ptr<RecordLog> log = recovery.log;
  if (!log) log = std::make_shared<RecordLog>(folder / log_name, run_header(recovery.words, runs), Durability::process);
  if (!log->locked())
    tell(
        fmt::format("{}: its file system has no locks, so no other process is kept out; see to it that none goes on "
                    "with this run at the same time",
                    log->name()));
  log->set_durability(durability_of(recovery.durability));
  watch_signals();
  std::size_t total = 0;
  for (const auto& run : runs) total += run.request.steps * run.request.seeds.size() * run.request.environments;
  Progress progress(total);
  RunOutcome outcome;
  try {
    write_file(folder / "run.json", describe_runs(runs));
    OutputFile file(folder / "episodes.jsonl");
    std::size_t first_part = 0;
    for (auto& run : runs) {
      run.request.log = log.get();
      run.request.first_part = std::exchange(first_part, first_part + run.request.seeds.size());
      run.request.on_environment_error = on_environment_error_of(recovery.on_environment_error);
      run.request.interrupted = [] { return interrupting_signal() != 0; };
      progress.label(fmt::format("{} {}", run.domain->facts().name, run.request.method.label));
      outcome.costs += run.domain->run(run.request, [&](const EpisodeRecord& record) {
        file.write(to_json(record) + '\n');
        file.flush();
        const std::size_t before = record.step - record.length;
        progress.advance(std::min<std::size_t>(record.step, run.request.steps) - before);
        outcome.records.push_back(record);
      });
    }
  } catch (const InvalidArgument& error) {
    if (!recovery.log || runs.front().domain->environment_json().empty()) throw;
    throw InvalidArgument(fmt::format(
        "{}. (An environment that does not do as its seeds say is never the same twice, and cannot be gone on "
        "with: `icpi check-env` finds out)",
        error.what()));
  } catch (const std::exception& error) {
    // A model or an environment that is waited for when a signal comes fails.
    if (interrupting_signal() != 0)
      throw Interrupted(fmt::format("stopped; `icpi {} --resume '{}'` goes on", recovery.words.at(0), folder.string()));
    if (!std::filesystem::exists(folder / log_name) || runs.front().request.evaluation_episodes > 0) throw;
    throw Error(fmt::format("{} (`icpi {} --resume '{}'` goes on where it stopped)", reason_of(error),
                            recovery.words.at(0), folder.string()));
  }
  return outcome;
}

}  // namespace icpi::program
