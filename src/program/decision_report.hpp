// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/policy/rollout_agent.hpp"
#include "icpi/prompt/query_options.hpp"
#include "icpi/rollout/rollout.hpp"

namespace icpi::program {

/// Prints one decision: every query with its prompt, completion and validity, then the rollouts and the values.
class DecisionReport {
 public:
  /// Without `whole_prompts` only the last lines of a prompt are printed.
  DecisionReport(std::ostream& out, bool whole_prompts) : out_(out), whole_prompts_(whole_prompts) {}

  /// What is decided.
  void begin(std::string_view domain, std::string_view model, std::size_t episodes, std::string_view observation);

  /// One query; `observation` is where the imagined step starts.
  void query(const QueryRecord& record, std::string_view observation, const std::vector<std::string>& actions);

  /// The imagined trajectories. Nothing when the decision was not made with rollouts.
  void rollouts(const Decision& decision, std::span<const Rollout> rollouts, const std::vector<std::string>& actions,
                const std::function<std::string(ObservationId)>& text);

  /// The imagined steps behind a planned decision.
  void planned(std::span<const PlannedStep> steps, const std::vector<std::string>& actions,
               const std::function<std::string(ObservationId)>& text);

  /// Values, choice and costs.
  void decision(const Decision& decision, const std::vector<std::string>& actions);

 private:
  std::ostream& out_;
  bool whole_prompts_;
  std::size_t queries_ = 0;
};

}  // namespace icpi::program
