// SPDX-License-Identifier: MIT
#include "support/file_locks.hpp"

#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace {

std::atomic<int> lock_error{0};  // 0: locks work

}  // namespace

/// In the place of the C library's.
extern "C" int flock(int file, int operation) noexcept {
  if (lock_error == 0) return static_cast<int>(syscall(SYS_flock, file, operation));
  errno = lock_error;
  return -1;
}

namespace icpi_test {

NoFileLocks::NoFileLocks(int error) { lock_error = error; }
NoFileLocks::~NoFileLocks() { lock_error = 0; }

}  // namespace icpi_test
