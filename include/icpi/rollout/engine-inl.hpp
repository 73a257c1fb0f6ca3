// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "icpi/core/error.hpp"
#include "icpi/rollout/engine.hpp"

namespace icpi {

ICPI_INLINE void RolloutEngine::run(RolloutModelRef model, std::span<const DecisionTask> tasks,
                                    const RolloutOptions& options, std::span<DecisionResult> results) {
  if (results.size() < tasks.size())
    throw InvalidArgument(fmt::format("RolloutEngine: {} tasks but {} results", tasks.size(), results.size()));
  start(tasks, options, results);
  if (model.asynchronous()) return advance_asynchronously(model, options, results);
  advance_in_lockstep(model, options, results);
}

ICPI_INLINE void RolloutEngine::start(std::span<const DecisionTask> tasks, const RolloutOptions& options,
                                      std::span<DecisionResult> results) {
  const auto samples = static_cast<std::uint32_t>(options.rollouts_per_action);
  count_ = 0;
  tasks_of_.clear();
  for (std::size_t number = 0; number < tasks.size(); ++number) {
    const auto& task = tasks[number];
    results[number].returns.resize(task.actions, samples);
    results[number].costs = {};
    for (std::uint32_t action = 0; action < task.actions; ++action) {
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

ICPI_INLINE bool RolloutEngine::ask(std::uint32_t number, const RolloutOptions& options,
                                    std::span<DecisionResult> results) {
  rollouts_[number].ask(options, results[tasks_of_[number]].costs, questions_);
  const bool asks = askers_.size() < questions_.size();
  askers_.resize(questions_.size(), number);
  return asks;
}

ICPI_INLINE void RolloutEngine::advance_in_lockstep(RolloutModelRef model, const RolloutOptions& options,
                                                    std::span<DecisionResult> results) {
  last_round_.assign(results.size(), 0);
  for (std::uint64_t round = 1; !live_.empty(); ++round) {
    questions_.clear();
    askers_.clear();
    for (const auto number : live_) {
      if (ask(number, options, results)) last_round_[tasks_of_[number]] = round;
    }
    answers_.assign(questions_.size(), Answer{});
    model.answer(questions_, answers_);
    for (std::size_t i = 0; i < questions_.size(); ++i) {
      rollouts_[askers_[i]].take(questions_[i], answers_[i], options, results[tasks_of_[askers_[i]]].costs);
    }
    retire(results);
  }
  for (std::size_t task = 0; task < results.size(); ++task) results[task].costs.rounds = last_round_[task];
}

ICPI_INLINE void RolloutEngine::retire(std::span<DecisionResult> results) {
  std::erase_if(live_, [&](std::uint32_t number) {
    const auto& rollout = rollouts_[number];
    if (rollout.done()) store(number, results);
    return rollout.done();
  });
}

ICPI_INLINE void RolloutEngine::store(std::uint32_t number, std::span<DecisionResult> results) {
  const auto& rollout = rollouts_[number];
  results[tasks_of_[number]].returns(rollout.start().action, rollout.start().sample) = rollout.value();
}

ICPI_INLINE void RolloutEngine::advance_asynchronously(RolloutModelRef model, const RolloutOptions& options,
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

ICPI_INLINE void RolloutEngine::answer_as_they_come(RolloutModelRef model, const RolloutOptions& options,
                                                    std::span<DecisionResult> results, std::size_t& in_flight) {
  questions_.clear();
  askers_.clear();
  std::size_t submitted = 0;
  std::size_t running = count_;
  for (const auto number : live_) ask(number, options, results);
  finished_.resize(std::max<std::size_t>(1, model.concurrency()));
  while (running > 0) {
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
      rollout.take(questions_[finished_[i].ticket], finished_[i].answer, options, results[tasks_of_[number]].costs);
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

ICPI_INLINE void RolloutEngine::call_off(RolloutModelRef model, std::size_t in_flight,
                                         std::span<DecisionResult> results) {
  constexpr int most_exceptions = 8;  // in a row
  bool told = false;
  for (int exceptions = 0; in_flight > 0 && exceptions < most_exceptions;) {
    try {
      if (!std::exchange(told, true)) model.cancel_all();
      const std::size_t came = model.collect(finished_);
      for (std::size_t i = 0; i < came; ++i) ++results[tasks_of_[askers_[finished_[i].ticket]]].costs.wasted;
      in_flight -= came;
      exceptions = 0;
    } catch (...) {
      ++exceptions;
    }
  }
}

}  // namespace icpi
