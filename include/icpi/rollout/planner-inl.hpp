// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "icpi/rollout/planner.hpp"
#include "icpi/rollout/planning_work.hpp"

namespace icpi {

ICPI_INLINE Planner::Planner() : work_(make_owned<PlanningWork>()) {}
ICPI_INLINE Planner::Planner(Planner&&) noexcept = default;
ICPI_INLINE Planner& Planner::operator=(Planner&&) noexcept = default;
ICPI_INLINE Planner::~Planner() = default;

ICPI_INLINE void Planner::run(RolloutModelRef model, std::span<const DecisionTask> tasks,
                              const PlanningOptions& options, std::span<DecisionResult> results, const Until& until) {
  struct Nothing final : History {
    OutcomeCounts outcomes(std::uint32_t, ObservationId, std::uint32_t) const override { return {}; }
    bool tried(std::uint32_t, ObservationId, std::uint32_t) const override { return false; }
    void recall(std::uint32_t, ObservationId, std::uint32_t, std::vector<SeenOutcome>& seen) const override {
      seen.clear();
    }
    ActionExperience experience(std::uint32_t, std::uint32_t) const override { return {}; }
  };
  run(Imagination(model, Nothing(), until), tasks, options, results);
}
ICPI_INLINE void Planner::run(const Imagination& imagination, std::span<const DecisionTask> tasks,
                              const PlanningOptions& options, std::span<DecisionResult> results) {
  work_->run(imagination, tasks, options, results);
}

ICPI_INLINE std::vector<PlannedStep> Planner::imagined(std::size_t task) const { return work_->imagined(task); }

}  // namespace icpi
