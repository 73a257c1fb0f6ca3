// SPDX-License-Identifier: MIT
// A value estimator: planning that believes in what was never tried, wherever it imagines to come to.
#pragma once

#include <icpi/icpi.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

struct ImaginedOptimism {
  icpi::Planning planning{};
  double hope = 1;  ///< what an untried action is worth

  [[nodiscard]] std::string description() const {
    return "imagined_optimism(hope=" + std::to_string(hope) + ", " + planning.description() + ")";
  }
  void check() const { planning.check(); }

  void estimate(const icpi::Imagination& imagination, std::span<const icpi::DecisionTask> tasks,
                std::span<icpi::DecisionResult> results) {
    planning.estimate(imagination, tasks, results);  // asks all questions
    for (std::size_t i = 0; i < tasks.size(); ++i) solve(imagination, tasks[i], planning.imagined(i), results[i]);
  }
  [[nodiscard]] std::vector<icpi::PlannedStep> imagined(std::size_t task) const { return planning.imagined(task); }

 private:
  void solve(const icpi::Imagination& imagination, const icpi::DecisionTask& task,
             const std::vector<icpi::PlannedStep>& steps, icpi::DecisionResult& result) const {
    std::map<icpi::ObservationId, double> values, better;
    for (int left = 0; left < planning.options.step_limit; ++left) {
      result.values.assign(task.actions, 0);
      better.clear();
      for (const icpi::PlannedStep& step : steps) {
        double value = step.known ? step.reward : 0;
        if (step.goes_on && !step.terminated) value += task.discount * values[step.next];
        if (!imagination.tried(task, step.observation, step.action)) value = std::max(value, hope);
        if (step.observation == task.observation) result.values[step.action] = value;
        const auto [place, is_new] = better.try_emplace(step.observation, value);
        if (!is_new) place->second = std::max(place->second, value);
      }
      values = better;
    }
  }
};
