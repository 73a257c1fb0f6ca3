// SPDX-License-Identifier: MIT
#pragma once

#include <stdexcept>

#include "icpi/core/export.hpp"

namespace icpi {

/// Base of every exception that icpi throws. The message is one line that names what was wrong and where.
class ICPI_API Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The caller passed a value that cannot be used: an option, an argument, a file's content, a reward that is not
/// finite. Thrown before anything was changed.
class ICPI_API InvalidArgument : public Error {
 public:
  using Error::Error;
};

/// What carries an environment is gone or unreliable - its process ended, is silent, says what makes no sense - and the
/// task did not fail. Runs stop and record nothing of it, so that one that is continued goes on as if it had not been.
class ICPI_API EnvironmentUnreachable : public Error {
 public:
  using Error::Error;
};

}  // namespace icpi
