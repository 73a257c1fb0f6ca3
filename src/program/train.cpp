// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chosen_domain.hpp"
#include "commands.hpp"
#include "evaluate.hpp"
#include "icpi/core/error.hpp"
#include "icpi/models/stop_on_failure.hpp"
#include "prediction.hpp"
#include "printable.hpp"
#include "report.hpp"
#include "run_files.hpp"
#include "run_header.hpp"

namespace icpi::program {

namespace {

constexpr std::size_t most_steps = 100'000'000;
constexpr std::size_t most_jobs = 1024;
constexpr std::size_t most_environments = 1024;

PlannedRun plan_run(const DomainProgram& domain, Method method, ModelFactory model, const std::string& steps,
                    SeedRange seeds, std::size_t jobs) {
  PlannedRun run{&domain, {.method = std::move(method), .model = std::move(model), .seeds = seeds, .jobs = jobs}};
  run.request.steps =
      steps.empty() ? static_cast<std::size_t>(domain.facts().horizon) : parse_count("--steps", steps, 1, most_steps);
  return run;
}

/// How many environments share the agent of a seed.
std::size_t environments_of(const TrainArguments& arguments, const Method& method) {
  const std::size_t count = parse_count("--environments", arguments.environments, 1, most_environments);
  if (count > 1 && !asks_model(method.kind))
    throw InvalidArgument(
        fmt::format("--environments {} goes with the agents icpi and no-argmax, not with '{}'", count, method.label));
  if (count > 1 && arguments.evaluation != nullptr)
    throw InvalidArgument("evaluate: agents that are in several environments (--environments) cannot be frozen");
  return count;
}

/// What the run begins with; null: nothing. Throws InvalidArgument for files that are no history of the environment.
std::shared_ptr<const HistoryFile> history_for(const TrainArguments& arguments, const DomainProgram& domain,
                                               const Method& method) {
  if (arguments.history.empty()) return nullptr;
  if (!asks_model(method.kind))
    throw InvalidArgument(
        fmt::format("--history goes with the agents icpi and no-argmax, not with '{}'", method.label));
  if (arguments.recovery.log && !std::filesystem::exists(arguments.history))
    throw InvalidArgument(
        fmt::format("--history '{}': there is no such file any more: the run was begun with it, and --history names "
                    "where it is now",
                    arguments.history));
  auto history = std::make_shared<const HistoryFile>(arguments.history);
  domain.check(*history);
  return history;
}

/// Every job has a model of its own, which keeps the rate for itself.
void check_rate(const ModelChoice& model, std::size_t jobs) {
  if (jobs > 1 && model.http.requests_per_minute != "0")
    throw InvalidArgument(fmt::format("--requests-per-minute does not go with --jobs {}; allowed: 1", jobs));
  if (jobs > 1 && model.http.tokens_per_minute != "0")
    throw InvalidArgument(fmt::format("--tokens-per-minute does not go with --jobs {}; allowed: 1", jobs));
}

/// What --batch needs. Throws InvalidArgument.
void check_batches(const TrainArguments& arguments, const Method& method, std::size_t jobs) {
  if (!arguments.batch) return;
  if (!asks_model(method.kind))
    throw InvalidArgument(fmt::format("--batch does not go with agent '{}'; allowed: icpi, no-argmax", method.label));
  if (jobs > 1)
    throw InvalidArgument(
        fmt::format("--batch does not go with --jobs {}; allowed: 1, where seeds share batches", jobs));
}

/// The model, "induction" in the version that a run was begun with.
ModelChoice recorded_version(const RecoveryArguments& recovery, ModelChoice model) {
  if (recovery.log && recorded_model(*recovery.log) == "induction/1") model.embedded = InductionVersion::first;
  return model;
}

/// The model, with the place for the batches' names.
ModelChoice model_of(const TrainArguments& arguments) {
  ModelChoice model = recorded_version(arguments.recovery, model_for(arguments.method, arguments.model));
  if (arguments.batch) model.batch.file = (std::filesystem::path(arguments.out) / "batch.json").string();
  return model;
}

/// Tells how long batches may take. Throws InvalidArgument unless that was agreed to.
void agree_to_batches(const TrainArguments& arguments, const PlannedRun& run) {
  if (!arguments.batch || (arguments.recovery.log && arguments.yes)) return;
  const std::string rounds = predict_rounds(run);
  if (!arguments.yes) throw InvalidArgument(rounds + "; --yes begins");
  tell(rounds);
}

void require_out(const std::string& out, bool dry_run, const RecoveryArguments& recovery = {}) {
  if (dry_run || recovery.log) return;
  if (out.empty()) throw InvalidArgument("--out is missing: name a new or empty folder for the records");
  check_run_directory(out);
}

/// Plays; see telling_costs().
RunOutcome play(const std::vector<PlannedRun>& runs, const std::string& folder, const RecoveryArguments& recovery,
                const ModelLedger& ledger, std::ostream& out) {
  const bool asks = std::any_of(runs.begin(), runs.end(), [](const PlannedRun& run) { return run.request.model; });
  const auto play = [&] { return play_runs(runs, folder, recovery); };
  return asks ? telling_costs(ledger, out, play) : play();
}

}  // namespace

void train(const TrainArguments& arguments, std::ostream& out) {
  const ChosenDomain chosen = arguments.recovery.log ? recorded_domain(arguments.domain, arguments.environment)
                                                     : ChosenDomain(arguments.domain, arguments.environment);
  const DomainProgram& domain = chosen.program();
  MethodArguments asked = arguments.method;
  if (arguments.recovery.log) asked.begun_with = recorded_settings(*arguments.recovery.log);
  Method method = make_method(asked, arguments.model.name);
  const auto history = history_for(arguments, domain, method);
  if (history) method.label += "-history";
  const ModelChoice model = model_of(arguments);
  const auto seeds = parse_seeds(arguments.seeds);
  const auto jobs = parse_count("--jobs", arguments.jobs, 1, most_jobs);
  check_batches(arguments, method, jobs);
  if (!model.record.empty() && jobs > 1)
    throw InvalidArgument(fmt::format("--record does not go with --jobs {}; allowed: 1", jobs));
  check_rate(model, jobs);
  check_model_name(model.name);
  PlannedRun run = plan_run(domain, method, nullptr, arguments.steps, seeds, jobs);
  run.request.environments = environments_of(arguments, method);
  run.request.history = history;
  require_out(arguments.out, arguments.dry_run || arguments.checked != nullptr, arguments.recovery);
  check_recovery(arguments.recovery, {run});
  const auto ledger = std::make_shared<ModelLedger>(model);
  if (arguments.checked != nullptr) {
    if (asks_model(method.kind)) (void)model_factory(model, domain, method.hints, ledger);
    domain.check(method, model_factory({}, domain, method.hints, nullptr));  // any model: its answers are not looked at
    *arguments.checked = {std::string(domain.facts().name), method.label};
    return;
  }
  if (arguments.dry_run) {
    domain.check(method, stand_in(domain, method.hints));
    run.prices = ledger->limits().prices;
    fmt::print(out, "{}", predict_costs({run}, ledger->limits()));
    if (arguments.batch) fmt::print(out, "{}\n", predict_rounds(run));
    return;
  }
  if (asks_model(method.kind)) {
    run.request.model = model_factory(model, domain, method.hints, ledger);
    domain.check(method, model_factory(model, domain, method.hints, nullptr));
  } else {
    domain.check(method, nullptr);
  }
  agree_to_batches(arguments, run);
  if (asks_model(method.kind)) check_answer_files(model);
  if (asks_model(method.kind)) run.request.watch = watch_of(model);
  if (!arguments.recovery.log) make_run_directory(arguments.out);
  if (arguments.evaluation != nullptr) {
    telling_costs(*ledger, out, [&] { evaluate(std::move(run), arguments, out); });
    if (asks_model(method.kind)) fmt::print(out, "{}", ledger->report());
    return;
  }
  const RunOutcome outcome = play({run}, arguments.out, arguments.recovery, *ledger, out);
  const Report report = make_report(outcome.records, horizons_of({run}));
  const std::filesystem::path folder = arguments.out;
  write_file(folder / "curves.csv", curves_csv(report));
  write_file(folder / "summary.csv", summary_csv(report));
  fmt::print(out, "{}", summary_table(report, false));
  if (asks_model(method.kind)) fmt::print(out, "{}", ledger->report());
}

void reproduce(const ReproduceArguments& arguments, std::ostream& out) {
  MethodArguments with_defaults = arguments.method;
  if (with_defaults.options.empty()) with_defaults.options = "paper";
  std::string_view model_name = arguments.models.front().name;
  for (const ModelChoice& model : arguments.models)
    if (wants_short_prompts(model.name)) model_name = model.name;
  if (arguments.recovery.log) with_defaults.begun_with = recorded_settings(*arguments.recovery.log);
  const Method given = make_method(with_defaults, model_name);
  if (given.kind != AgentKind::icpi) throw InvalidArgument("reproduce runs every agent: --agent is not allowed");
  const auto seeds = parse_seeds(arguments.seeds);
  const auto jobs = parse_count("--jobs", arguments.jobs, 1, most_jobs);
  check_rate(arguments.models.front(), jobs);
  std::vector<const DomainProgram*> domains;
  for (const auto& name : arguments.domains) domains.push_back(&domain_program(name));
  if (domains.empty()) {
    for (const auto name : {"chain", "distractor-chain", "maze", "mini-catch", "mini-invaders", "point-mass"})
      domains.push_back(&domain_program(name));
  }
  std::vector<ModelChoice> models;
  for (const auto& model : arguments.models) {
    check_model_name(model.name);
    models.push_back(recorded_version(arguments.recovery, model_for(with_defaults, model)));
  }
  check_different(models);
  const auto ledger = std::make_shared<ModelLedger>(std::span<const ModelChoice>(models));
  require_out(arguments.out, arguments.dry_run, arguments.recovery);

  const std::vector<Method> methods = chosen_methods(given.settings, arguments.agents);
  std::vector<PlannedRun> runs;
  for (const DomainProgram* domain : domains) {
    for (std::size_t i = 0; i < models.size(); ++i) {
      for (Method method : methods) {
        // Every further model is compared in ICPI alone: the paper's third figure.
        if (i > 0 && method.label != "icpi") continue;
        method.sets_step_limit = given.sets_step_limit;
        ModelFactory factory;
        ModelFactory looked_at = stand_in(*domain, method.hints);
        if (asks_model(method.kind) && !arguments.dry_run) {
          factory = model_factory(models[i], *domain, method.hints, ledger);
          looked_at = model_factory(models[i], *domain, method.hints, nullptr);
        }
        domain->check(method, looked_at);
        runs.push_back(plan_run(*domain, method, factory, arguments.steps, seeds, jobs));
        runs.back().prices = ledger->account(models[i].name)->budget().prices;
        if (asks_model(method.kind)) runs.back().request.watch = watch_of(models[i]);
      }
    }
  }
  check_recovery(arguments.recovery, runs);
  if (arguments.dry_run) {
    fmt::print(out, "{}", predict_costs(runs, ledger->limits()));
    return;
  }
  check_answer_files(models.front());
  if (!arguments.recovery.log) make_run_directory(arguments.out);
  const RunOutcome outcome = play(runs, arguments.out, arguments.recovery, *ledger, out);
  const Report report = make_report(outcome.records, horizons_of(runs));
  fmt::print(out, "{}\n", summary_table(report, true));
  for (const auto& file : write_report(report, arguments.out)) fmt::print(out, "{}\n", file.string());
  fmt::print(out, "{}", ledger->report());
}

void plot(const PlotArguments& arguments, std::ostream& out) {
  std::vector<EpisodeRecord> records;
  std::map<std::string, std::size_t> horizons;
  for (const auto& run : arguments.runs) {
    for (const auto& [domain, steps] : read_horizons(run)) {
      const auto known = horizons.try_emplace(domain, steps).first;
      if (known->second != steps)
        throw InvalidArgument(fmt::format("'{}': {} has {} steps, but {} in a run before; allowed: equal numbers", run,
                                          domain, steps, known->second));
    }
    ReadRun read = read_run(run);
    for (auto& record : read.records) records.push_back(std::move(record));
    for (const auto& each : read.missing) fmt::print(out, "not complete: {}\n", each);
  }
  if (records.empty()) fmt::print(out, "no seed is complete: there is nothing to draw\n");
  const Report report = make_report(records, horizons);
  require_out(arguments.out, false);
  make_run_directory(arguments.out);
  fmt::print(out, "{}\n", summary_table(report, true));
  for (const auto& file : write_report(report, arguments.out)) fmt::print(out, "{}\n", file.string());
}

void show(const ShowArguments& arguments, std::ostream& out) {
  const ChosenDomain chosen(arguments.domain, arguments.environment);
  const DomainProgram& domain = chosen.program();
  const Method method = make_method(arguments.method, arguments.model.name);
  if (!asks_model(method.kind))
    throw InvalidArgument(
        fmt::format("show: agent '{}' asks no model; allowed: icpi, no-argmax", arguments.method.agent));
  ShowRequest request{method, nullptr};
  request.seed = parse_seeds(arguments.seed).first;
  request.episodes = parse_count("--episodes", arguments.episodes, 0, 1'000'000);
  request.step = parse_count("--step", arguments.step, 0, 1'000'000);
  request.whole_prompts = arguments.whole_prompts;
  const ModelChoice model = model_for(arguments.method, arguments.model);
  const auto ledger = std::make_shared<ModelLedger>(model);
  request.model = [make = model_factory(model, domain, method.hints, ledger)] {
    return AnyLanguageModel(StopOnFailure<AnyLanguageModel>(make()));
  };
  const auto show_it = [&] { domain.show(request, out); };
  if (model.name == "http")  // others cost nothing
    telling_costs(*ledger, out, show_it);
  else
    show_it();
}

}  // namespace icpi::program
