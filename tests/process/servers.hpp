// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "icpi/process/options.hpp"

namespace icpi::test {

/// The server tests/process/walk_server.py, with these options.
inline ProcessOptions walk(std::vector<std::string> words = {}) {
  ProcessOptions options;
  options.command = {ICPI_PYTHON_PROGRAM, ICPI_SOURCE_DIR "/tests/process/walk_server.py"};
  options.command.insert(options.command.end(), words.begin(), words.end());
  options.timeout = std::chrono::seconds(60);
  return options;
}

/// A server that is a line for the shell.
inline ProcessOptions shell(std::string line) {
  ProcessOptions options;
  options.shell_command = std::move(line);
  options.timeout = std::chrono::seconds(60);
  return options;
}

/// Answers to `spec`, with one integer field `x` and these actions, and to what follows.
inline ProcessOptions replies(const std::vector<std::string>& lines) {
  std::string script =
      "read l; echo '{\"id\":1,\"protocol\":1,\"name\":\"r\",\"fields\":[{\"name\":\"x\",\"kind\":"
      "\"integer\"}],\"actions\":[\"a\",\"b\"]}'";
  for (const auto& line : lines) script += "; read l; echo '" + line + "'";
  return shell(script + "; read l");
}

}  // namespace icpi::test
