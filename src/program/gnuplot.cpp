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
#include "run_directory.hpp"

extern char** environ;

namespace icpi::program {

namespace {

void run_gnuplot(const std::filesystem::path& folder, const std::filesystem::path& script) {
  std::string program = "gnuplot";
  std::string argument = std::filesystem::absolute(script).string();
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
  if (status != 0) throw Error(fmt::format("gnuplot failed on {}", script.string()));
}

/// Whether a figure has its end: gnuplot does not notice that a disk is full.
bool is_whole(const std::filesystem::path& figure) {
  if (!std::filesystem::exists(figure)) return false;
  std::string bytes = read_file(figure);
  while (bytes.ends_with('\n')) bytes.pop_back();
  return bytes.ends_with("</svg>") || bytes.ends_with("IEND\xAE\x42\x60\x82");
}

}  // namespace

void draw_figure(const std::filesystem::path& folder, const std::string& name) {
  const TemporaryFolder drawn("drawing", folder);
  run_gnuplot(drawn.path(), folder / (name + ".gp"));
  for (const std::string& file : {name + ".svg", name + ".png"}) {
    if (!is_whole(drawn.path() / file))
      throw Error(fmt::format("gnuplot did not write all of {}: the disk may be full", (folder / file).string()));
  }
  for (const std::string& file : {name + ".svg", name + ".png"})
    std::filesystem::rename(drawn.path() / file, folder / file);
}

}  // namespace icpi::program
