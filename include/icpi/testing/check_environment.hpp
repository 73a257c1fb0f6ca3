// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <string>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/legal_actions.hpp"
#include "icpi/core/error.hpp"
#include "icpi/core/random.hpp"
#include "icpi/testing/episodes.hpp"
#include "icpi/testing/report.hpp"

namespace icpi::testing {

/// How thoroughly an environment is checked.
struct EnvironmentCheck {
  int episodes = 20;       ///< seeds 0 .. episodes - 1, with random actions
  int max_steps = 200;     ///< longer episodes are cut
  int draws = 2000;        ///< from one state, where distributions are compared
  std::size_t states = 8;  ///< reached states at which they are compared
};

namespace detail {

/// Where something happened: the description of a counterexample.
inline auto at_step(std::uint64_t seed, std::size_t step) {
  return [=] { return fmt::format("seed {}, step {}", seed, step); };
}

template <class Env>
void check_action_set(const Env& env, Report& report) {
  const auto actions = actions_of(env);
  report.expect(!actions.empty(), "There is at least one action.", [] { return "actions() is empty"; });
  for (std::size_t i = 0; i < actions.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      report.expect(!(actions[i] == actions[j]), "No action is listed twice.",
                    [&] { return fmt::format("actions {} and {} are equal", j, i); });
}

template <class Env>
bool same_actions(const Env& env, const std::vector<typename Env::Action>& before) {
  std::size_t i = 0;
  for (const auto& action : env.actions())
    if (i == before.size() || !(action == before[i++])) return false;
  return i == before.size();
}

template <class Env>
void check_episode(const Env& env, const TrajectoryOf<Env>& episode, std::uint64_t seed, Report& report) {
  for (std::size_t i = 0; i < episode.size(); ++i) {
    report.expect(std::isfinite(episode[i].reward), "Rewards are finite.", at_step(seed, i));
    report.expect(!(episode[i].terminated && episode[i].truncated), "A terminated step is not truncated as well.",
                  at_step(seed, i));
    if constexpr (Enumerable<Env>) {
      const bool due = env.time_limit() > 0 && i + 1 == static_cast<std::size_t>(env.time_limit());
      report.expect(episode[i].truncated == (due && !episode[i].terminated),
                    "Episodes are truncated at time_limit(), and only there.", at_step(seed, i));
    }
  }
}

/// Whether two steps are alike, time limits left aside.
template <class S>
bool same_outcome(const S& a, const S& b) {
  return a.observation == b.observation && a.reward == b.reward && a.terminated == b.terminated;
}

template <StateSettable Env>
void check_set_state(Env& env, const TrajectoryOf<Env>& episode, const EnvironmentCheck& check, std::uint64_t seed,
                     Report& report) {
  constexpr std::string_view law = "After set_state(o), step(a) is distributed as in an episode that has reached o.";
  for (std::size_t i = 0; i < episode.size() && i < check.states; ++i) {
    const auto& [observation, action, reward, terminated, truncated, next] = episode[i];
    const Step<typename Env::Observation> expected{next, reward, terminated, false};
    std::vector<Step<typename Env::Observation>> distinct;
    bool found = false;
    for (int draw = 0; draw < check.draws && !found && distinct.size() < 50; ++draw) {
      env.set_state(observation, static_cast<std::uint64_t>(draw));
      const auto step = env.step(action);
      found = same_outcome(step, expected);
      bool is_new = true;
      for (const auto& known : distinct) is_new = is_new && !same_outcome(known, step);
      if (is_new) distinct.push_back(step);
    }
    // More than a few distinct results: too rich to expect this one among them.
    report.expect(found || distinct.size() >= 50, law, at_step(seed, i));
  }
}

template <class Env>
void check_frequencies(Env& env, const std::vector<Outcome<typename Env::Observation>>& outcomes,
                       const TransitionOf<Env>& transition, const EnvironmentCheck& check, std::uint64_t seed,
                       std::size_t step_number, Report& report) {
  std::vector<int> counts(outcomes.size());
  for (int draw = 0; draw < check.draws; ++draw) {
    env.set_state(transition.observation, static_cast<std::uint64_t>(draw));
    const auto step = env.step(transition.action);
    std::size_t k = 0;
    while (k < outcomes.size() && !same_outcome(step, outcomes[k].step)) ++k;
    if (!report.expect(k < outcomes.size(), "Every step is one of outcomes(o, a).", at_step(seed, step_number))) return;
    ++counts[k];
  }
  for (std::size_t k = 0; k < outcomes.size(); ++k) {
    double probability = 0;  // of all outcomes that look like this one; the draws are counted at the first
    bool first = true;
    for (std::size_t other = 0; other < outcomes.size(); ++other) {
      if (!same_outcome(outcomes[k].step, outcomes[other].step)) continue;
      probability += outcomes[other].probability;
      first = first && other >= k;
    }
    const double expected = first ? probability * check.draws : 0;
    const double spread = std::sqrt(expected * std::abs(1 - probability));
    report.expect(std::abs(counts[k] - expected) <= 5.5 * spread + 1e-6, "step(a) at o draws from outcomes(o, a).",
                  [&] {
                    return fmt::format("seed {}, step {}: an outcome of probability {} came {} times in {}", seed,
                                       step_number, probability, counts[k], check.draws);
                  });
  }
}

template <Enumerable Env>
void check_outcomes(Env& env, const TrajectoryOf<Env>& episode, const EnvironmentCheck& check, std::uint64_t seed,
                    Report& report) {
  for (std::size_t i = 0; i < episode.size(); ++i) {
    const auto outcomes = env.outcomes(episode[i].observation, episode[i].action);
    const Step<typename Env::Observation> taken{episode[i].next_observation, episode[i].reward, episode[i].terminated,
                                                false};
    double total = 0;
    bool listed = false;
    for (const auto& [probability, step] : outcomes) {
      total += probability;
      listed = listed || same_outcome(step, taken);
      report.expect(probability >= 0, "Probabilities are not negative.", at_step(seed, i));
      report.expect(!step.truncated, "outcomes(o, a) leaves time limits out.", at_step(seed, i));
    }
    report.expect(std::abs(total - 1) < 1e-9, "The probabilities of outcomes(o, a) sum to one.", at_step(seed, i));
    report.expect(listed, "Every step is one of outcomes(o, a).", at_step(seed, i));
    if constexpr (StateSettable<Env>) {
      if (seed == 0 && i < check.states) check_frequencies(env, outcomes, episode[i], check, seed, i, report);
    }
  }
}

template <class Env>
void check_copy(Env& env, std::uint64_t seed, const EnvironmentCheck& check, Report& report) {
  const TrajectoryOf<Env> expected = random_episode(env, seed, RandomKey(seed), check.max_steps);
  if (expected.empty()) return;
  env.reset(seed);
  Env copy = env;
  bool same = true;
  for (const auto& transition : expected) {  // in turns: each must be unaffected by the other
    const auto here = env.step(transition.action);
    const auto there = copy.step(transition.action);
    same = same && here == there && here.observation == transition.next_observation;
  }
  report.expect(same, "A copy continues the episode, and neither affects the other.",
                [&] { return fmt::format("seed {}", seed); });
}

/// What an environment says can be done at an observation.
template <HasLegalActions Env>
std::vector<typename Env::Action> legal_at(const Env& env, const typename Env::Observation& seen) {
  const auto& legal = env.legal_actions(seen);
  return {std::begin(legal), std::end(legal)};
}

/// The same, asked where `seen` is not what is seen now: nothing where the environment does not know.
template <HasLegalActions Env>
std::vector<typename Env::Action> legal_elsewhere(const Env& env, const typename Env::Observation& seen) {
  try {
    return legal_at(env, seen);
  } catch (const EnvironmentUnreachable&) {
    throw;
  } catch (const std::exception&) {
    return {};
  }
}

/// Asks at every step of an episode, and again when another one has begun.
template <HasLegalActions Env>
void check_legal(Env& env, const TrajectoryOf<Env>& episode, std::uint64_t seed, Report& report) {
  const auto known = actions_of(env);
  std::vector<std::vector<typename Env::Action>> told;
  env.reset(seed);
  for (std::size_t i = 0; i < episode.size(); ++i) {
    told.push_back(legal_at(env, episode[i].observation));
    report.expect(!told[i].empty(), "legal_actions(o) holds at least one action where an episode goes on at o.",
                  at_step(seed, i));
    bool all_known = true;
    for (const auto& action : told[i])
      all_known = all_known && std::find(known.begin(), known.end(), action) != known.end();
    report.expect(all_known, "legal_actions(o) holds values of actions() alone.", at_step(seed, i));
    env.step(episode[i].action);
  }
  env.reset(seed + 1);
  for (std::size_t i = 0; i < episode.size(); ++i) {
    const auto elsewhere = legal_elsewhere(env, episode[i].observation);
    report.expect(elsewhere.empty() || elsewhere == told[i], "legal_actions(o), where it is known, depends on o alone.",
                  at_step(seed, i));
  }
}

}  // namespace detail

/// Tries the laws of Environment, and of HasLegalActions, StateSettable and Enumerable where `env` models them, on random
/// episodes of legal actions.
/// Deterministic: the same environment gets the same report.
template <Environment Env>
Report check_environment(Env env, const EnvironmentCheck& check = {}) {
  Report report("environment");
  const auto body = [&] {
    detail::check_action_set(env, report);
    if (!report.ok()) return;
    const auto actions = actions_of(env);
    const double discount = env.discount();
    report.expect(discount > 0 && discount <= 1, "The discount is in (0, 1].",
                  [&] { return fmt::format("discount() is {}", discount); });
    for (int episode_number = 0; episode_number < check.episodes; ++episode_number) {
      const auto seed = static_cast<std::uint64_t>(episode_number);
      const auto episode = random_episode(env, seed, RandomKey(seed), check.max_steps);
      detail::check_episode(env, episode, seed, report);
      random_episode(env, seed + 1, RandomKey(seed + 1), check.max_steps);
      const auto again = random_episode(env, seed, RandomKey(seed), check.max_steps);
      report.expect(episode == again, "Equal seeds and actions give equal episodes.",
                    [&] { return fmt::format("seed {}, with another episode in between", seed); });
      report.expect(detail::same_actions(env, actions), "actions() never changes.",
                    [&] { return fmt::format("after an episode with seed {}", seed); });
      if constexpr (HasLegalActions<Env>)
        if (limits_actions(env)) detail::check_legal(env, episode, seed, report);
      if constexpr (std::copyable<Env>) detail::check_copy(env, seed, check, report);
      if constexpr (StateSettable<Env>) detail::check_set_state(env, episode, check, seed, report);
      if constexpr (Enumerable<Env>) detail::check_outcomes(env, episode, check, seed, report);
    }
  };
  report.expect_no_throw(body, "Every listed action can be carried out until the episode ends.",
                         [] { return std::string("an exception"); });
  return report;
}

}  // namespace icpi::testing
