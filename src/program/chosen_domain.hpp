// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "domain_program.hpp"
#include "environment_program.hpp"

namespace icpi::program {

/// What --domain or --env names: a domain, or an environment in another process.
class ChosenDomain {
 public:
  /// Throws InvalidArgument unless it is exactly one of them.
  ChosenDomain(const std::string& domain, const EnvironmentChoice& environment);

  [[nodiscard]] bool is_environment() const noexcept { return environment_ != nullptr; }
  [[nodiscard]] const DomainProgram& program() const noexcept { return environment_ ? *environment_ : *program_; }

 private:
  std::unique_ptr<DomainProgram> environment_;
  const DomainProgram* program_ = nullptr;
};

/// The same for a run that is played again. Where the command of `process:` that it was begun with does not start, the
/// message says how to name it anew.
ChosenDomain recorded_domain(const std::string& domain, const EnvironmentChoice& environment);

}  // namespace icpi::program
