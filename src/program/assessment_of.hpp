// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "assessment.hpp"
#include "domain_program.hpp"
#include "icpi/concepts/environment.hpp"
#include "icpi/concepts/prompt_lines.hpp"
#include "icpi/policy/policy_iteration.hpp"
#include "icpi/testing/episodes.hpp"

namespace icpi::program {

/// What an assessment needs of the program of `Env`.
template <Environment Env>
struct AssessedWorld {
  using Icpi = PolicyIteration<Env, AnyLanguageModel>;

  Env env;  ///< to be stepped
  default_formatter_t<Env> formatter;
  std::function<std::unique_ptr<Icpi>(AnyLanguageModel& model, std::uint64_t seed)> make_agent;
  std::size_t episode_steps;  ///< of one episode, at most
};

/// Puts questions about steps of random episodes to a model whose prompts show the first of them.
template <Environment Env>
class AssessmentOf {
  using World = AssessedWorld<Env>;
  using Icpi = typename World::Icpi;

 public:
  /// All must outlive the object.
  AssessmentOf(World& world, const AssessRequest& request, Assessment& assessment)
      : world_(world), request_(request), assessment_(assessment) {
    for (const std::size_t episodes : request.episodes)
      for (const bool seen : {true, false}) {
        assessment.rows.emplace_back().episodes = episodes;
        assessment.rows.back().seen = seen;
      }
  }

  /// Asks `model` about the episodes of all seeds, and `embedded` how many questions a decision has.
  void carry_out(AnyLanguageModel& model, AnyLanguageModel& embedded) {
    for (std::uint64_t seed = request_.seeds.first; seed < request_.seeds.last; ++seed) {
      play_episodes(seed);
      for (std::size_t amount = 0; amount < request_.episodes.size(); ++amount) {
        agents_.push_back(learned(model, seed, request_.episodes[amount]));
        agents_.back()->memory().begin_episode(0);
        choose_steps(amount);
      }
      count_decisions(embedded, seed);
    }
    std::vector<PromptContext*> contexts;
    for (const auto& agent : agents_) contexts.push_back(&agent->memory());
    PromptedRolloutModel asked = agents_.front()->model().another();
    for (PromptContext* each : contexts) asked.serve_also(*each);
    const auto text = [&](std::uint32_t context, ObservationId id) { return contexts[context]->text(id); };
    put_questions(asked, {steps_, request_.kinds, key(request_.seeds.first).child(3), request_.at_a_time}, text,
                  assessment_);
  }

 private:
  static constexpr std::size_t test_episodes = 60;
  static constexpr std::size_t most_decisions = 20;  ///< of one seed

  /// Of everything random that belongs to a seed here, and to none of its runs.
  static RandomKey key(std::uint64_t seed) { return RandomKey(seed).child(0xA55E55); }

  void play_episodes(std::uint64_t seed) {
    results_.clear();
    for (auto [episodes, count, number] :
         {std::tuple(&first_, request_.episodes.back(), 0U), std::tuple(&later_, test_episodes, 1U)}) {
      episodes->clear();
      for (std::size_t i = 0; i < count; ++i) {
        const RandomKey episode = key(seed).child(number).child(i);
        episodes->push_back(testing::random_episode(world_.env, episode.child(0).seed(), episode.child(1),
                                                    static_cast<int>(world_.episode_steps)));
        for (const auto& step : episodes->back()) note(step);
      }
    }
    assessment_.places += results_.size();
    for (const auto& [pair, results] : results_) assessment_.chancy_places += results.size() > 1 ? 1U : 0U;
  }

  [[nodiscard]] std::string pair_of(const TransitionOf<Env>& step) const {
    return std::string(world_.formatter.observation(step.observation)) +
           std::string(world_.formatter.action(step.action));
  }

  /// As answers read: rewards as they are read back.
  [[nodiscard]] StepResult result_of(double reward, bool terminated, const typename Env::Observation& next) const {
    const std::string written(world_.formatter.reward(reward));
    StepResult result;
    result.terminated = terminated;
    result.reward =
        world_.formatter.parse_reward(without_stop(written, world_.formatter.stop(QueryKind::reward))).value_or(reward);
    if (!terminated) result.observation = std::string(world_.formatter.observation(next));
    return result;
  }

  void note(const TransitionOf<Env>& step) {
    auto& results = results_[pair_of(step)];
    const StepResult result = result_of(step.reward, step.terminated, step.next_observation);
    if (std::find(results.begin(), results.end(), result) == results.end()) results.push_back(result);
  }

  /// An agent that lived through the first episodes.
  [[nodiscard]] std::unique_ptr<Icpi> learned(AnyLanguageModel& model, std::uint64_t seed, std::size_t episodes) const {
    auto agent = world_.make_agent(model, seed);
    agent->consult(world_.env);
    for (std::size_t i = 0; i < episodes; ++i) agent->import(first_[i]);
    return agent;
  }

  /// Steps of the later episodes, each once, as far as the newest agent could try to predict them.
  void choose_steps(std::size_t amount) {
    std::set<std::string> seen;
    CommonResults common;
    for (std::size_t i = 0; i < request_.episodes[amount]; ++i)
      for (const auto& step : first_[i]) {
        seen.insert(pair_of(step));
        common.add(result_of(step.reward, step.terminated, step.next_observation));
      }
    std::set<std::string> chosen;
    std::array<std::size_t, 2> counts{};  // of seen ones and of new ones
    for (const auto& episode : later_)
      for (const auto& step : episode) {
        const std::string pair = pair_of(step);
        const std::size_t sort = seen.contains(pair) ? 0 : 1;
        if (counts[sort] == request_.steps || !chosen.insert(pair).second) continue;
        if (add_step(2 * amount + sort, step, common)) ++counts[sort];
      }
  }

  /// Whether the newest agent could try to predict the step: what was never done it does, and imagines nothing.
  bool add_step(std::size_t row, const TransitionOf<Env>& step, const CommonResults& common) {
    Icpi& agent = *agents_.back();
    StepToPredict chosen;
    const auto actions = agent.actions();
    const auto action = std::find(actions.begin(), actions.end(), step.action) - actions.begin();
    chosen.action = static_cast<std::uint32_t>(action);
    const auto shows = [&](bool terminated) {
      return !agent.memory().buffer.matching(chosen.action, terminated).empty();
    };
    if (!shows(false) && !shows(true)) return false;
    chosen.row = row;
    chosen.prompt_context = static_cast<std::uint32_t>(agents_.size() - 1);
    chosen.observation = agent.memory().observe(step.observation);
    chosen.knows_reward = shows(step.terminated);
    chosen.knows_next = shows(false);
    chosen.commonest = common.commonest(step.terminated);
    chosen.results = possible(step);
    steps_.push_back(std::move(chosen));
    ++assessment_.rows[row].steps;
    return true;
  }

  /// What may come of the step, and first of all what came.
  [[nodiscard]] std::vector<StepResult> possible(const TransitionOf<Env>& step) const {
    std::vector<StepResult> results{result_of(step.reward, step.terminated, step.next_observation)};
    if constexpr (Enumerable<Env>) {
      for (const auto& outcome : world_.env.outcomes(step.observation, step.action))
        results.push_back(result_of(outcome.step.reward, outcome.step.terminated, outcome.step.observation));
    } else {
      const auto& known = results_.at(pair_of(step));
      results.insert(results.end(), known.begin(), known.end());
    }
    return results;
  }

  /// Lets an agent with all experience act, and counts what it asks.
  void count_decisions(AnyLanguageModel& embedded, std::uint64_t seed) {
    const auto agent = learned(embedded, seed, request_.episodes.back());
    agent->model().observe_queries([this](const QueryRecord& record) {
      ++assessment_.decision_questions[static_cast<std::size_t>(record.question.kind)];
    });
    std::size_t decisions = 0;
    for (std::size_t episode = 0; decisions < most_decisions; ++episode) {
      auto seen = world_.env.reset(key(seed).child(2).child(episode).seed());
      agent->begin_episode(seen, EpisodeKind::evaluation);
      for (bool ended = false; !ended && decisions < most_decisions; ++decisions) {
        auto step = world_.env.step(act_in(world_.env, *agent, seen));
        ended = step.terminated || step.truncated;
        agent->observe(step);
        seen = std::move(step.observation);
      }
    }
    assessment_.decisions += decisions;
  }

  World& world_;
  const AssessRequest& request_;
  Assessment& assessment_;
  std::vector<TrajectoryOf<Env>> first_;                    ///< episodes that agents learn from
  std::vector<TrajectoryOf<Env>> later_;                    ///< that they are asked about
  std::map<std::string, std::vector<StepResult>> results_;  ///< of all of them, by observation and action
  std::vector<std::unique_ptr<Icpi>> agents_;               ///< one a prompt context
  std::vector<StepToPredict> steps_;
};

}  // namespace icpi::program
