// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "icpi/rollout/engine.hpp"
#include "icpi/rollout/engine_work.hpp"

namespace icpi {

ICPI_INLINE RolloutEngine::RolloutEngine() : work_(make_owned<EngineWork>()) {}
ICPI_INLINE RolloutEngine::RolloutEngine(RolloutEngine&&) noexcept = default;
ICPI_INLINE RolloutEngine& RolloutEngine::operator=(RolloutEngine&&) noexcept = default;
ICPI_INLINE RolloutEngine::~RolloutEngine() = default;

ICPI_INLINE void RolloutEngine::run(RolloutModelRef model, std::span<const DecisionTask> tasks,
                                    const RolloutOptions& options, std::span<DecisionResult> results,
                                    const Until& until) {
  work_->run(model, tasks, options, results, until);
}

ICPI_INLINE std::span<const Rollout> RolloutEngine::rollouts() const noexcept { return work_->rollouts(); }

}  // namespace icpi
