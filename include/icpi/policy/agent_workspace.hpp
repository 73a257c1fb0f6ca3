// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "icpi/concepts/history.hpp"
#include "icpi/policy/agent_core.hpp"
#include "icpi/policy/candidates.hpp"
#include "icpi/rollout/decision_task.hpp"
#include "icpi/rollout/hope.hpp"

namespace icpi {

/// Which steps the decisions of the running episode took, to tell whether they did the same twice.
class EpisodeSteps {
 public:
  /// Another episode begins.
  void clear() noexcept {
    steps_.clear();
    last_.reset();
    repeats_ = false;
  }
  /// The decision about step number `step` chose the step that `hash` identifies. What is decided again before it was taken
  /// counts once.
  void note(std::uint64_t step, std::uint64_t hash) {
    if (last_ && last_->step != step && !repeats_) repeats_ = !steps_.insert(last_->hash).second;
    last_ = Noted{step, hash};
  }
  /// Whether two of the steps before number `step` were the same.
  [[nodiscard]] bool repeat(std::uint64_t step) const {
    return repeats_ || (last_ && last_->step != step && steps_.contains(last_->hash));
  }

 private:
  struct Noted {
    std::uint64_t step = 0, hash = 0;
  };
  std::unordered_set<std::uint64_t> steps_;  ///< without the last
  std::optional<Noted> last_;                ///< decided, and perhaps not taken yet
  bool repeats_ = false;
};

/// What decisions need and keep from one to the next; what agents that decide together know and hope for.
struct AgentCore::Workspace final : History, Hopes {
  std::vector<DecisionTask> tasks;      ///< of this decision
  std::vector<DecisionResult> results;  ///< of tasks; more places than that are kept
  std::vector<AgentCore*> deciding;     ///< whose tasks they are, by prompt context

  /// One of those that decide together.
  struct Gathered {
    AgentCore* agent = nullptr;         ///< who decides
    const void* observation = nullptr;  ///< where it stands
  };
  std::vector<Gathered> gathered;  ///< who decides together
  Candidates candidates;           ///< of the decision being made
  EpisodeSteps done;               ///< this agent's own, in training, where explorations hope

  OutcomeCounts outcomes(std::uint32_t prompt_context, ObservationId observation, std::uint32_t action) const override {
    return deciding[prompt_context]->memory_outcomes(observation, action);
  }
  bool tried(std::uint32_t prompt_context, ObservationId observation, std::uint32_t action) const override {
    return deciding[prompt_context]->memory_tried(observation, action);
  }
  void recall(std::uint32_t prompt_context, ObservationId observation, std::uint32_t action,
              std::vector<SeenOutcome>& seen) const override {
    deciding[prompt_context]->memory_recall(observation, action, seen);
  }
  ActionExperience experience(std::uint32_t prompt_context, std::uint32_t action) const override {
    return deciding[prompt_context]->memory_experience(action);
  }

  bool hopes(std::uint32_t prompt_context) const override { return deciding[prompt_context]->hopes(); }
  /// Of several explorations that hope the first is asked.
  Hope judge(const DecisionTask& task, std::span<const PlannedStep> steps, std::span<double> unknown) const override {
    const AgentCore& agent = *deciding[task.prompt_context];
    const auto hoping =
        std::ranges::find_if(agent.options_.explorations, [](const Exploration& each) { return each->hopes(); });
    return (*hoping)->hope(agent.context(task, *this), steps, unknown);
  }
};

}  // namespace icpi
