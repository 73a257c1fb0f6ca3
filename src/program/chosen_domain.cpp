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

ChosenDomain recorded_domain(const std::string& domain, const EnvironmentChoice& environment) {
  const auto told = [&](const Error& error) {
    std::string message = error.what();
    if (domain.empty() && is_command(environment.name))
      message += "; the run was begun with this command, which runs in the present folder: --env names another one";
    return message;
  };
  try {
    return {domain, environment};
  } catch (const EnvironmentUnreachable& error) {
    throw EnvironmentUnreachable(told(error));
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(told(error));
  }
}

}  // namespace icpi::program
