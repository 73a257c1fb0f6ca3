// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sweep_plan.hpp"

namespace icpi::program {

/// How a task stands.
enum class TaskState : std::uint8_t {
  done,
  running,  ///< somebody plays it
  waiting,  ///< in Slurm's queue
  failed,   ///< it ended before its end; playing it again goes on where it was
  missing   ///< nobody played it yet
};

/// A state, and what is known of it.
struct TaskReport {
  TaskState state = TaskState::missing;
  std::string reason;  ///< in words; empty: nothing is known beyond the state
};

/// What the player of a task leaves behind: how far it came, and why not further.
struct TaskOutcome {
  std::string outcome;  ///< "running", "done" or "failed"
  std::string reason;   ///< of a failure
  std::string host;     ///< the machine that played it
};

/// The folder of a sweep: sweep.json, which lists the tasks, and for each of them tasks/<name> with the run and what is
/// known of it.
class SweepFolder {
 public:
  /// Opens one that exists. Throws InvalidArgument when it is none, or of another version of icpi.
  explicit SweepFolder(const std::filesystem::path& path);

  /// One for this plan, which is read from `file`; nothing is written. Throws InvalidArgument when the folder holds
  /// anything else than a sweep of equal tasks.
  SweepFolder(const std::filesystem::path& path, const SweepPlan& plan, const std::string& file);

  /// Writes sweep.json if there is none. Throws InvalidArgument when the folder cannot be written.
  void make() const;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] const std::vector<SweepTask>& tasks() const noexcept { return tasks_; }
  [[nodiscard]] bool records() const noexcept { return record_; }           ///< requests and answers
  [[nodiscard]] const std::string& plan() const noexcept { return plan_; }  ///< the file it was read from

  /// Where the task's files are. Throws InvalidArgument when there is no such task.
  [[nodiscard]] std::filesystem::path folder(std::size_t task) const;
  [[nodiscard]] std::filesystem::path run(std::size_t task) const { return folder(task) / "run"; }
  [[nodiscard]] std::filesystem::path recording(std::size_t task) const { return folder(task) / "recording.jsonl"; }

  /// What the task's last player wrote; nothing: there was none. What cannot be read is a failure.
  [[nodiscard]] std::optional<TaskOutcome> outcome(std::size_t task) const;
  /// Replaces it, all or nothing. Throws Error.
  void write_outcome(std::size_t task, const TaskOutcome& outcome) const;

  /// How the task stands, as far as its folder tells.
  [[nodiscard]] TaskReport look(std::size_t task) const;

 private:
  void read();

  std::filesystem::path path_;
  std::vector<SweepTask> tasks_;
  bool record_ = false;
  std::string plan_;
};

/// Whether the folder holds a sweep.
bool is_sweep(const std::filesystem::path& path);

/// Keeps a task to one process, on all machines that share the file system if that has locks; where it has none, the log
/// of the run says so. Released at its end, and by the process's death.
class TaskLock {
 public:
  /// Throws Error when another process has it.
  explicit TaskLock(const std::filesystem::path& folder);
  ~TaskLock();
  TaskLock(const TaskLock&) = delete;
  TaskLock& operator=(const TaskLock&) = delete;

  /// Whether another process has it; takes nothing.
  static bool is_held(const std::filesystem::path& folder);

 private:
  int file_;
};

/// "3,7-9": these tasks, in ascending order.
std::string task_list(const std::vector<std::size_t>& tasks);

/// Reads such a list. Throws InvalidArgument for numbers that are no task.
std::vector<std::size_t> parse_tasks(const std::string& text, std::size_t count);

}  // namespace icpi::program
