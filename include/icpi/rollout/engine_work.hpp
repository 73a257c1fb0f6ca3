// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "icpi/concepts/rollout_model_ref.hpp"
#include "icpi/core/error.hpp"
#include "icpi/rollout/engine.hpp"
#include "icpi/rollout/question_flow.hpp"
#include "icpi/rollout/rollout.hpp"

namespace icpi {

/// What a RolloutEngine does and keeps from run to run.
/// Thread-safety: one object by one thread at a time.
class EngineWork {
 public:
  /// See RolloutEngine.
  void run(RolloutModelRef model, std::span<const DecisionTask> tasks, const RolloutOptions& options,
           std::span<DecisionResult> results, const Until& until);

  /// See RolloutEngine.
  [[nodiscard]] std::span<const Rollout> rollouts() const noexcept { return {rollouts_.data(), count_}; }

 private:
  void start(RolloutModelRef model, std::span<const DecisionTask> tasks, const RolloutOptions& options,
             std::span<DecisionResult> results);

  /// Puts what this rollout needs to know now.
  void ask(std::uint32_t number, const RolloutOptions& options, std::span<DecisionResult> results);

  /// Takes answers; the rollouts that they belong to go on at once. Returns whether any rollout is still running.
  bool advance(RolloutModelRef model, const RolloutOptions& options, std::span<DecisionResult> results);

  void store(std::uint32_t number, std::span<DecisionResult> results);

  /// The time is up: returns so far count; those of rollouts that had no time for a step are unknown.
  void cut_short(std::span<DecisionResult> results);

  std::vector<Rollout> rollouts_;
  std::size_t count_ = 0;
  std::size_t running_ = 0;
  std::vector<std::uint32_t> tasks_of_;
  QuestionFlow flow_;
  std::vector<std::uint32_t> answered_;  ///< rollouts that go on now
};

inline void EngineWork::run(RolloutModelRef model, std::span<const DecisionTask> tasks, const RolloutOptions& options,
                            std::span<DecisionResult> results, const Until& until) {
  if (results.size() < tasks.size())
    throw InvalidArgument(fmt::format("RolloutEngine: {} tasks but {} results", tasks.size(), results.size()));
  start(model, tasks, options, results);
  flow_.start(model, until);
  for (std::uint32_t number = 0; number < count_; ++number) ask(number, options, results);
  flow_.run(
      model, [&] { return advance(model, options, results); },
      [&](std::uint32_t number) { ++results[tasks_of_[number]].costs.wasted; });
  if (until.over()) cut_short(results);
}

inline void EngineWork::start(RolloutModelRef model, std::span<const DecisionTask> tasks, const RolloutOptions& options,
                              std::span<DecisionResult> results) {
  const auto samples = static_cast<std::uint32_t>(options.rollouts_per_action);
  count_ = 0;
  tasks_of_.clear();
  for (std::size_t number = 0; number < tasks.size(); ++number) {
    const auto& task = tasks[number];
    const bool whole = model.whole_transitions(task.prompt_context);
    results[number].clear();
    results[number].returns.resize(task.actions, samples);
    for (std::uint32_t action = 0; action < task.actions; ++action) {
      if (!is_legal(task.legal, action)) {
        for (std::uint32_t sample = 0; sample < samples; ++sample)
          results[number].returns(action, sample) = std::numeric_limits<double>::quiet_NaN();
        continue;
      }
      for (std::uint32_t sample = 0; sample < samples; ++sample) {
        if (count_ == rollouts_.size()) rollouts_.emplace_back();
        rollouts_[count_++].restart({task.prompt_context, task.observation, action, sample, task.actions, task.discount,
                                     task.key.child(std::uint64_t{action} << 32 | sample), whole});
        tasks_of_.push_back(static_cast<std::uint32_t>(number));
      }
    }
  }
  running_ = count_;
}

inline void EngineWork::ask(std::uint32_t number, const RolloutOptions& options, std::span<DecisionResult> results) {
  auto& costs = results[tasks_of_[number]].costs;
  const bool asks = flow_.ask_for(
      number, [&](std::vector<Question>& questions) { rollouts_[number].ask(options, costs, questions); });
  if (asks) costs.rounds = flow_.batch();
}

inline bool EngineWork::advance(RolloutModelRef model, const RolloutOptions& options,
                                std::span<DecisionResult> results) {
  if (running_ == 0) return false;
  answered_.clear();
  flow_.exchange(
      model, [&](std::uint32_t number) { return !rollouts_[number].done(); },
      [&](std::uint32_t number, const Question& question, const Answer& answer) {
        const bool goes_on = !rollouts_[number].done();
        rollouts_[number].take(question, answer, options, results[tasks_of_[number]].costs, &model);
        if (goes_on) answered_.push_back(number);
      });
  if (flow_.asynchronous()) std::sort(answered_.begin(), answered_.end());
  answered_.erase(std::unique(answered_.begin(), answered_.end()), answered_.end());
  for (const auto number : answered_) {
    if (!rollouts_[number].done()) {
      ask(number, options, results);
    } else {
      store(number, results);
      --running_;
    }
  }
  return running_ > 0;
}

inline void EngineWork::store(std::uint32_t number, std::span<DecisionResult> results) {
  const auto& rollout = rollouts_[number];
  results[tasks_of_[number]].returns(rollout.start().action, rollout.start().sample) = rollout.value();
}

inline void EngineWork::cut_short(std::span<DecisionResult> results) {
  for (std::uint32_t number = 0; number < count_; ++number) {
    const auto& rollout = rollouts_[number];
    if (rollout.done() && rollout.end() != RolloutEnd::failed) continue;
    auto& result = results[tasks_of_[number]];
    result.cut_short = true;
    const double known = rollout.steps().empty() ? std::numeric_limits<double>::quiet_NaN() : rollout.value();
    result.returns(rollout.start().action, rollout.start().sample) = known;
  }
}

}  // namespace icpi
