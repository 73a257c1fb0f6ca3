// SPDX-License-Identifier: MIT
#include "domain_program_of.hpp"
#include "icpi/domains/distractor_chain_formatter.hpp"

namespace icpi::program {

const DomainProgram& distractor_chain_program() {
  static const DomainProgramOf<DistractorChain> program;
  return program;
}

}  // namespace icpi::program
