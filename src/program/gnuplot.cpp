// SPDX-License-Identifier: MIT
#include "gnuplot.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "icpi/core/error.hpp"

extern char** environ;

namespace icpi::program {

void run_gnuplot(const std::filesystem::path& folder, const char* script) {
  std::string program = "gnuplot";
  std::string argument = script;
  std::array<char*, 3> arguments{program.data(), argument.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  pid_t child = 0;
  const int failed = posix_spawnp(&child, program.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0)
    throw Error(fmt::format("gnuplot cannot be run ({}): install the package gnuplot-nox, then `icpi plot`",
                            std::strerror(failed)));
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw Error("gnuplot: its end cannot be waited for");
  }
  if (status != 0) throw Error(fmt::format("gnuplot failed on {}", (folder / script).string()));
}

}  // namespace icpi::program
