// SPDX-License-Identifier: MIT
#include "sweep.hpp"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <numeric>
#include <ostream>
#include <set>
#include <string_view>
#include <system_error>
#include <vector>

#include "commands.hpp"
#include "icpi/core/error.hpp"
#include "plan_file.hpp"
#include "printable.hpp"
#include "sweep_folder.hpp"
#include "sweep_players.hpp"
#include "sweep_slurm.hpp"

namespace icpi::program {

namespace {

constexpr std::size_t most_players = 1024;

std::string_view state_name(TaskState state) {
  switch (state) {
    case TaskState::done: return "done";
    case TaskState::running: return "running";
    case TaskState::waiting: return "waiting";
    case TaskState::failed: return "failed";
    default: return "missing";
  }
}

/// How all tasks stand, by their folders and by what Slurm says.
std::vector<TaskReport> look_at_all(const SweepFolder& sweep) {
  std::vector<TaskReport> reports;
  for (std::size_t task = 0; task < sweep.tasks().size(); ++task) reports.push_back(sweep.look(task));
  for (const auto& [task, said] : slurm_states(sweep)) {
    TaskReport& report = reports[task];
    if (report.state == TaskState::done || report.state == TaskState::running) continue;
    if (said.waiting())
      report = {TaskState::waiting, "in Slurm's queue"};
    else if (said.running())
      report = {TaskState::running, "Slurm says so"};
    else
      report.reason += fmt::format("{}Slurm says {}", report.reason.empty() ? "" : "; ", said.state);
  }
  return reports;
}

/// Tasks in one of these states.
std::vector<std::size_t> tasks_in(const std::vector<TaskReport>& reports, std::initializer_list<TaskState> states) {
  std::vector<std::size_t> found;
  for (std::size_t task = 0; task < reports.size(); ++task)
    if (std::find(states.begin(), states.end(), reports[task].state) != states.end()) found.push_back(task);
  return found;
}

/// Prints how many tasks stand how, each that is not done, and how to run those again that nobody runs. Returns how many
/// failed.
std::size_t print_reports(const SweepFolder& sweep, const std::vector<TaskReport>& reports, std::ostream& out) {
  using enum TaskState;
  fmt::print(out, "{} tasks: ", reports.size());
  for (const TaskState state : {done, running, waiting, failed, missing})
    fmt::print(out, "{} {}{}", tasks_in(reports, {state}).size(), state_name(state), state == missing ? "\n" : ", ");
  for (const TaskState state : {running, waiting, failed, missing})
    for (const std::size_t task : tasks_in(reports, {state}))
      fmt::print(out, "{:<8} {:>5}  {}{}{}\n", state_name(state), task, sweep.tasks()[task].name,
                 reports[task].reason.empty() ? "" : ": ", printable_line(reports[task].reason));
  if (const auto again = tasks_in(reports, {failed, missing}); !again.empty())
    fmt::print(out, "to run those again:  icpi sweep {} --out {} --tasks {}\n", shell_word(sweep.plan()),
               shell_word(sweep.path().string()), task_list(again));
  return tasks_in(reports, {failed}).size();
}

/// Those of the tasks that are to be played now: nobody plays them, and they are asked for.
std::vector<std::size_t> tasks_to_play(const std::vector<TaskReport>& reports, const std::string& asked) {
  const auto idle = tasks_in(reports, {TaskState::failed, TaskState::missing});
  if (asked.empty()) return idle;
  std::vector<std::size_t> chosen = parse_tasks(asked, reports.size());
  std::erase_if(chosen, [&](std::size_t task) { return !std::binary_search(idle.begin(), idle.end(), task); });
  return chosen;
}

/// Plays tasks here, each once: also those that another process leaves meanwhile. Returns how all stand then.
std::vector<TaskReport> play_here(const SweepFolder& sweep, const std::string& asked, std::size_t jobs) {
  std::set<std::size_t> played;
  while (true) {
    std::vector<TaskReport> reports = look_at_all(sweep);
    std::vector<std::size_t> tasks = tasks_to_play(reports, asked);
    std::erase_if(tasks, [&](std::size_t task) { return played.contains(task); });
    if (tasks.empty()) return reports;
    play_tasks(sweep, tasks, jobs);
    played.insert(tasks.begin(), tasks.end());
  }
}

void play_by_slurm(const SweepFolder& sweep, const std::vector<std::size_t>& tasks, const SweepArguments& arguments,
                   const std::vector<std::string>& options, std::ostream& out) {
  const auto arrays = slurm_arrays(sweep, tasks, options);
  if (arrays.empty()) fmt::print(out, "no task is left to be played\n");
  if (arguments.dry_run) {
    for (const SlurmArray& array : arrays) fmt::print(out, "{}", array.script);
    return;
  }
  sweep.make();
  for (const SlurmArray& array : arrays) write_array(array);
  for (const SlurmArray& array : arrays)
    fmt::print(out, "{}: {}\n", array.file, arguments.no_submit ? "to be submitted by hand" : submit_array(array));
}

/// Prints these tasks.
void print_tasks(const std::vector<SweepTask>& all, const std::vector<std::size_t>& some, std::ostream& out) {
  for (const std::size_t task : some)
    fmt::print(out, "{:>5}  {}: icpi {}\n", task, all[task].name, fmt::join(all[task].words, " "));
}

/// Their numbers.
std::vector<std::size_t> all_of(const std::vector<SweepTask>& tasks) {
  std::vector<std::size_t> numbers(tasks.size());
  std::iota(numbers.begin(), numbers.end(), std::size_t{0});
  return numbers;
}

}  // namespace

std::string own_program() {
  std::error_code error;
  const auto file = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) throw Error(fmt::format("cannot find out which file this program is: {}", error.message()));
  return file.string();
}

void sweep(const SweepArguments& arguments, std::ostream& out) {
  if (!arguments.slurm && (!arguments.slurm_options.empty() || arguments.no_submit))
    throw InvalidArgument("--slurm-option and --no-submit go with --slurm only");
  if (arguments.slurm && !arguments.jobs.empty())
    throw InvalidArgument("--jobs does not go with --slurm: Slurm says how many tasks run at a time");
  const std::size_t jobs = arguments.jobs.empty() ? 1 : parse_count("--jobs", arguments.jobs, 1, most_players);
  for (const std::string& option : arguments.slurm_options) check_slurm_option(option);
  const SweepPlan plan = read_plan(arguments.plan);
  if (arguments.dry_run && !arguments.slurm && arguments.out.empty()) {
    print_tasks(plan.tasks,
                arguments.tasks.empty() ? all_of(plan.tasks) : parse_tasks(arguments.tasks, plan.tasks.size()), out);
    return;
  }
  const SweepFolder folder(arguments.out, plan, arguments.plan);
  const std::vector<std::size_t> tasks = tasks_to_play(look_at_all(folder), arguments.tasks);
  if (arguments.slurm) {
    std::vector<std::string> options = plan.slurm;
    options.insert(options.end(), arguments.slurm_options.begin(), arguments.slurm_options.end());
    play_by_slurm(folder, tasks, arguments, options, out);
    return;
  }
  if (arguments.dry_run) {
    print_tasks(folder.tasks(), tasks, out);
    return;
  }
  folder.make();
  if (const std::size_t failed = print_reports(folder, play_here(folder, arguments.tasks, jobs), out); failed > 0)
    throw Error(fmt::format("{} tasks failed", failed));
}

void sweep_status(const SweepTaskArguments& arguments, std::ostream& out) {
  const SweepFolder folder(arguments.folder);
  print_reports(folder, look_at_all(folder), out);
}

void sweep_task(const SweepTaskArguments& arguments, std::ostream& out) {
  const SweepFolder folder(arguments.folder);
  play_task(folder, parse_count("task", arguments.task, 0, folder.tasks().size() - 1), out);
}

}  // namespace icpi::program
