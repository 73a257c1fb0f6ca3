// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#if defined(ICPI_HEADER_ONLY)
#error "icpi/process is compiled: link icpi::process and icpi::icpi instead of icpi::header_only"
#endif

namespace icpi {

/// How an environment in another process is started and asked. Give `command` or `shell_command`, not both.
struct ProcessOptions {
  std::vector<std::string> command{};  ///< a program, found in PATH, and its arguments: no shell reads them
  std::string shell_command{};         ///< one line for /bin/sh
  std::chrono::milliseconds start_timeout{60'000};     ///< how long the first answer, to `spec`, may take; above 0
  std::chrono::milliseconds timeout{10'000};           ///< how long every other answer may take; above 0
  std::size_t longest_answer = std::size_t{16} << 20;  ///< bytes of one line; at least 1024
  std::size_t step_limit = 0;          ///< steps after which an episode is truncated; 0: as the server says
  std::size_t default_step_limit = 0;  ///< the same where neither says one; 0: none
  double discount = 0.95;              ///< for planning, where the server says none; in (0, 1]
  std::size_t window = 1;              ///< an observation is the last so many of the server's, the newest last; 1 to 64

  /// Polled at least every 50 ms while the process is waited for; once true, the call that waits throws
  /// EnvironmentUnreachable, and a process that does not end by itself is killed.
  std::function<bool()> interrupted{};
};

}  // namespace icpi
