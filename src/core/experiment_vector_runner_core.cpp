// SPDX-License-Identifier: MIT
#include "icpi/experiment/vector_runner_core.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <tuple>
#include <utility>

#include "icpi/core/check_option.hpp"
#include "icpi/policy/agent.hpp"

namespace icpi {

VectorRunnerCore::VectorRunnerCore(RunSettings settings, RunPart* part, std::span<const Name> names)
    : settings_(std::move(settings)), part_(part), runs_(names.size()) {
  check_option(settings_.on_environment_error <= OnEnvironmentError::proceed, "on_environment_error",
               static_cast<int>(settings_.on_environment_error), "stop, proceed");
  for (std::size_t run = 0; run < names.size(); ++run)
    std::tie(runs_[run].record.seed, runs_[run].record.environment) = names[run];
}

VectorRunnerCore::~VectorRunnerCore() = default;

bool VectorRunnerCore::play_runs(const Sink& on_episode) {
  Numbers live;
  for (std::size_t run = 0; run < runs_.size() && settings_.steps > 0; ++run) live.push_back(run);
  const auto is_finished = [this](std::size_t run) { return runs_[run].finished; };
  wanted_ = true;
  start_episodes(live, on_episode);
  std::erase_if(live, is_finished);
  while (wanted_ && !live.empty() && !(settings_.interrupted && settings_.interrupted())) {
    choose(live);
    take_steps(live);
    Numbers ended;
    for (const std::size_t run : live) {
      if (!runs_[run].ended) continue;
      finish_episode(run, on_episode);
      if (!runs_[run].finished) ended.push_back(run);
    }
    stop_on_failure();
    start_episodes(ended, on_episode);
    std::erase_if(live, is_finished);
  }
  return live.empty();
}

/// Begins episodes until each of these runs is in one, or has used up its steps in episodes that did not begin.
void VectorRunnerCore::start_episodes(Numbers starting, const Sink& on_episode) {
  while (!starting.empty()) {
    const Errors known = recorded_errors("starts");
    begin_resets_of(starting, known);
    for (const std::size_t run : starting) start_episode(run, known);
    if (part_ != nullptr) {
      std::vector<RecordedStart> starts;
      for (const std::size_t run : starting) {
        const EpisodeRecord& record = runs_[run].record;
        starts.push_back({record.seed, record.episode, text_of(run), record.environment_error, record.environment});
      }
      part_->started(starts);
    }
    std::erase_if(starting, [this](std::size_t run) { return !runs_[run].ended; });
    for (const std::size_t run : starting) finish_episode(run, on_episode);
    stop_on_failure();
    std::erase_if(starting, [this](std::size_t run) { return runs_[run].finished; });
  }
}

void VectorRunnerCore::begin_resets_of(const Numbers& starting, const Errors& known) {
  Numbers runs;
  std::vector<std::uint64_t> seeds;
  for (const std::size_t run : starting) {
    if (known.contains(name_of(run))) continue;
    runs.push_back(run);
    seeds.push_back(episode_seed(run));
  }
  if (!runs.empty()) begin_resets(runs, seeds);
}

std::uint64_t VectorRunnerCore::episode_seed(std::size_t run) const {
  const EpisodeRecord& record = runs_[run].record;
  return environment_key(record.seed, record.environment.value_or(0)).child(record.episode).seed();
}

VectorRunnerCore::Name VectorRunnerCore::name_of(std::size_t run) const {
  return {runs_[run].record.seed, runs_[run].record.environment};
}

void VectorRunnerCore::start_episode(std::size_t number, const Errors& known) {
  Run& run = runs_[number];
  EpisodeRecord& record = run.record;
  record.domain = settings_.domain;
  record.agent = settings_.agent;
  record.model = settings_.model;
  record.length = 0;
  record.episode_return = 0;
  record.optimal_return = 0;
  record.optimum_known = true;
  record.undiscounted_return.reset();
  record.discounted_return.reset();
  if (settings_.planning_discount) record.undiscounted_return = record.discounted_return = 0;
  record.terminated = record.truncated = false;
  record.environment_error.clear();
  run.costs_before = costs_of(number);
  run.weight = run.planning_weight = 1;
  run.ended = false;
  forget_observation(number);
  guarded(number, known, [&] { reset(number, episode_seed(number)); });
  if (run.ended) return;
  const double optimum = optimal_return(number);
  record.optimum_known = !std::isnan(optimum);
  if (record.optimum_known) record.optimal_return = optimum / settings_.return_scale;
  begin_episode(number);
}

/// Calls the environment, unless it is known to fail. What it throws ends the episode, and counts as a step, so that runs
/// end even where nothing works.
void VectorRunnerCore::guarded(std::size_t number, const Errors& known, const std::function<void()>& call) {
  EpisodeRecord& record = runs_[number].record;
  if (const auto found = known.find(name_of(number)); found != known.end()) {
    record.environment_error = found->second;
  } else {
    try {
      return call();
    } catch (const EnvironmentUnreachable&) {
      throw;
    } catch (const std::exception& error) {
      record.environment_error = error.what();
    } catch (...) {
      record.environment_error = "an exception that is no std::exception";
    }
    if (record.environment_error.empty()) record.environment_error = "an exception without a message";
    if (failure_.empty())
      failure_ = fmt::format("{}, seed {}, {}episode {}: the environment failed: {}", record.domain, record.seed,
                             record.environment ? fmt::format("environment {}, ", *record.environment) : std::string(),
                             record.episode, record.environment_error);
  }
  ++record.step;
  ++record.length;
  runs_[number].ended = true;
}

void VectorRunnerCore::stop_on_failure() const {
  if (!failure_.empty() && settings_.on_environment_error == OnEnvironmentError::stop) throw EnvironmentError(failure_);
}

VectorRunnerCore::Errors VectorRunnerCore::recorded_errors(std::string_view kind) const {
  return part_ == nullptr ? Errors{} : part_->recorded_errors(kind);
}

/// Lets every live run choose its action.
void VectorRunnerCore::choose(const Numbers& live) {
  act(live);
  if (part_ == nullptr) return;
  std::vector<RecordedDecision> decisions;
  for (const std::size_t run : live)
    decisions.push_back(
        {runs_[run].record.seed, action_number(run), legal_numbers(run), runs_[run].record.environment});
  part_->decided(decisions);
}

void VectorRunnerCore::take_steps(const Numbers& live) {
  const Errors known = recorded_errors("steps");
  Numbers asked;
  for (const std::size_t run : live) {
    if (!known.contains(name_of(run))) asked.push_back(run);
  }
  if (!asked.empty()) begin_steps(asked);
  std::vector<RecordedStep> steps;
  for (const std::size_t run : live) {
    const double reward = take_step(run, known);
    if (part_ == nullptr) continue;
    const EpisodeRecord& record = runs_[run].record;
    steps.push_back({record.seed, text_of(run), reward, record.terminated, record.truncated, record.environment_error,
                     record.environment});
  }
  if (part_ != nullptr) part_->stepped(steps);
}

/// Returns the reward.
double VectorRunnerCore::take_step(std::size_t number, const Errors& known) {
  Run& run = runs_[number];
  Outcome outcome;
  guarded(number, known, [&] {
    outcome = step(number);
    if (!std::isfinite(outcome.reward))
      throw EnvironmentError(fmt::format("the reward {} is not finite", outcome.reward));
  });
  forget_observation(number);
  if (run.ended) return 0;
  EpisodeRecord& record = run.record;
  if (record.length + 1 >= settings_.episode_steps && !outcome.terminated) {
    outcome.truncated = true;
    truncate(number);
  }
  observe(number);
  ++record.step;
  ++record.length;
  record.episode_return += run.weight * outcome.reward / settings_.return_scale;
  run.weight *= settings_.discount;
  if (settings_.planning_discount) {
    *record.undiscounted_return += outcome.reward;
    *record.discounted_return += run.planning_weight * outcome.reward;
    run.planning_weight *= *settings_.planning_discount;
  }
  record.terminated = outcome.terminated;
  record.truncated = outcome.truncated;
  run.ended = outcome.terminated || outcome.truncated;
  return outcome.reward;
}

void VectorRunnerCore::finish_episode(std::size_t run, const Sink& on_episode) {
  wanted_ = on_episode(complete_record(run)) && wanted_;
}

/// A recorded one is taken as it is.
EpisodeRecord VectorRunnerCore::complete_record(std::size_t number) {
  Run& run = runs_[number];
  EpisodeRecord record = run.record;
  record.regret = record.optimum_known ? record.optimal_return - record.episode_return : 0;
  const Costs spent = costs_of(number) - run.costs_before;
  record.lm_calls = spent.lm_calls;
  record.prompt_tokens = spent.prompt_tokens;
  record.computed_tokens = spent.computed_tokens();
  record.completion_tokens = spent.completion_tokens;
  record.invalid = spent.invalid;
  record.failures = spent.failures;
  record.over_budget = spent.over_budget;
  record.cancelled = spent.cancelled;
  if (part_ != nullptr) {
    record = parse_episode_record(part_->summarised("episode", to_json(record)));
    if (record.seed != run.record.seed || record.environment != run.record.environment ||
        record.episode != run.record.episode || record.step != run.record.step)
      part_->contradict("another episode was recorded here");
  }
  run.finished = run.record.step >= settings_.steps;
  ++run.record.episode;
  return record;
}

}  // namespace icpi
