// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cache_options.hpp"
#include "commands.hpp"
#include "environment_options.hpp"
#include "icpi/core/error.hpp"
#include "interrupt.hpp"
#include "model_options.hpp"
#include "printable.hpp"
#include "question_options.hpp"
#include "run_header.hpp"
#include "standard_streams.hpp"
#include "sweep_options.hpp"
#include "train_options.hpp"
#include "version_text.hpp"
#include "words.hpp"

namespace {

using namespace icpi::program;

constexpr int bad_usage = 2;
constexpr int failed_run = 1;
constexpr int signalled = 128;

/// Names what is wrong in one line.
int complain(std::string_view message, int code) {
  tell(message);
  return code;
}

/// The exit code of a command that did its work: what it printed must have arrived.
int delivered() {
  std::cout.flush();
  return std::cout ? 0 : complain("writing to standard output failed", failed_run);
}

/// What was not understood, and what would have been.
std::string unexpected(const CLI::App& app) {
  const CLI::App* command = &app;
  std::vector<std::string> allowed;
  if (!app.get_subcommands().empty()) command = app.get_subcommands().front();
  for (const CLI::Option* option : command->get_options()) allowed.push_back(option->get_name());
  for (const CLI::App* each : command->get_subcommands([](const CLI::App*) { return true; }))
    allowed.push_back(each->get_name());
  const auto rest = app.remaining(true);
  return fmt::format("'{}' was not expected; allowed: {}", rest.empty() ? "" : rest.front(), fmt::join(allowed, ", "));
}

void add_models(CLI::App& app, ModelsArguments& arguments) {
  auto& command =
      *app.add_subcommand("models", "list the language models; with --model, say what is known about that one");
  arguments.model.name.clear();
  add_model(command, arguments.model);
}

void add_reproduce(CLI::App& app, ReproduceArguments& arguments, std::vector<std::string>& models, ModelChoice& model) {
  auto& command = *app.add_subcommand(
      "reproduce", "all methods and ablations of the paper on all domains: records, curves, table, figures");
  add_method_options(command, arguments.method, false);
  command.add_option("--model", models, "several make the paper's figure of language models (default induction)")
      ->delimiter(',')
      ->allow_extra_args(false);
  add_model_options(command, model);
  add_recovery_options(command, arguments.recovery);
  command.add_option("--domains", arguments.domains, "only these, separated by commas")
      ->delimiter(',')
      ->allow_extra_args(false);
  command
      .add_option("--agents", arguments.agents,
                  "only these, separated by commas: icpi, no-argmax, tabular-q-bootstrap, tabular-q, matching-model, "
                  "random, icpi-no-hints, icpi-no-balance, icpi-no-constraints, icpi-recency-16")
      ->delimiter(',')
      ->allow_extra_args(false);
  command.add_option("--steps", arguments.steps, "environment steps of a run (default: the domains' horizons)");
  command.add_option("--seeds", arguments.seeds, "A:B, the seeds A, A+1, ... B-1 (default 0:4)");
  command.add_option("--jobs", arguments.jobs, "threads; the results do not depend on it (default 1)");
  command.add_option("--out", arguments.out, "a new or empty folder");
  command.add_flag("--dry-run", arguments.dry_run, "predict LM calls, tokens and cost, write nothing");
}

void add_plot(CLI::App& app, PlotArguments& arguments) {
  auto& command = *app.add_subcommand("plot", "table, curves and figures from the records of runs");
  command.add_option("runs", arguments.runs, "folders that train or reproduce wrote")->required();
  command.add_option("--out", arguments.out, "a new or empty folder");
}

int run(const Words& words, const std::shared_ptr<icpi::RecordLog>& log = nullptr,
        const EvaluateArguments* evaluation = nullptr);

/// Runs the command that began the log in the folder again, with these words added: the later ones count.
int resume(const std::string& folder, const std::string& out, const Words& added) {
  if (!out.empty()) throw icpi::InvalidArgument("--out does not go with --resume: the run has its folder");
  const auto log = open_log(folder);
  Words words = recorded_command(*log);
  if (words.empty() || words[0] != added[0])
    throw icpi::InvalidArgument(fmt::format("--resume '{}': the run was begun by `icpi {}`, not `icpi {}`", folder,
                                            words.empty() ? "" : words[0], added[0]));
  for (const std::string_view list : {"--base-url", "--moved-from", "--model", "--domains", "--agents", "--env-arg"}) {
    if (names_option(added, list)) remove_option(words, list);
  }
  words.insert(words.end(), added.begin() + 1, added.end());
  return run(words, log);
}

/// Plays a run again, which costs no call of its model, to have its agents as they were in the end.
int evaluate_run(const EvaluateArguments& arguments) {
  const TemporaryFolder folder("icpi-evaluate");
  copy_whole_run(arguments, folder.path());
  const auto log = open_log(folder.path());
  Words words = recorded_command(*log);
  if (words.empty() || words[0] != "train")
    throw icpi::InvalidArgument(fmt::format("evaluate '{}': allowed are runs of `icpi train`", arguments.run));
  remove_option(words, "--record");
  words.insert(words.end(), {"--resume", folder.path().string()});
  const auto say = [&](std::string_view option, const std::string& value) {
    if (!value.empty()) words.push_back(fmt::format("{}={}", option, value));
  };
  say("--env", arguments.environment);
  say("--env-start-timeout", arguments.start_timeout);
  say("--env-timeout", arguments.timeout);
  say("--history", arguments.history);
  return run(words, log, &arguments);
}

int run(const Words& words, const std::shared_ptr<icpi::RecordLog>& log, const EvaluateArguments* evaluation) {
  CLI::App app("In-Context Policy Iteration with language models", "icpi");
  app.require_subcommand(1);
  app.set_version_flag("--version", "icpi " + this_version());
  app.add_subcommand("domains", "list the domains");
  ModelsArguments models_arguments;
  add_models(app, models_arguments);
  app.add_subcommand("settings", "list what --set reaches");
  TrainArguments train_arguments;
  add_train(app, train_arguments);
  ReproduceArguments reproduce_arguments;
  std::vector<std::string> models;
  ModelChoice model;
  add_reproduce(app, reproduce_arguments, models, model);
  PlotArguments plot_arguments;
  add_plot(app, plot_arguments);
  ShowArguments show_arguments;
  add_show(app, show_arguments);
  AskArguments ask_arguments;
  add_ask(app, ask_arguments);
  AssessArguments assess_arguments;
  add_assess(app, assess_arguments);
  EvaluateArguments evaluate_arguments;
  add_evaluate(app, evaluate_arguments);
  CheckEnvArguments check_env_arguments;
  add_check_env(app, check_env_arguments);
  SweepCommands sweep_commands;
  add_sweep(app, sweep_commands);
  CacheArguments cache_arguments;
  add_cache(app, cache_arguments);
  if (log) {
    for (CLI::Option* option : app.get_subcommand(words[0])->get_options()) {
      if (option->get_multi_option_policy() == CLI::MultiOptionPolicy::Throw) option->take_last();
    }
  }
  try {
    app.parse(Words(words.rbegin(), words.rend()));
  } catch (const CLI::ExtrasError&) {
    return complain(unexpected(app), bad_usage);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      app.exit(error);  // prints help or version
      return delivered();
    }
    if (!app.remaining(true).empty()) return complain(unexpected(app), bad_usage);
    return complain(fmt::format("{} (see icpi --help)", error.what()), bad_usage);
  }
  if (models.empty()) models.emplace_back("induction");
  std::erase_if(model.said, [&](const ModelChoice::Said& said) {  // one of several models is enough
    return std::any_of(models.begin(), models.end(), [&](const std::string& name) { return said.goes_with(name); });
  });
  for (const auto& name : models) {
    reproduce_arguments.models.push_back(model);
    reproduce_arguments.models.back().name = name;
  }
  for (auto* arguments : {&train_arguments.recovery, &reproduce_arguments.recovery}) {
    auto& out = arguments == &train_arguments.recovery ? train_arguments.out : reproduce_arguments.out;
    if (!arguments->resume.empty() && !log) return resume(arguments->resume, out, words);
    if (!arguments->resume.empty()) out = arguments->resume;
    arguments->words = words;
    arguments->log = log;
  }
  train_arguments.evaluation = evaluation;
  if (evaluation != nullptr) train_arguments.recovery.asked_by = "evaluate";
  if (app.got_subcommand("evaluate")) return evaluate_run(evaluate_arguments);
  if (app.got_subcommand("domains")) list_domains(std::cout);
  if (app.got_subcommand("models")) list_models(models_arguments, std::cout);
  if (app.got_subcommand("settings")) list_settings(std::cout);
  if (app.got_subcommand("train")) train(train_arguments, std::cout);
  if (app.got_subcommand("reproduce")) reproduce(reproduce_arguments, std::cout);
  if (app.got_subcommand("plot")) plot(plot_arguments, std::cout);
  if (app.got_subcommand("show")) show(show_arguments, std::cout);
  if (app.got_subcommand("ask")) ask(ask_arguments, std::cout);
  if (app.got_subcommand("assess")) assess(assess_arguments, std::cout);
  if (app.got_subcommand("check-env")) check_env(check_env_arguments, std::cout);
  run_sweep(app, sweep_commands, std::cout);
  run_cache(app, cache_arguments, std::cout);
  return delivered();
}

}  // namespace

int main(int argc, char** argv) {
  secure_standard_streams();
  try {
    return run(Words(argv + std::min(argc, 1), argv + argc));
  } catch (const Interrupted& error) {
    return complain(error.what(), signalled + interrupting_signal());
  } catch (const icpi::InvalidArgument& error) {
    return complain(error.what(), bad_usage);
  } catch (const std::exception& error) {
    return complain(reason_of(error), failed_run);
  }
}
