// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "icpi/core/json.hpp"
#include "program/command_line.hpp"

namespace icpi::program {

/// The program with environments in other processes.
class Environments : public CommandLineTest {
 protected:
  void SetUp() override {
    CommandLineTest::SetUp();
    setenv("ICPI_PYTHON", ICPI_PYTHON_PROGRAM, 1);
    setenv("PYTHONPATH", ICPI_SOURCE_DIR "/python/servers", 1);
  }

  static std::string script(const std::string& name) {
    return std::string("process: ") + ICPI_PYTHON_PROGRAM + " " + ICPI_SOURCE_DIR + "/" + name;
  }
  static std::string walk(const std::string& options = "") {
    return script("tests/process/walk_server.py") + " " + options;
  }
  using Words = std::vector<std::string>;

  Words train(const std::string& env, const std::string& name, const Words& more = {}) const {
    Words words{"train", "--env", env, "--out", path(name), "--env-timeout", "60"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  std::vector<Json> records(const std::string& name) const {
    std::vector<Json> all;
    std::ifstream in(path(name + "/episodes.jsonl"));
    for (std::string line; std::getline(in, line);) all.push_back(Json::parse(line));
    return all;
  }
};

}  // namespace icpi::program
