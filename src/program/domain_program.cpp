// SPDX-License-Identifier: MIT
#include "domain_program.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "icpi/baselines/no_argmax.hpp"
#include "icpi/core/error.hpp"

namespace icpi::program {

const DomainProgram& domain_program(std::string_view name) {
  std::vector<std::string_view> known;
  for (const DomainProgram* each : {&chain_program(), &distractor_chain_program(), &maze_program(),
                                    &mini_catch_program(), &mini_invaders_program(), &point_mass_program()}) {
    if (each->facts().name == name) return *each;
    known.push_back(each->facts().name);
  }
  throw InvalidArgument(fmt::format("unknown domain '{}': choose one of {}", name, fmt::join(known, ", ")));
}

Method method_for(const Method& method, const DomainFacts& facts) {
  Method result = method;
  if (!result.sets_step_limit) result.options.decisions.rollouts.step_limit = facts.rollout_limit;
  if (result.kind == AgentKind::no_argmax) result.options = no_argmax_options(result.options, facts.success_threshold);
  return result;
}

}  // namespace icpi::program
