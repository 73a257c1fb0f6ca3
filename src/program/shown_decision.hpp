// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "decision_report.hpp"
#include "domain_program.hpp"
#include "icpi/concepts/environment.hpp"
#include "icpi/core/error.hpp"
#include "icpi/policy/agent.hpp"

namespace icpi::program {

/// What a person should know of a decision beside itself.
struct ShownNames {
  std::string_view domain;
  std::string model;
  std::vector<std::string> actions;  ///< as texts
  std::size_t episode_steps;         ///< of one episode, at most
};

/// Lets the agent learn, and prints one of its decisions.
template <class Icpi, Environment Env, class Formatter>
void show_decision(Icpi& agent, Env& env, const ShowRequest& request, const ShownNames& names,
                   const Formatter& formatter, std::ostream& out) {
  agent.train(env, {.episodes = request.episodes, .episode_steps = names.episode_steps});
  auto observation = env.reset(environment_key(request.seed).child(request.episodes).seed());
  agent.begin_episode(observation, EpisodeKind::evaluation);
  for (std::size_t step = 0; step < request.step; ++step) {
    auto next = env.step(act_in(env, agent, observation));
    agent.observe(next);
    if (next.terminated || next.truncated)
      throw InvalidArgument(fmt::format("--step {}: the episode ended after {} steps", request.step, step + 1));
    observation = std::move(next.observation);
  }
  const auto text = [&](ObservationId id) { return std::string(agent.memory().text(id)); };
  DecisionReport report(out, request.whole_prompts);
  agent.model().observe_queries([&](const QueryRecord& record) {
    report.query(record, agent.memory().text(record.question.observation), names.actions);
  });
  report.begin(names.domain, names.model, request.episodes, formatter.observation(observation));
  (void)act_in(env, agent, observation);
  const Decision& decision = agent.decision();
  report.rollouts(decision, agent.rollouts(), names.actions, text);
  report.planned(agent.planned_steps(), names.actions, text);
  report.decision(decision, names.actions);
}

}  // namespace icpi::program
