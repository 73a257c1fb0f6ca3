// SPDX-License-Identifier: MIT
#include "question_options.hpp"

#include <string>

#include "environment_options.hpp"
#include "model_options.hpp"

namespace icpi::program {

namespace {

void add_batch(CLI::App& command, BatchChoice& batch) {
  command.add_option(
      "--batch", batch.file,
      "http: by a batch service, within a day and at a lower price; this file keeps the batch's name, so "
      "that the same command can go on");
  add_batch_pause(command, batch);
}

}  // namespace

void add_batch_pause(CLI::App& command, BatchChoice& batch) {
  command.add_option("--batch-pause", batch.pause, "seconds between two looks at a batch (default 60)");
}

void add_method_options(CLI::App& command, MethodArguments& method, bool with_agent) {
  if (with_agent) {
    command.add_option("--agent", method.agent,
                       "icpi, no-argmax, tabular-q, matching-model, random, optimal (default icpi)");
    command.add_flag("--no-hints", method.no_hints, "observations without the hint");
    command.add_flag("--no-balance", method.no_balance, "do not repeat examples of the smaller classes");
    command.add_flag("--no-constraints", method.no_constraints, "examples of any action and termination");
    command.add_option("--recency", method.recency, "policy prompts show the last N trajectories (default 8)");
    command.add_option("--task", method.task, "what there is to do: every prompt begins with this text");
    command.add_flag("--describe-task", method.describe_task, "every prompt begins with what --env says of its task");
    command.add_flag("--bootstrap", method.bootstrap_past_terminal,
                     "tabular-q: bootstrap past terminal steps, as the authors' code does");
  }
  command.add_option("--options", method.options,
                     with_agent ? "recommended, its alias best, or paper (default recommended; baselines: paper)"
                                : "recommended, its alias best, or paper (default paper)");
  command.add_option("--set", method.set, "NAME=VALUE, any option of the library: see `icpi settings`")
      ->take_all()
      ->allow_extra_args(false);
}

void add_show(CLI::App& app, ShowArguments& arguments) {
  auto& command = *app.add_subcommand("show", "what was asked and answered in one decision");
  command.add_option("--domain", arguments.domain, "see `icpi domains`");
  command.add_option("--env", arguments.environment.name, "as of `icpi train`");
  add_environment(command, arguments.environment);
  add_method_options(command, arguments.method, true);
  add_model(command, arguments.model);
  command.add_option("--seed", arguments.seed, "of the run (default 0)");
  command.add_option("--episodes", arguments.episodes, "to learn from before (default 15)");
  command.add_option("--step", arguments.step, "which decision of the episode after them (default 0)");
  command.add_flag("--whole-prompts", arguments.whole_prompts, "print every line of every prompt");
}

void add_ask(CLI::App& app, AskArguments& arguments) {
  auto& command = *app.add_subcommand("ask", "put recorded questions to another model, and compare the answers");
  command.add_option("--recording", arguments.recording, "a file that train --record wrote")->required();
  command.add_option("--domain", arguments.domain, "the one whose run was recorded")->required();
  command.add_flag("--no-hints", arguments.no_hints, "it was recorded with observations without the hint");
  command.add_option("--most", arguments.most, "only the first so many different questions (default: all)");
  command.add_option("--max-tokens", arguments.max_tokens, "limit of an answer (default: as recorded)");
  command.add_option("--json", arguments.json, "write the counts to this file");
  add_batch(command, arguments.model.batch);
  add_model(command, arguments.model);
}

void add_assess(CLI::App& app, AssessArguments& arguments) {
  auto& command = *app.add_subcommand(
      "assess", "how well a model predicts an environment from a few random episodes, before a run is paid for");
  command.add_option("--domain", arguments.domain, "see `icpi domains`");
  command.add_option("--env", arguments.environment.name, "as of `icpi train`");
  add_environment(command, arguments.environment);
  add_method_options(command, arguments.method, true);
  command
      .add_option("--kinds", arguments.kinds,
                  "which of termination, reward, observation, action is asked (default all)")
      ->delimiter(',')
      ->allow_extra_args(false);
  command.add_option("--after", arguments.after, "numbers of random episodes to learn from (default 5,15,30)")
      ->delimiter(',')
      ->allow_extra_args(false);
  command.add_option("--predict", arguments.predict,
                     "steps to predict, of those that were seen and of new ones (default 50)");
  command.add_option("--seeds", arguments.seeds, "A:B, each with episodes of its own (default 0)");
  command.add_option("--json", arguments.json, "write the numbers to this file");
  command.add_flag("--dry-run", arguments.dry_run, "predict questions, tokens and cost, ask nothing");
  add_batch(command, arguments.model.batch);
  command.add_option("--record", arguments.model.record, "write every request and answer to this file");
  add_model(command, arguments.model);
}

}  // namespace icpi::program
