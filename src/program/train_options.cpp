// SPDX-License-Identifier: MIT
#include "train_options.hpp"

#include <fmt/format.h>

#include <string>

#include "environment_options.hpp"
#include "icpi/core/error.hpp"
#include "model_options.hpp"
#include "question_options.hpp"

namespace icpi::program {

void add_recovery_options(CLI::App& command, RecoveryArguments& recovery) {
  command.add_option("--resume", recovery.resume, "a folder of --out: go on with the run there, as it was begun")
      ->check([](const std::string& folder) { return std::string(folder.empty() ? "names no folder" : ""); });
  command.add_option("--durability", recovery.durability,
                     "what every step survives: process (its death), or power (a power cut too) (default process)");
  command.add_option("--on-environment-error", recovery.on_environment_error,
                     "stop, or continue with the next episode (default stop)");
}

void add_train(CLI::App& app, TrainArguments& arguments) {
  auto& command = *app.add_subcommand("train", "let an agent learn in a domain, and write the records");
  command.add_option("--domain", arguments.domain, "see `icpi domains`");
  command.add_option("--env", arguments.environment.name,
                     "an environment of others: gym:ID, minigrid:ID, ..., or 'process: COMMAND'");
  add_environment(command, arguments.environment);
  add_method_options(command, arguments.method, true);
  add_model(command, arguments.model);
  add_recovery_options(command, arguments.recovery);
  command.add_option("--record", arguments.model.record, "write every request and answer to this file");
  command.add_option("--steps", arguments.steps,
                     "environment steps of a run, in each of its environments (default: the domain's horizon)");
  command.add_option("--seeds", arguments.seeds, "A:B, the seeds A, A+1, ... B-1 (default 0:4)");
  command.add_option(
      "--environments", arguments.environments,
      "so many environments share the agent of each seed: what it learns in one it knows in all (default 1)");
  command.add_option("--jobs", arguments.jobs, "threads; the results do not depend on it (default 1)");
  command.add_option("--history", arguments.history,
                     "begin with the transitions of this file, one JSON object a line: see docs/program.md");
  command.add_flag("--batch", arguments.batch,
                   "http: by a batch service, at a lower price and a day for every round of questions: says how many "
                   "rounds there are, and begins with --yes");
  add_batch_pause(command, arguments.model.batch);
  command.add_flag("--yes", arguments.yes, "begin what takes as long as --batch says");
  command.add_option("--out", arguments.out, "a new or empty folder");
  command.add_flag("--dry-run", arguments.dry_run, "predict LM calls, tokens and cost, write nothing");
}

TrainArguments parse_train(const Words& words) {
  CLI::App app("", "icpi");
  app.require_subcommand(1);
  TrainArguments arguments;
  add_train(app, arguments);
  try {
    app.parse(Words(words.rbegin(), words.rend()));
  } catch (const CLI::ExtrasError&) {
    throw InvalidArgument(fmt::format("'{}' is no option of icpi train", app.remaining(true).front()));
  } catch (const CLI::ParseError& error) {
    throw InvalidArgument(error.what());
  }
  return arguments;
}

}  // namespace icpi::program
