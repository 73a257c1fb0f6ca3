// SPDX-License-Identifier: MIT
#include "child_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <system_error>
#include <utility>

#include "guardian.hpp"

namespace icpi::detail {

namespace {

constexpr std::size_t kept_words = 4096;
constexpr std::size_t shown_words = 600;
constexpr std::chrono::milliseconds grace{2000};
constexpr std::chrono::milliseconds hurried_grace{200};  // after an interrupt
constexpr int milliseconds_between_polls = 50;
constexpr int above_standard = 10;  // the guardian puts pipes at 0 .. 4

std::string reason(int number) { return std::generic_category().message(number); }

[[noreturn]] void fail_to_start(int number) {
  throw ChildFailure(fmt::format("could not be started: {}", reason(number)));
}

Descriptor moved_up(const Descriptor& low) {
  const int high = fcntl(low.get(), F_DUPFD_CLOEXEC, above_standard);
  if (high < 0) fail_to_start(errno);
  return Descriptor(high);
}

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) fail_to_start(errno);
  const Descriptor read_end(ends[0]);
  const Descriptor write_end(ends[1]);
  return {moved_up(read_end), moved_up(write_end)};
}

void make_nonblocking(const Descriptor& end) {
  const int flags = fcntl(end.get(), F_GETFL);
  if (flags < 0 || fcntl(end.get(), F_SETFL, flags | O_NONBLOCK) < 0) fail_to_start(errno);
}

/// Keeps writing to a closed pipe from raising SIGPIPE in this thread, whatever the program does about that signal.
class NoPipeSignal {
 public:
  NoPipeSignal() {
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  NoPipeSignal(const NoPipeSignal&) = delete;
  NoPipeSignal& operator=(const NoPipeSignal&) = delete;
  ~NoPipeSignal() {
    const timespec none{};
    while (!was_pending_ && sigtimedwait(&pipe_, nullptr, &none) < 0 && errno == EINTR) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

}  // namespace

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

Descriptor::~Descriptor() { close(); }

void Descriptor::close() noexcept {
  if (number_ >= 0) ::close(std::exchange(number_, -1));
}

ChildProcess::ChildProcess(const std::vector<std::string>& arguments, std::size_t longest_line,
                           std::function<bool()> interrupted)
    : longest_line_(longest_line), interrupted_(std::move(interrupted)) {
  std::vector<std::string> words = arguments;
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  Pipe input = make_pipe();
  Pipe output = make_pipe();
  Pipe error = make_pipe();
  Pipe status = make_pipe();
  Pipe lifeline = make_pipe();
  for (const Descriptor* end : {&input.write, &output.read, &error.read, &status.read}) make_nonblocking(*end);
  const GuardianEnds ends{input.read.get(), output.write.get(), error.write.get(), status.write.get(),
                          lifeline.read.get()};
  guardian_ = fork();
  if (guardian_ < 0) fail_to_start(errno);
  if (guardian_ == 0) guard(ends, pointers.data());
  input_ = std::move(input.write);
  output_ = std::move(output.read);
  error_ = std::move(error.read);
  status_ = std::move(status.read);
  lifeline_ = std::move(lifeline.write);
}

ChildProcess::~ChildProcess() {
  input_.close();
  try {
    wait_for_end(grace);
  } catch (const Error&) {  // it is killed in any case
  }
  kill();
}

void ChildProcess::kill() noexcept {
  input_.close();
  lifeline_.close();
  reap();
}

/// Waits for the guardian, which ends once the program is gone.
void ChildProcess::reap() noexcept {
  if (guardian_ < 0) return;
  while (waitpid(guardian_, nullptr, 0) < 0 && errno == EINTR) {
  }
  guardian_ = -1;
  read_status();
  // A guardian that was killed itself has left the program to us.
  if (group_ > 0 && !ended_) ::kill(-group_, SIGKILL);
}

/// Until it is time to look again whether anybody still waits.
int ChildProcess::milliseconds_to_wait(Clock::time_point deadline) const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, interrupted_ ? milliseconds_between_polls : 1'000'000));
}

std::string ChildProcess::exchange(std::string_view line, std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (true) {
    if (line.empty()) {
      if (auto answer = take_line()) return std::move(*answer);
    }
    if (!output_.is_open()) fail_ended();
    if (is_interrupted()) throw ChildFailure("is not waited for any longer: interrupted");
    std::array<pollfd, 4> ends{{{output_.get(), POLLIN, 0},
                                {error_.get(), POLLIN, 0},
                                {status_.get(), POLLIN, 0},
                                {line.empty() ? -1 : input_.get(), POLLOUT, 0}}};
    const int ready = poll(ends.data(), ends.size(), milliseconds_to_wait(deadline));
    if (ready < 0 && errno != EINTR) throw ChildFailure(fmt::format("cannot be waited for: {}", reason(errno)));
    if (ready == 0 && Clock::now() >= deadline)
      throw ChildSilence(fmt::format("has not answered for {} s", std::chrono::duration<double>(timeout).count()));
    if (ready <= 0) continue;
    if (ends[1].revents != 0) read_error();
    if (ends[2].revents != 0) read_status();
    if (ends[3].revents != 0) write_some(line);
    if (ends[0].revents != 0) read_output();
  }
}

void ChildProcess::say(std::string_view line) noexcept {
  if (input_.is_open()) write_some(line);
}

void ChildProcess::write_some(std::string_view& line) noexcept {
  const NoPipeSignal guard;
  const ssize_t written = write(input_.get(), line.data(), line.size());
  if (written > 0) line.remove_prefix(static_cast<std::size_t>(written));
  // Nobody reads what is left: whether it has ended shows at its output.
  if (written < 0 && errno == EPIPE) line = {};
}

void ChildProcess::read_output() {
  std::array<char, 65536> buffer;
  const ssize_t size = read(output_.get(), buffer.data(), buffer.size());
  if (size > 0) {
    read_.append(buffer.data(), static_cast<std::size_t>(size));
    if (read_.size() > longest_line_ + buffer.size())
      throw ChildFailure(fmt::format("answers with more than {} bytes", longest_line_));
  } else if (size == 0) {
    output_.close();
  }
}

std::optional<std::string> ChildProcess::take_line() {
  const auto end = read_.find('\n', searched_);
  searched_ = read_.size();
  if (end == std::string::npos) return std::nullopt;
  if (end > longest_line_) throw ChildFailure(fmt::format("answers with more than {} bytes", longest_line_));
  std::string line = read_.substr(0, end);
  read_.erase(0, end + 1);
  searched_ = 0;
  return line;
}

void ChildProcess::read_error() {
  std::array<char, 4096> buffer;
  const ssize_t size = read(error_.get(), buffer.data(), buffer.size());
  if (size > 0) words_.append(buffer.data(), static_cast<std::size_t>(size));
  if (size == 0) error_.close();
  if (words_.size() > 2 * kept_words) words_.erase(0, words_.size() - kept_words);
}

void ChildProcess::read_status() {
  GuardianNote note{};
  while (status_.is_open()) {
    const ssize_t size = read(status_.get(), &note, sizeof note);
    if (size != static_cast<ssize_t>(sizeof note)) {
      if (size == 0) status_.close();
      return;
    }
    if (note.kind == GuardianNote::Kind::started) group_ = note.value;
    if (note.kind == GuardianNote::Kind::not_started) not_started_ = note.value;
    if (note.kind == GuardianNote::Kind::ended) ended_ = note.value;
  }
}

/// Waits until the guardian says that the program has ended, or is gone itself; returns whether that came in time.
bool ChildProcess::wait_for_end(std::chrono::milliseconds timeout) {
  const auto begin = Clock::now();
  auto deadline = begin + timeout;
  while (status_.is_open() && !ended_) {
    if (is_interrupted()) deadline = std::min(deadline, begin + hurried_grace);
    std::array<pollfd, 3> ends{{{status_.get(), POLLIN, 0}, {error_.get(), POLLIN, 0}, {output_.get(), POLLIN, 0}}};
    const int ready = poll(ends.data(), ends.size(), milliseconds_to_wait(deadline));
    if (ready == 0 && Clock::now() >= deadline) return false;
    if (ready <= 0) continue;
    if (ends[1].revents != 0) read_error();
    if (ends[2].revents != 0) {  // nobody waits for it any more
      read_output();
      read_.clear();
      searched_ = 0;
    }
    if (ends[0].revents != 0) read_status();
  }
  return true;
}

/// Its output is closed: says why.
void ChildProcess::fail_ended() {
  const bool in_time = wait_for_end(grace);
  while (error_.is_open()) {  // all that it said before it ended; what it started may hold the pipe open
    pollfd end{error_.get(), POLLIN, 0};
    if (poll(&end, 1, 0) <= 0) break;
    read_error();
  }
  if (not_started_) fail_to_start(*not_started_);
  if (!in_time) throw ChildFailure("has closed its output");
  if (!ended_) throw ChildFailure("was left alone: the process that guards it is gone");
  if (WIFSIGNALED(*ended_))
    throw ChildFailure(fmt::format("was ended by signal {} ({})", WTERMSIG(*ended_), strsignal(WTERMSIG(*ended_))));
  throw ChildFailure(fmt::format("has ended with exit code {}", WEXITSTATUS(*ended_)));
}

std::string ChildProcess::last_words() {
  while (error_.is_open()) {
    pollfd end{error_.get(), POLLIN, 0};
    if (poll(&end, 1, 0) <= 0) break;
    read_error();
  }
  std::string words = words_.substr(words_.size() - std::min(words_.size(), shown_words));
  const auto first_end = words.find('\n');
  if (words.size() < words_.size() && first_end != std::string::npos) words.erase(0, first_end + 1);
  while (words.ends_with('\n') || words.ends_with(' ')) words.pop_back();
  std::string line;
  for (const char each : words) line += each == '\n' ? std::string(" / ") : std::string(1, each);
  return line;
}

}  // namespace icpi::detail
