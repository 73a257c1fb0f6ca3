// SPDX-License-Identifier: MIT
#include "domain_program.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "icpi/core/error.hpp"

namespace icpi::program {

const std::array<const DomainProgram*, 6>& all_domain_programs() {
  static const std::array<const DomainProgram*, 6> all{&chain_program(),         &distractor_chain_program(),
                                                       &maze_program(),          &mini_catch_program(),
                                                       &mini_invaders_program(), &point_mass_program()};
  return all;
}

const DomainProgram& domain_program(std::string_view name) {
  std::vector<std::string_view> known;
  for (const DomainProgram* each : all_domain_programs()) {
    if (each->facts().name == name) return *each;
    known.push_back(each->facts().name);
  }
  throw InvalidArgument(fmt::format("unknown domain '{}': choose one of {}", name, fmt::join(known, ", ")));
}

Method method_for(const Method& method, const DomainProgram& domain) {
  const DomainFacts facts = domain.facts();
  Method result = method;
  if (result.describes_task) result.task = domain.task();
  if (result.describes_task && result.task.empty())
    throw InvalidArgument(fmt::format("--describe-task: {} says nothing of its task; --task TEXT does", facts.name));
  if (!result.sets_step_limit) result.settings.rollouts.step_limit = facts.rollout_limit;
  if (result.settings.bound_stated && facts.highest_reward)
    result.settings.optimism.reward_bound = facts.highest_reward;
  if (result.kind != AgentKind::no_argmax) return result;
  result.settings.values = ValueChoice::policy_alone;  // as no_argmax_options() has it
  result.settings.hopes = false;
  result.settings.warms_up = true;
  result.settings.warm_up.abrupt = true;
  result.settings.return_threshold = facts.success_threshold;
  return result;
}

}  // namespace icpi::program
