// SPDX-License-Identifier: MIT
#include "environment_program.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "commands.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/json_line.hpp"
#include "icpi/process/environment.hpp"
#include "interrupt.hpp"
#include "printable.hpp"
#include "program_of.hpp"

namespace icpi::program {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view process_kind = "process";
constexpr std::string_view server_end = "_server.py";
constexpr std::size_t usual_step_limit = 100;
constexpr int usual_horizon = 1000;
constexpr int usual_rollout_limit = 25;

/// Where icpi's own servers are: beside the program that was installed, else in the sources that it was built from.
fs::path servers_folder() {
  if (const char* const given = std::getenv("ICPI_SERVERS"); given != nullptr && *given != '\0') return given;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    const fs::path installed = program.parent_path().parent_path() / "share" / "icpi" / "servers";
    if (fs::is_directory(installed, error)) return installed;
  }
  return ICPI_SERVERS_SOURCE;
}

std::vector<std::string> known_kinds(const fs::path& folder) {
  std::vector<std::string> kinds;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(server_end)) kinds.push_back(name.substr(0, name.size() - server_end.size()));
  }
  std::sort(kinds.begin(), kinds.end());
  kinds.emplace_back(process_kind);
  return kinds;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

/// Lets a server in Python that this process starts import icpi_environment, unless it finds another one first.
void offer_python_side(const fs::path& folder) {
  const char* const given = std::getenv("PYTHONPATH");
  std::string path = given == nullptr ? "" : given;
  if (path.ends_with(folder.string())) return;
  path += (path.empty() ? "" : ":") + folder.string();
  setenv("PYTHONPATH", path.c_str(), 1);
}

void name_command(const EnvironmentChoice& choice, ProcessOptions& options) {
  const auto colon = choice.name.find(':');
  const std::string kind = choice.name.substr(0, colon);
  const fs::path folder = servers_folder();
  const auto kinds = known_kinds(folder);
  if (colon == std::string::npos || std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
    throw InvalidArgument(
        fmt::format("--env '{}': expected KIND:NAME, with one of the kinds {}", choice.name, fmt::join(kinds, ", ")));
  const std::string_view rest = trimmed(std::string_view(choice.name).substr(colon + 1));
  if (rest.empty()) throw InvalidArgument(fmt::format("--env '{}': nothing is named after the colon", choice.name));
  if (kind == process_kind) {
    if (!choice.args.empty())
      throw InvalidArgument("--env-arg does not go with 'process:': write the arguments into the command");
    options.shell_command = rest;
    offer_python_side(folder);
    return;
  }
  const char* const python = std::getenv("ICPI_PYTHON");
  options.command = {python != nullptr && *python != '\0' ? python : "python3",
                     (folder / (kind + std::string(server_end))).string(), std::string(rest)};
  for (const auto& argument : choice.args) {
    if (argument.find('=') == std::string::npos)
      throw InvalidArgument(fmt::format("--env-arg '{}': expected NAME=VALUE", argument));
    options.command.push_back(argument);
  }
}

FieldValues read_values(const std::vector<Json>& list, const std::vector<Field>& fields) {
  if (list.size() != fields.size())
    throw InvalidArgument(fmt::format("an observation has {} values for {} fields", list.size(), fields.size()));
  FieldValues values;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    switch (fields[i].kind) {
      case FieldKind::integer: values.emplace_back(list[i].integer<std::int64_t>()); break;
      case FieldKind::decimal: values.emplace_back(list[i].number()); break;
      default: values.emplace_back(list[i].string());
    }
  }
  return values;
}

/// A description as prompts take it: without lines that say nothing.
std::string task_of(std::string_view description) {
  std::string task;
  while (!description.empty()) {
    const auto end = std::min(description.find('\n'), description.size());
    if (const std::string_view line = description.substr(0, end);
        line.find_first_not_of(" \t\r") != std::string_view::npos)
      task.append(task.empty() ? "" : "\n").append(line);
    description.remove_prefix(std::min(end + 1, description.size()));
  }
  return task;
}

/// The program of an environment in another process.
class EnvironmentProgram final : public ProgramOf<ProcessEnvironment> {
 public:
  explicit EnvironmentProgram(ProcessOptions options)
      : options_(std::move(options)), env_(options_), name_(env_.spec().name) {
    if (env_.step_limit() == options_.default_step_limit && env_.spec().step_limit == 0 && options_.step_limit == 0)
      tell(fmt::format("{} has no step limit: its episodes are truncated after {} steps; --step-limit says otherwise",
                       name_, env_.step_limit()));
  }

  DomainFacts facts() const override {
    DomainFacts facts{.name = name_, .horizon = usual_horizon, .rollout_limit = usual_rollout_limit};
    if (const auto& bounds = env_.spec().reward_bounds) facts.highest_reward = bounds->second;
    return facts;
  }

  std::string task() const override { return task_of(env_.spec().description); }

  bool has_oracle() const override { return false; }
  AnyLanguageModel make_oracle(bool) const override {
    throw InvalidArgument("the oracle knows the domains only: it does not go with --env");
  }

  std::unique_ptr<QuestionReader> make_question_reader(bool) const override {
    throw InvalidArgument("questions are read of the domains only");
  }

  std::string environment_json() const override {
    const EnvironmentSpec& spec = env_.spec();
    JsonLine line;
    line.add("name", spec.name);
    line.add_list("fields", env_.fields(),
                  [](const Field& field, std::string& out) { append_json_string(field.name, out); });
    line.add_list("actions", spec.actions,
                  [](const std::string& action, std::string& out) { append_json_string(action, out); });
    line.add("discount", env_.discount()).add("step_limit", env_.step_limit()).add("description", spec.description);
    return line.str();
  }

 private:
  /// A list of values, or the text of prompts.
  FieldValues read_observation(const Json& value) const override {
    if (value.kind() != Json::Kind::array) return ProgramOf::read_observation(value);
    const FieldFormatter<ProcessEnvironment> reader = formatter(false);
    return reader.text().rounded(read_values(value.array(), reader.text().fields()));
  }
  /// A name.
  std::string read_action(const Json& value) const override {
    const auto& known = env_.actions();
    if (std::find(known.begin(), known.end(), value.string()) != known.end()) return value.string();
    throw InvalidArgument(fmt::format("the action '{}' is none of {}", value.string(), fmt::join(known, ", ")));
  }

  const ProcessEnvironment& env() const override { return env_; }
  std::vector<ProcessEnvironment> environments(std::size_t count) const override {
    return ProcessEnvironment::start(options_, count);
  }
  FieldFormatter<ProcessEnvironment> formatter(bool hints) const override {
    return FieldFormatter<ProcessEnvironment>(env_, {.hints = hints});
  }
  std::function<double(const FieldValues&)> optimal_returns() const override {
    return [optimum = env_.spec().optimal_return.value_or(std::nan(""))](const FieldValues&) { return optimum; };
  }
  std::size_t episode_steps() const override { return std::max(default_episode_steps, env_.step_limit()); }

  ProcessOptions options_;
  ProcessEnvironment env_;
  std::string name_;
};

}  // namespace

bool names_kind(std::string_view name) {
  const auto kinds = known_kinds(servers_folder());
  return std::find(kinds.begin(), kinds.end(), name.substr(0, name.find(':'))) != kinds.end();
}

bool is_command(std::string_view name) { return name.substr(0, name.find(':')) == process_kind; }

ProcessOptions process_options(const EnvironmentChoice& choice) {
  ProcessOptions options;
  name_command(choice, options);
  if (!choice.step_limit.empty()) options.step_limit = parse_count("--step-limit", choice.step_limit, 1, 1'000'000);
  options.default_step_limit = usual_step_limit;
  options.start_timeout = std::chrono::seconds(parse_count("--env-start-timeout", choice.start_timeout, 1, 86'400));
  options.timeout = std::chrono::seconds(parse_count("--env-timeout", choice.timeout, 1, 86'400));
  options.window = parse_count("--window", choice.window, 1, 64);
  options.interrupted = [] { return interrupting_signal() != 0; };
  return options;
}

std::unique_ptr<DomainProgram> environment_program(const EnvironmentChoice& choice) {
  return std::make_unique<EnvironmentProgram>(process_options(choice));
}

}  // namespace icpi::program
