// SPDX-License-Identifier: MIT
#include "domain_program_of.hpp"
#include "icpi/domains/chain_formatter.hpp"

namespace icpi::program {

const DomainProgram& chain_program() {
  static const DomainProgramOf<Chain> program;
  return program;
}

}  // namespace icpi::program
