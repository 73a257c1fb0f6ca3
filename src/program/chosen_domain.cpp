// SPDX-License-Identifier: MIT
#include "chosen_domain.hpp"

#include "icpi/core/error.hpp"

namespace icpi::program {

ChosenDomain::ChosenDomain(const std::string& domain, const EnvironmentChoice& environment) {
  const bool of_others = !environment.name.empty();
  if (domain.empty() == !of_others)
    throw InvalidArgument(of_others ? "--domain and --env: give one of them"
                                    : "--domain is missing: see `icpi domains`; or give --env");
  if (of_others)
    environment_ = environment_program(environment);
  else
    program_ = &domain_program(domain);
  if (!of_others && (!environment.args.empty() || !environment.step_limit.empty()))
    throw InvalidArgument("--env-arg and --step-limit go with --env only");
}

}  // namespace icpi::program
