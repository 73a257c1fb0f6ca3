// SPDX-License-Identifier: MIT
#include "domain_program_of.hpp"
#include "icpi/domains/point_mass_formatter.hpp"

namespace icpi::program {

const DomainProgram& point_mass_program() {
  static const DomainProgramOf<PointMass> program;
  return program;
}

}  // namespace icpi::program
