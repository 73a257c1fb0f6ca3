// SPDX-License-Identifier: MIT
#include "sweep_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <string_view>
#include <system_error>

#include "icpi/core/error.hpp"
#include "icpi/core/file_lock.hpp"
#include "icpi/core/json.hpp"
#include "icpi/core/json_line.hpp"
#include "parse.hpp"
#include "plan_file.hpp"
#include "run_directory.hpp"
#include "version_text.hpp"

namespace icpi::program {

namespace {

constexpr std::string_view sweep_file = "sweep.json";
constexpr std::string_view outcome_file = "task.json";
constexpr std::string_view lock_file = "task.lock";

std::string describe_sweep(const std::vector<SweepTask>& tasks, bool record, const std::string& plan) {
  JsonLine line;
  line.add("icpi", this_version()).add("plan", plan).add("record", record);
  line.add_list("tasks", tasks, [](const SweepTask& task, std::string& out) {
    JsonLine item;
    item.add("name", task.name).add_list("command", task.words, append_json_string);
    out += '\n' + item.str();
  });
  return line.str() + '\n';
}

/// Throws InvalidArgument unless it names folders below that of all tasks, as plans do.
void check_task_name(const std::string& name) {
  const std::filesystem::path path(name);
  const bool plain = std::all_of(path.begin(), path.end(), [](const std::filesystem::path& part) {
    return !part.empty() && part.string() == folder_name(part.string());
  });
  if (path.empty() || !plain) throw InvalidArgument(fmt::format("task '{}' does not name folders of the sweep", name));
}

/// The whole file as somebody else's lock would see it.
struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

bool is_sweep(const std::filesystem::path& path) { return std::filesystem::exists(path / sweep_file); }

SweepFolder::SweepFolder(const std::filesystem::path& path) : path_(path) {
  if (!is_sweep(path))
    throw InvalidArgument(fmt::format("'{}' holds no sweep: {} is missing", path.string(), sweep_file));
  read();
}

SweepFolder::SweepFolder(const std::filesystem::path& path, const SweepPlan& plan, const std::string& file)
    : path_(path) {
  if (path.empty()) throw InvalidArgument("--out is missing: name a folder for the sweep");
  if (!is_sweep(path)) {
    check_run_directory(path);
  } else {
    read();
    const auto refuse_other = [&](const std::string& why) {
      throw InvalidArgument(fmt::format("--out '{}': it holds another sweep than {}: {}", path.string(), file, why));
    };
    if (record_ != plan.record) refuse_other("requests and answers are recorded in one of them only");
    for (std::size_t i = 0; i < std::max(tasks_.size(), plan.tasks.size()); ++i) {
      const auto shown = [i](const std::vector<SweepTask>& tasks) {
        return i < tasks.size() ? fmt::format("'{}: icpi {}'", tasks[i].name, fmt::join(tasks[i].words, " ")) : "none";
      };
      if (i >= tasks_.size() || i >= plan.tasks.size() || tasks_[i] != plan.tasks[i])
        refuse_other(fmt::format("task {} is {} there, and {} in the plan", i, shown(tasks_), shown(plan.tasks)));
    }
  }
  tasks_ = plan.tasks;
  record_ = plan.record;
  plan_ = file;
}

void SweepFolder::make() const {
  if (is_sweep(path_)) return;
  make_run_directory(path_);
  write_file(path_ / sweep_file, describe_sweep(tasks_, record_, plan_));
}

void SweepFolder::read() {
  const auto file = path_ / sweep_file;
  try {
    const Json json = Json::parse(read_file(file));
    if (const std::string& version = json["icpi"].string(); version != this_version())
      throw InvalidArgument(
          fmt::format("it was begun by icpi {}, and this is {}: their records do not mix; allowed: "
                      "that version, or a new folder",
                      version, this_version()));
    plan_ = json["plan"].string();
    record_ = json["record"].boolean();
    for (const Json& each : json["tasks"].array()) {
      tasks_.push_back({each["name"].string(), {}});
      check_task_name(tasks_.back().name);
      for (const Json& word : each["command"].array()) tasks_.back().words.push_back(word.string());
    }
    if (tasks_.empty()) throw InvalidArgument("it lists no task");
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(fmt::format("{}: {}", file.string(), error.what()));
  }
}

std::filesystem::path SweepFolder::folder(std::size_t task) const {
  if (task >= tasks_.size())
    throw InvalidArgument(
        fmt::format("'{}': there is no task {}; allowed: 0 .. {}", path_.string(), task, tasks_.size() - 1));
  return path_ / "tasks" / tasks_[task].name;
}

std::optional<TaskOutcome> SweepFolder::outcome(std::size_t task) const {
  const auto file = folder(task) / outcome_file;
  if (!std::filesystem::exists(file)) return {};
  try {
    const Json json = Json::parse(read_file(file));
    return TaskOutcome{json["outcome"].string(), json["reason"].string(), json["host"].string()};
  } catch (const InvalidArgument& error) {
    return TaskOutcome{"failed", fmt::format("{}: {}", file.string(), error.what()), ""};
  }
}

void SweepFolder::write_outcome(std::size_t task, const TaskOutcome& outcome) const {
  JsonLine line;
  line.add("outcome", outcome.outcome).add("reason", outcome.reason).add("host", host_name());
  write_file(folder(task) / outcome_file, line.str() + '\n');
}

TaskReport SweepFolder::look(std::size_t task) const {
  bool held = TaskLock::is_held(folder(task));
  auto last = outcome(task);
  if (!held && last && last->outcome == "running") {  // it died; or it began, or even ended, between the two looks
    held = TaskLock::is_held(folder(task));
    last = outcome(task);
  }
  if (last && last->outcome == "done") return {TaskState::done, {}};
  if (held) return {TaskState::running, last ? "on " + last->host : ""};
  if (!last) return {};
  if (last->outcome == "failed") return {TaskState::failed, last->reason};
  return {TaskState::failed, fmt::format("ended on {} without a word: killed, or the machine was lost", last->host)};
}

TaskLock::TaskLock(const std::filesystem::path& folder) : file_(-1) {
  const auto name = folder / lock_file;
  file_ = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file_ < 0)
    throw Error(fmt::format("cannot create {}: {}", name.string(), std::generic_category().message(errno)));
  struct flock lock = whole_file();
  if (fcntl(file_, F_SETLK, &lock) == 0 || detail::lacks_locks(errno)) return;
  const int error = errno;
  close(file_);
  if (error == EACCES || error == EAGAIN) throw Error(fmt::format("another process plays {}", folder.string()));
  throw Error(fmt::format("cannot lock {}: {}", name.string(), std::generic_category().message(error)));
}

TaskLock::~TaskLock() { close(file_); }

bool TaskLock::is_held(const std::filesystem::path& folder) {
  const int file = open((folder / lock_file).c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  struct flock lock = whole_file();
  const bool held = fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  close(file);
  return held;
}

std::string task_list(const std::vector<std::size_t>& tasks) {
  std::string text;
  for (std::size_t i = 0; i < tasks.size();) {
    std::size_t last = i;
    while (last + 1 < tasks.size() && tasks[last + 1] == tasks[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += last == i ? fmt::to_string(tasks[i]) : fmt::format("{}-{}", tasks[i], tasks[last]);
    i = last + 1;
  }
  return text;
}

std::vector<std::size_t> parse_tasks(const std::string& text, std::size_t count) {
  std::set<std::size_t> tasks;
  std::string_view rest = text;
  while (true) {
    const std::string_view part = rest.substr(0, rest.find(','));
    const auto dash = part.find('-');
    std::size_t first = 0;
    bool valid = parse_number(part.substr(0, dash), first);
    std::size_t last = first;
    if (dash != std::string_view::npos) valid = valid && parse_number(part.substr(dash + 1), last);
    if (!valid || first > last || last >= count)
      throw InvalidArgument(fmt::format("--tasks '{}' is not allowed; expected numbers and ranges in 0 .. {}, as 3,7-9",
                                        text, count - 1));
    for (std::size_t task = first; task <= last; ++task) tasks.insert(task);
    if (part.size() == rest.size()) break;
    rest.remove_prefix(part.size() + 1);
  }
  return {tasks.begin(), tasks.end()};
}

}  // namespace icpi::program
