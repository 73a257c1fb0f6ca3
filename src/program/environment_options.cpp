// SPDX-License-Identifier: MIT
#include "environment_options.hpp"

namespace icpi::program {

void add_environment(CLI::App& command, EnvironmentChoice& environment) {
  command.add_option("--env-arg", environment.args, "NAME=VALUE, for the environment of --env; may be repeated")
      ->take_all()
      ->allow_extra_args(false);
  command.add_option("--step-limit", environment.step_limit,
                     "truncate episodes of --env after so many steps (default: its own limit, else 100)");
  command.add_option("--env-start-timeout", environment.start_timeout,
                     "seconds until the first answer of --env (default 60)");
  command.add_option("--env-timeout", environment.timeout, "seconds that every other answer may take (default 10)");
  command.add_option("--window", environment.window,
                     "the last so many observations of --env are seen as one (default 1)");
}

void add_check_env(CLI::App& app, CheckEnvArguments& arguments) {
  auto& command = *app.add_subcommand("check-env", "find what a server of environments does wrong");
  command.add_option("environment", arguments.environment.name, "a command, or gym:ID, minigrid:ID, ... as of --env")
      ->required();
  add_environment(command, arguments.environment);
  command.add_option("--episodes", arguments.episodes, "that are tried (default 20)");
}

void add_evaluate(CLI::App& app, EvaluateArguments& arguments) {
  auto& command = *app.add_subcommand("evaluate", "play on with the agents of a run, frozen: nothing is learned");
  command.add_option("run", arguments.run, "a folder that train wrote")->required();
  command.add_option("--episodes", arguments.episodes, "of every seed (default 100)");
  command.add_option("--out", arguments.out, "a new or empty folder for the records (default: none are kept)");
  command.add_option("--env", arguments.environment,
                     "the environment of the run, where its command is another one now");
  command.add_option("--env-start-timeout", arguments.start_timeout, "as of train (default: as the run was begun)");
  command.add_option("--env-timeout", arguments.timeout, "as of train (default: as the run was begun)");
  command.add_option("--history", arguments.history, "the file that the run began with, where it lies now");
}

}  // namespace icpi::program
