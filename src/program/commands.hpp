// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <filesystem>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "environment_program.hpp"
#include "icpi/experiment/seed_groups.hpp"
#include "methods.hpp"
#include "model_sources.hpp"
#include "run_files.hpp"

namespace icpi::program {

/// How `icpi` was asked to behave; everything that several commands take.
struct MethodArguments {
  std::string agent = "icpi";
  std::string options;  ///< empty: recommended, or paper for baselines and `reproduce`
  bool no_hints = false;
  bool no_balance = false;
  bool no_constraints = false;
  std::string recency;  ///< empty: as the options say
  bool bootstrap_past_terminal = false;
  std::string task;            ///< what prompts begin with; empty: nothing
  bool describe_task = false;  ///< it is what the environment says
  std::vector<std::string> set;
  /// What all that meant when a run was begun that goes on now: defaults may be others since.
  std::optional<AgentSettings> begun_with{};
};

/// `icpi evaluate`.
struct EvaluateArguments {
  std::string run;  ///< a folder that train wrote
  std::string episodes = "100";
  std::string out;  ///< empty: the summary alone
  // What is not where the run was begun with it, as `train` takes it; empty: as it was.
  std::string environment;
  std::string start_timeout;
  std::string timeout;
  std::string history;
};

/// How the records of a run will name it.
struct CheckedRun {
  std::string domain;
  std::string agent;
};

/// `icpi train`.
struct TrainArguments {
  std::string domain;  ///< or:
  EnvironmentChoice environment;
  MethodArguments method;
  ModelChoice model;
  std::string steps;  ///< empty: the domain's horizon
  std::string seeds = "0:4";
  std::string environments = "1";
  std::string jobs = "1";
  std::string history;  ///< a file of transitions to begin with; empty: none
  bool batch = false;   ///< by a batch service
  bool yes = false;     ///< however long that takes
  std::string out;
  bool dry_run = false;
  RecoveryArguments recovery;
  const EvaluateArguments* evaluation = nullptr;  ///< of the run that `recovery` plays again; null: none
  /// Gets what is known of the run once its arguments are checked: then nothing is asked, written or played. Null: it is
  /// played.
  CheckedRun* checked = nullptr;
};

/// `icpi reproduce`.
struct ReproduceArguments {
  MethodArguments method;
  std::vector<ModelChoice> models;
  std::vector<std::string> domains;  ///< empty: all
  std::vector<std::string> agents;   ///< labels of methods; empty: all of the figure and all ablations
  std::string steps;                 ///< empty: the domains' horizons
  std::string seeds = "0:4";
  std::string jobs = "1";
  std::string out;
  bool dry_run = false;
  RecoveryArguments recovery;
};

/// `icpi models`.
struct ModelsArguments {
  ModelChoice model;  ///< without a name: list all
};

/// `icpi plot`.
struct PlotArguments {
  std::vector<std::string> runs;
  std::string out;
};

/// `icpi check-env`.
struct CheckEnvArguments {
  EnvironmentChoice environment;
  std::string episodes = "20";
};

/// `icpi show`.
struct ShowArguments {
  std::string domain;  ///< or:
  EnvironmentChoice environment;
  MethodArguments method;
  ModelChoice model;
  std::string seed = "0";
  std::string episodes = "15";
  std::string step = "0";
  bool whole_prompts = false;
};

/// `icpi ask`.
struct AskArguments {
  std::string recording;
  std::string domain;
  bool no_hints = false;
  std::string most;        ///< questions; empty: all
  std::string max_tokens;  ///< of an answer; empty: as recorded
  std::string json;        ///< write the counts there; empty: do not
  ModelChoice model;
};

/// `icpi assess`.
struct AssessArguments {
  std::string domain;  ///< or:
  EnvironmentChoice environment;
  MethodArguments method;
  ModelChoice model;
  std::vector<std::string> after{"5", "15", "30"};  ///< so many random episodes
  std::string predict = "50";                       ///< steps of each sort
  std::vector<std::string> kinds;                   ///< of the questions; empty: all
  std::string seeds = "0";
  std::string json;  ///< write the numbers there; empty: do not
  bool dry_run = false;
};

/// "A:B" (A, A + 1, ..., B - 1), or "A" alone for one seed. Throws InvalidArgument.
SeedRange parse_seeds(std::string_view text);

/// A whole number in lowest .. highest. Throws InvalidArgument naming `option`.
std::size_t parse_count(std::string_view option, std::string_view text, std::size_t lowest, std::size_t highest);

/// "recommended", "paper", or what was said. Throws InvalidArgument for an unknown agent.
std::string options_name(const MethodArguments& arguments);

/// The model that was chosen, "induction" in the version that goes with the method's options. Throws as options_name().
ModelChoice model_for(const MethodArguments& method, ModelChoice model);

/// Throws InvalidArgument for models that are the same by two names.
void check_different(const std::vector<ModelChoice>& models);

/// Whether the tokens of this model are paid, or waited, for.
bool wants_short_prompts(std::string_view model);

/// The method that the arguments describe, with its label. `model`: which is asked; prompts of one that is paid, or waited,
/// for are shorter unless the arguments say how long they are. Throws InvalidArgument.
Method make_method(const MethodArguments& arguments, std::string_view model = "induction");

// The commands. They throw InvalidArgument for bad usage, before anything is written, and Error when the run fails.
// `out` gets what a person or a pipe reads; progress goes to standard error if that is a terminal.
void list_domains(std::ostream& out);
/// Every kind, or what is known about the one that was chosen.
void list_models(const ModelsArguments& arguments, std::ostream& out);
void list_settings(std::ostream& out);
void train(const TrainArguments& arguments, std::ostream& out);
void reproduce(const ReproduceArguments& arguments, std::ostream& out);
void plot(const PlotArguments& arguments, std::ostream& out);
void show(const ShowArguments& arguments, std::ostream& out);
void ask(const AskArguments& arguments, std::ostream& out);
void assess(const AssessArguments& arguments, std::ostream& out);
/// Copies the log of a whole run into a folder of its own, to be played again from there. Throws InvalidArgument.
void copy_whole_run(const EvaluateArguments& arguments, const std::filesystem::path& folder);
/// Throws Error when a rule is broken, after every one that is has been told.
void check_env(const CheckEnvArguments& arguments, std::ostream& out);

}  // namespace icpi::program
