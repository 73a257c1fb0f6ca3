// SPDX-License-Identifier: MIT
#include "domain_program_of.hpp"
#include "icpi/domains/maze_formatter.hpp"

namespace icpi::program {

const DomainProgram& maze_program() {
  static const DomainProgramOf<Maze> program;
  return program;
}

}  // namespace icpi::program
