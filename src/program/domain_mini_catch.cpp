// SPDX-License-Identifier: MIT
#include "domain_program_of.hpp"
#include "icpi/domains/mini_catch_formatter.hpp"

namespace icpi::program {

const DomainProgram& mini_catch_program() {
  static const DomainProgramOf<MiniCatch> program;
  return program;
}

}  // namespace icpi::program
