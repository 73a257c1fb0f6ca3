// SPDX-License-Identifier: MIT
#include "guardian.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace icpi::detail {

namespace {

constexpr int status_end = 3;
constexpr int lifeline_end = 4;

void note(GuardianNote::Kind kind, int value) noexcept {
  const GuardianNote text{kind, value};
  while (write(status_end, &text, sizeof text) < 0 && errno == EINTR) {
  }
}

void close_from(int first) noexcept {
  if (close_range(static_cast<unsigned>(first), ~0U, 0) == 0) return;
  const long most = sysconf(_SC_OPEN_MAX);
  for (int each = first; each < (most > 0 ? most : 65536); ++each) close(each);
}

void default_signals() noexcept {
  for (int number = 1; number < NSIG; ++number) std::signal(number, SIG_DFL);  // what cannot be changed stays
}

void unblock_all() noexcept {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void become(char* const* arguments) noexcept {
  setpgid(0, 0);
  unblock_all();
  execvp(arguments[0], arguments);
  note(GuardianNote::Kind::not_started, errno);
  _exit(127);
}

/// Whether the program has ended; it stays a zombie, so that its group's number is not given to others.
bool has_ended(pid_t program) noexcept {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(program), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == program;
}

}  // namespace

void guard(const GuardianEnds& ends, char* const* arguments) noexcept {
  setpgid(0, 0);  // a Ctrl-C for whoever started it is none for it
  default_signals();
  dup2(ends.input, STDIN_FILENO);
  dup2(ends.output, STDOUT_FILENO);
  dup2(ends.error, STDERR_FILENO);
  dup2(ends.status, status_end);
  dup2(ends.lifeline, lifeline_end);
  close_from(lifeline_end + 1);  // other servers' pipes too, which would else not be seen to close
  fcntl(status_end, F_SETFD, FD_CLOEXEC);
  fcntl(lifeline_end, F_SETFD, FD_CLOEXEC);

  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_SETMASK, &child, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  struct sigaction interrupt {};
  interrupt.sa_handler = [](int) {};
  sigaction(SIGCHLD, &interrupt, nullptr);

  const pid_t program = fork();
  if (program == 0) {
    std::signal(SIGPIPE, SIG_DFL);
    std::signal(SIGCHLD, SIG_DFL);
    become(arguments);
  }
  if (program < 0) {
    note(GuardianNote::Kind::not_started, errno);
    _exit(1);
  }
  setpgid(program, program);  // whoever of the two comes first
  note(GuardianNote::Kind::started, program);
  for (int end = STDIN_FILENO; end <= STDERR_FILENO; ++end) close(end);

  sigset_t none;
  sigemptyset(&none);
  pollfd lifeline{lifeline_end, POLLIN, 0};
  while (!has_ended(program)) {
    if (ppoll(&lifeline, 1, nullptr, &none) > 0) break;  // closed: nobody is left who wants the program
  }
  kill(-program, SIGKILL);
  int status = 0;
  while (waitpid(program, &status, 0) < 0 && errno == EINTR) {
  }
  note(GuardianNote::Kind::ended, status);
  _exit(0);
}

}  // namespace icpi::detail
