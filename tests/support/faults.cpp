// SPDX-License-Identifier: MIT
// A library to be preloaded (LD_PRELOAD): what the C library's functions do when a machine fails, or ends the process.
// The environment says what happens; what it does not name works as ever. Linux alone.
//   ICPI_FAULT_COUNT=FILE            how many changes to files the process made, a line at its end
//   ICPI_FAULT_KILL_AT=N             SIGKILL at the Nth change: before, in the middle of, or after it
//   ICPI_FAULT_DISK_BYTES=N          so many bytes can be written; then a write fails
//   ICPI_FAULT_DISK_ERROR=N          with this errno
//   ICPI_FAULT_DISK_MICROSECONDS=N   every change takes so much longer
//   ICPI_FAULT_CLOCK_AFTER=N         after so many looks at the clock of the day
//   ICPI_FAULT_CLOCK_SECONDS=N       it is so much ahead, or behind
// Changes are writes to regular files, their cutting and syncing, renaming and removing. Standard streams do not count.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <string>

namespace {

long number_of(const char* name, long otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtol(value, nullptr, 10);
}

struct Faults {
  long kill_at = number_of("ICPI_FAULT_KILL_AT", 0);
  long disk_bytes = number_of("ICPI_FAULT_DISK_BYTES", -1);
  long disk_error = number_of("ICPI_FAULT_DISK_ERROR", ENOSPC);
  long disk_microseconds = number_of("ICPI_FAULT_DISK_MICROSECONDS", 0);
  long clock_after = number_of("ICPI_FAULT_CLOCK_AFTER", 0);
  long clock_seconds = number_of("ICPI_FAULT_CLOCK_SECONDS", 0);
  std::atomic<long> changes{0};
  std::atomic<long> written{0};
  std::atomic<long> looks{0};
};

Faults& faults() {
  static Faults all;
  return all;
}

void die() {
  syscall(SYS_kill, getpid(), SIGKILL);
  while (true) pause();
}

bool is_regular(int file) {
  struct stat status {};
  return file > STDERR_FILENO && fstat(file, &status) == 0 && S_ISREG(status.st_mode);
}

/// Where the process dies at this change; it does not.
enum class Death { no, before, within, after };

Death next_change() {
  if (faults().disk_microseconds > 0) {
    const timespec pause{faults().disk_microseconds / 1'000'000, faults().disk_microseconds % 1'000'000 * 1000};
    syscall(SYS_nanosleep, &pause, nullptr);
  }
  const long number = ++faults().changes;
  if (number != faults().kill_at) return Death::no;
  return number % 3 == 0 ? Death::before : number % 3 == 1 ? Death::within : Death::after;
}

/// A change that is made or not.
template <class Do>
auto change(Do&& do_it) {
  const Death death = next_change();
  if (death == Death::before) die();
  const auto result = do_it();
  if (death != Death::no) die();
  return result;
}

/// A change that can be made in part: do_it(size).
template <class Do>
ssize_t write_change(int file, std::size_t size, Do&& do_it) {
  if (!is_regular(file)) return static_cast<ssize_t>(do_it(size));
  const Death death = next_change();
  if (death == Death::before) die();
  if (faults().disk_bytes >= 0 && size > 0) {
    const long left = faults().disk_bytes - faults().written;
    if (left <= 0) {
      errno = static_cast<int>(faults().disk_error);
      return -1;
    }
    size = std::min(size, static_cast<std::size_t>(left));
  }
  if (death == Death::within) {
    do_it(size / 2);
    die();
  }
  const long count = do_it(size);
  if (death == Death::after) die();
  if (count > 0) faults().written += count;
  return static_cast<ssize_t>(count);
}

int look_at_clock(clockid_t clock, timespec* time) {
  const auto result = static_cast<int>(syscall(SYS_clock_gettime, clock, time));
  const bool of_the_day = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
  if (result == 0 && of_the_day && ++faults().looks > faults().clock_after) time->tv_sec += faults().clock_seconds;
  return result;
}

__attribute__((destructor)) void tell_changes() {
  const char* name = std::getenv("ICPI_FAULT_COUNT");
  if (name == nullptr) return;
  const std::string line = std::to_string(faults().changes) + "\n";
  const long file = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND, 0600);
  syscall(SYS_write, file, line.data(), line.size());
  syscall(SYS_close, file);
}

}  // namespace

extern "C" {

ssize_t write(int file, const void* bytes, std::size_t size) {
  return write_change(file, size, [&](std::size_t part) { return syscall(SYS_write, file, bytes, part); });
}

ssize_t pwrite(int file, const void* bytes, std::size_t size, off_t offset) {
  return write_change(file, size, [&](std::size_t part) { return syscall(SYS_pwrite64, file, bytes, part, offset); });
}

ssize_t pwrite64(int file, const void* bytes, std::size_t size, off64_t offset) {
  return write_change(file, size, [&](std::size_t part) { return syscall(SYS_pwrite64, file, bytes, part, offset); });
}

/// Piece by piece, as one write.
ssize_t writev(int file, const iovec* pieces, int count) {
  if (!is_regular(file)) return static_cast<ssize_t>(syscall(SYS_writev, file, pieces, count));
  std::string all;
  for (int i = 0; i < count; ++i) all.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
  return write(file, all.data(), all.size());
}

int fsync(int file) {
  return change([&] { return static_cast<int>(syscall(SYS_fsync, file)); });
}

int fdatasync(int file) {
  return change([&] { return static_cast<int>(syscall(SYS_fdatasync, file)); });
}

int ftruncate(int file, off_t size) noexcept {
  return change([&] { return static_cast<int>(syscall(SYS_ftruncate, file, size)); });
}

int ftruncate64(int file, off64_t size) noexcept {
  return change([&] { return static_cast<int>(syscall(SYS_ftruncate, file, size)); });
}

int rename(const char* from, const char* to) noexcept {
  return change([&] { return static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0)); });
}

int unlink(const char* path) noexcept {
  return change([&] { return static_cast<int>(syscall(SYS_unlinkat, AT_FDCWD, path, 0)); });
}

int clock_gettime(clockid_t clock, timespec* time) noexcept { return look_at_clock(clock, time); }

std::time_t time(std::time_t* place) noexcept {
  timespec now{};
  look_at_clock(CLOCK_REALTIME, &now);
  if (place != nullptr) *place = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday(timeval* place, void*) noexcept {
  timespec now{};
  const int result = look_at_clock(CLOCK_REALTIME, &now);
  if (result == 0) *place = {now.tv_sec, now.tv_nsec / 1000};
  return result;
}

}  // extern "C"
