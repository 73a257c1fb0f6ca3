// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/core/error.hpp"

namespace icpi::detail {

/// A process did not do its part. The message says what it did instead, as the rest of a sentence about it.
class ChildFailure : public Error {
 public:
  using Error::Error;
};

/// It did not answer in time.
class ChildSilence : public ChildFailure {
 public:
  using ChildFailure::ChildFailure;
};

/// A descriptor that is closed with its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  [[nodiscard]] int get() const noexcept { return number_; }
  [[nodiscard]] bool is_open() const noexcept { return number_ >= 0; }
  void close() noexcept;

 private:
  int number_ = -1;
};

/// A program that is written and read line by line. What it says on its standard error is kept, the end of it.
/// Nothing of it is left when this object is gone, nor when this process is.
/// Thread-safety: one object by one thread at a time.
class ChildProcess {
 public:
  using Clock = std::chrono::steady_clock;

  /// Starts it. `arguments`: the program, found in PATH, and what follows. `interrupted`, which may be empty, is polled
  /// while it is waited for; once true, nobody waits any more. Throws ChildFailure.
  ChildProcess(const std::vector<std::string>& arguments, std::size_t longest_line, std::function<bool()> interrupted);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  /// Closes its input, gives it a moment to end, and kills it then.
  ~ChildProcess();

  /// Writes a line, which ends in a newline, and reads one, which is returned without. Throws ChildSilence when that takes
  /// longer than `timeout`, and ChildFailure: it ended, what it writes has no end, or the wait was interrupted.
  std::string exchange(std::string_view line, std::chrono::milliseconds timeout);

  /// Writes a line, or the part of it that its input takes at once, that needs no answer.
  void say(std::string_view line) noexcept;

  /// The end of what it said on its standard error.
  [[nodiscard]] std::string last_words();

  /// Ends it at once, and everything it started.
  void kill() noexcept;

 private:
  void read_output();
  void read_error();
  void read_status();
  void write_some(std::string_view& line) noexcept;
  std::optional<std::string> take_line();
  [[noreturn]] void fail_ended();
  bool wait_for_end(std::chrono::milliseconds timeout);
  [[nodiscard]] bool is_interrupted() const { return interrupted_ && interrupted_(); }
  [[nodiscard]] int milliseconds_to_wait(Clock::time_point deadline) const;
  void reap() noexcept;

  Descriptor input_;
  Descriptor output_;
  Descriptor error_;
  Descriptor status_;
  Descriptor lifeline_;
  pid_t guardian_ = -1;
  pid_t group_ = -1;                ///< of the program, once it has started
  std::optional<int> not_started_;  ///< errno
  std::optional<int> ended_;        ///< as of waitpid
  std::size_t longest_line_;
  std::function<bool()> interrupted_;
  std::string read_;          ///< of its output, not yet taken
  std::size_t searched_ = 0;  ///< of read_, without finding a newline
  std::string words_;
};

}  // namespace icpi::detail
