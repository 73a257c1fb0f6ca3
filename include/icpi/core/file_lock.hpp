// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>

namespace icpi::detail {

/// Whether this error of flock() says that the file system has no locks, as network file systems may be mounted. Who
/// goes on there without says so: nothing keeps a second process out.
[[nodiscard]] inline bool lacks_locks(int error) noexcept {
  return error == ENOSYS || error == EOPNOTSUPP || error == ENOLCK;
}

}  // namespace icpi::detail
