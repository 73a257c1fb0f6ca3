// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "icpi/concepts/rollout_model_ref.hpp"
#include "icpi/core/collect_rest.hpp"
#include "icpi/core/error.hpp"
#include "icpi/rollout/engine.hpp"
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
  void start(std::span<const DecisionTask> tasks, const RolloutOptions& options, std::span<DecisionResult> results);

  /// Notes what this rollout needs to know now. Returns whether it needs anything.
  bool ask(std::uint32_t number, const RolloutOptions& options, std::span<DecisionResult> results);

  void advance_in_lockstep(RolloutModelRef model, const RolloutOptions& options, std::span<DecisionResult> results);

  /// Rollouts that ended leave at once.
  void retire(std::span<DecisionResult> results);

  void store(std::uint32_t number, std::span<DecisionResult> results);

  /// Every rollout goes on as soon as its own answer is there. When the model throws, what is in flight is called off.
  void advance_asynchronously(RolloutModelRef model, const RolloutOptions& options, std::span<DecisionResult> results);

  /// Tickets are numbers of submissions; `in_flight` counts those that were not collected yet.
  void answer_as_they_come(RolloutModelRef model, const RolloutOptions& options, std::span<DecisionResult> results,
                           std::size_t& in_flight);

  /// The time is up: returns so far count, where there are any.
  void cut_short(std::size_t tasks, std::span<DecisionResult> results);

  /// Answers that nobody waits for any more are called off and collected.
  void call_off(RolloutModelRef model, std::size_t in_flight, std::span<DecisionResult> results);

  std::vector<Rollout> rollouts_;
  std::size_t count_ = 0;
  std::vector<std::uint32_t> tasks_of_;
  std::vector<std::uint32_t> live_;
  std::vector<std::uint64_t> last_round_;
  std::vector<Question> questions_;
  std::vector<std::uint32_t> askers_;
  std::vector<Answer> answers_;
  std::vector<FinishedAnswer> finished_;
  std::vector<char> any_step_;
  Until until_;
};

inline void EngineWork::run(RolloutModelRef model, std::span<const DecisionTask> tasks, const RolloutOptions& options,
                            std::span<DecisionResult> results, const Until& until) {
  if (results.size() < tasks.size())
    throw InvalidArgument(fmt::format("RolloutEngine: {} tasks but {} results", tasks.size(), results.size()));
  start(tasks, options, results);
  until_ = until;
  if (model.asynchronous())
    advance_asynchronously(model, options, results);
  else
    advance_in_lockstep(model, options, results);
  if (until.over()) cut_short(tasks.size(), results);
}

inline void EngineWork::cut_short(std::size_t tasks, std::span<DecisionResult> results) {
  any_step_.assign(tasks, false);
  for (std::size_t i = 0; i < count_; ++i) {
    const auto& rollout = rollouts_[i];
    auto& result = results[tasks_of_[i]];
    if (!rollout.done()) store(static_cast<std::uint32_t>(i), results);
    if (!rollout.done() || rollout.end() == RolloutEnd::failed) result.cut_short = true;
    if (!rollout.steps().empty()) any_step_[tasks_of_[i]] = true;
  }
  for (std::size_t task = 0; task < tasks; ++task)
    if (results[task].cut_short && !any_step_[task]) results[task].returns.resize(0, 0);
}

inline void EngineWork::start(std::span<const DecisionTask> tasks, const RolloutOptions& options,
                              std::span<DecisionResult> results) {
  const auto samples = static_cast<std::uint32_t>(options.rollouts_per_action);
  count_ = 0;
  tasks_of_.clear();
  for (std::size_t number = 0; number < tasks.size(); ++number) {
    const auto& task = tasks[number];
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
        rollouts_[count_++].restart({task.lane, task.observation, action, sample, task.actions, task.discount,
                                     task.key.child(std::uint64_t{action} << 32 | sample)});
        tasks_of_.push_back(static_cast<std::uint32_t>(number));
      }
    }
  }
  live_.resize(count_);
  for (std::size_t i = 0; i < count_; ++i) live_[i] = static_cast<std::uint32_t>(i);
}

inline bool EngineWork::ask(std::uint32_t number, const RolloutOptions& options, std::span<DecisionResult> results) {
  rollouts_[number].ask(options, results[tasks_of_[number]].costs, questions_);
  const bool asks = askers_.size() < questions_.size();
  askers_.resize(questions_.size(), number);
  return asks;
}

inline void EngineWork::advance_in_lockstep(RolloutModelRef model, const RolloutOptions& options,
                                            std::span<DecisionResult> results) {
  last_round_.assign(results.size(), 0);
  for (std::uint64_t round = 1; !live_.empty() && !until_.over(); ++round) {
    questions_.clear();
    askers_.clear();
    for (const auto number : live_) {
      if (ask(number, options, results)) last_round_[tasks_of_[number]] = round;
    }
    answers_.assign(questions_.size(), Answer{});
    model.answer(questions_, answers_);
    for (std::size_t i = 0; i < questions_.size(); ++i) {
      rollouts_[askers_[i]].take(questions_[i], answers_[i], options, results[tasks_of_[askers_[i]]].costs, &model);
    }
    retire(results);
  }
  for (std::size_t task = 0; task < results.size(); ++task) results[task].costs.rounds = last_round_[task];
}

inline void EngineWork::retire(std::span<DecisionResult> results) {
  std::erase_if(live_, [&](std::uint32_t number) {
    const auto& rollout = rollouts_[number];
    if (rollout.done()) store(number, results);
    return rollout.done();
  });
}

inline void EngineWork::store(std::uint32_t number, std::span<DecisionResult> results) {
  const auto& rollout = rollouts_[number];
  results[tasks_of_[number]].returns(rollout.start().action, rollout.start().sample) = rollout.value();
}

inline void EngineWork::advance_asynchronously(RolloutModelRef model, const RolloutOptions& options,
                                               std::span<DecisionResult> results) {
  std::size_t in_flight = 0;
  try {
    answer_as_they_come(model, options, results, in_flight);
  } catch (...) {
    call_off(model, in_flight, results);
    throw;
  }
  call_off(model, in_flight, results);
}

inline void EngineWork::answer_as_they_come(RolloutModelRef model, const RolloutOptions& options,
                                            std::span<DecisionResult> results, std::size_t& in_flight) {
  questions_.clear();
  askers_.clear();
  std::size_t submitted = 0;
  std::size_t running = count_;
  for (const auto number : live_) ask(number, options, results);
  finished_.resize(std::max<std::size_t>(1, model.concurrency()));
  while (running > 0 && !until_.over()) {
    for (; submitted < questions_.size() && in_flight < model.concurrency(); ++submitted) {
      if (rollouts_[askers_[submitted]].done()) continue;  // a speculative question that lost its sense meanwhile
      model.submit(questions_[submitted], submitted);
      ++in_flight;
    }
    const std::size_t came = model.collect(finished_);
    in_flight -= came;
    for (std::size_t i = 0; i < came; ++i) {
      const auto number = askers_[finished_[i].ticket];
      auto& rollout = rollouts_[number];
      const bool was_done = rollout.done();
      rollout.take(questions_[finished_[i].ticket], finished_[i].answer, options, results[tasks_of_[number]].costs,
                   &model);
      if (was_done) continue;
      if (rollout.done()) {
        store(number, results);
        --running;
      } else {
        ask(number, options, results);
      }
    }
  }
}

inline void EngineWork::call_off(RolloutModelRef model, std::size_t in_flight, std::span<DecisionResult> results) {
  bool told = false;
  if (in_flight > 0) model.limit({});  // what was called off comes at once, however late it is
  collect_rest(in_flight, [&] {
    if (!std::exchange(told, true)) model.cancel_all();
    const std::size_t came = model.collect(finished_);
    for (std::size_t i = 0; i < came; ++i) ++results[tasks_of_[askers_[finished_[i].ticket]]].costs.wasted;
    return came;
  });
}

}  // namespace icpi
