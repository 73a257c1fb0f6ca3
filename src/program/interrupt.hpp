// SPDX-License-Identifier: MIT
#pragma once

#include "icpi/core/error.hpp"

namespace icpi::program {

/// A signal asked for the end; what was done is recorded.
class Interrupted : public Error {
 public:
  using Error::Error;
};

/// From now on SIGINT, SIGTERM and SIGHUP are remembered; each ends the process at once the second time. Those that the
/// parent process told this one to ignore stay ignored. A full disk is an error of write(), not a signal.
void watch_signals();

/// The signal that came; 0: none. Thread-safe.
int interrupting_signal() noexcept;

}  // namespace icpi::program
