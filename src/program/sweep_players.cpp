// SPDX-License-Identifier: MIT
#include "sweep_players.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <exception>
#include <fstream>
#include <map>
#include <ostream>
#include <string>
#include <system_error>
#include <thread>

#include "commands.hpp"
#include "icpi/core/error.hpp"
#include "interrupt.hpp"
#include "printable.hpp"
#include "sweep.hpp"
#include "train_options.hpp"

namespace icpi::program {

namespace {

constexpr std::array<int, 3> ending_signals{SIGINT, SIGTERM, SIGHUP};

/// Whether there is a log to go on with: its first line is whole.
bool has_begun(const std::filesystem::path& run) {
  std::ifstream log(run / "log.jsonl", std::ios::binary);
  std::string line;
  return std::getline(log, line) && !log.eof();
}

/// The task's command, with what depends on its folder.
TrainArguments task_command(const SweepFolder& sweep, std::size_t task) {
  Words words = sweep.tasks()[task].words;
  words.push_back("--out=" + sweep.run(task).string());
  if (sweep.records()) words.push_back("--record=" + sweep.recording(task).string());
  TrainArguments arguments = parse_train(words);
  arguments.recovery.words = words;
  if (has_begun(sweep.run(task)))
    arguments.recovery.log = open_log(sweep.run(task));
  else
    std::filesystem::remove_all(sweep.run(task));  // died before there was anything to go on with
  return arguments;
}

/// The process of a task, which becomes the program; returns its number.
pid_t start_player(const SweepFolder& sweep, std::size_t task) {
  std::filesystem::create_directories(sweep.folder(task));
  const std::string output = (sweep.folder(task) / "output.txt").string();
  const std::string program = own_program();
  const std::string folder = sweep.path().string();
  const std::string number = fmt::to_string(task);
  const pid_t parent = getpid();
  // Until it is the program, a signal ends the child: none is lost to the handlers that it has from here.
  sigset_t ending;
  sigset_t before;
  sigemptyset(&ending);
  for (const int each : ending_signals) sigaddset(&ending, each);
  sigprocmask(SIG_BLOCK, &ending, &before);
  const pid_t child = fork();
  if (child != 0) sigprocmask(SIG_SETMASK, &before, nullptr);
  if (child < 0) throw Error(fmt::format("cannot start a process: {}", std::generic_category().message(errno)));
  if (child > 0) return child;
  for (const int each : ending_signals) {
    struct sigaction now {};
    if (sigaction(each, nullptr, &now) == 0 && now.sa_handler != SIG_IGN) std::signal(each, SIG_DFL);
  }
  sigprocmask(SIG_SETMASK, &before, nullptr);
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
  if (getppid() != parent) _exit(1);
  const int file = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) _exit(1);
  dup2(file, STDOUT_FILENO);
  dup2(file, STDERR_FILENO);
  execl(program.c_str(), program.c_str(), "sweep", "task", folder.c_str(), number.c_str(), nullptr);
  _exit(127);
}

/// A task whose process ended without being able to say why.
void note_failed_start(const SweepFolder& sweep, std::size_t task, int status) {
  const bool started = sweep.outcome(task).has_value();
  if (started || !WIFEXITED(status) || WEXITSTATUS(status) == 0) return;
  sweep.write_outcome(
      task, {"failed",
             fmt::format("it could not be started; {} says more", (sweep.folder(task) / "output.txt").string()),
             {}});
}

}  // namespace

void play_task(const SweepFolder& sweep, std::size_t task, std::ostream& out) {
  std::filesystem::create_directories(sweep.folder(task));
  const TaskLock lock(sweep.folder(task));
  const auto last = sweep.outcome(task);
  if (last && last->outcome == "done") return;
  sweep.write_outcome(task, {"running", {}, {}});
  try {
    train(task_command(sweep, task), out);
  } catch (const std::exception& error) {
    sweep.write_outcome(task, {"failed", reason_of(error), {}});
    throw;
  }
  sweep.write_outcome(task, {"done", {}, {}});
}

void play_tasks(const SweepFolder& sweep, const std::vector<std::size_t>& tasks, std::size_t jobs) {
  constexpr std::chrono::milliseconds pause(20);
  watch_signals();
  std::map<pid_t, std::size_t> players;
  bool told = false;
  for (auto next = tasks.begin(); next != tasks.end() || !players.empty();) {
    const bool ending = interrupting_signal() != 0;
    if (ending && players.empty()) break;
    if (!ending && next != tasks.end() && players.size() < jobs) {
      players.emplace(start_player(sweep, *next), *next);
      ++next;
      continue;
    }
    if (ending && !told)
      for (const auto& [player, task] : players) kill(player, SIGTERM);
    told = ending;
    int status = 0;
    const pid_t ended = waitpid(-1, &status, WNOHANG);
    if (ended <= 0) {
      std::this_thread::sleep_for(pause);
      continue;
    }
    if (const auto found = players.find(ended); found != players.end()) {
      note_failed_start(sweep, found->second, status);
      players.erase(found);
    }
  }
  if (interrupting_signal() != 0) throw Interrupted("stopped; the same command goes on");
}

}  // namespace icpi::program
