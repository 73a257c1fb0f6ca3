// SPDX-License-Identifier: MIT
#pragma once

namespace icpi_test {

/// While one lives, flock() fails in this program as on a file system that has no locks. Needs file_locks.cpp among the
/// program's sources. One at a time.
class NoFileLocks {
 public:
  /// `error`: what flock() fails with.
  explicit NoFileLocks(int error);
  NoFileLocks(const NoFileLocks&) = delete;
  NoFileLocks& operator=(const NoFileLocks&) = delete;
  ~NoFileLocks();
};

}  // namespace icpi_test
