// SPDX-License-Identifier: MIT
#include "domain_program_of.hpp"
#include "icpi/domains/mini_invaders_formatter.hpp"

namespace icpi::program {

const DomainProgram& mini_invaders_program() {
  static const DomainProgramOf<MiniInvaders> program;
  return program;
}

}  // namespace icpi::program
