// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "icpi/concepts/field_text.hpp"
#include "icpi/process/options.hpp"

namespace icpi {

/// What a server says of its environments (docs/process.md).
struct EnvironmentSpec {
  std::string name;                                        ///< as records name it
  std::vector<Field> fields;                               ///< of an observation
  std::vector<std::string> actions;                        ///< names, no two of them equal
  std::optional<double> discount;                          ///< for planning
  std::optional<std::pair<double, double>> reward_bounds;  ///< lowest and highest reward of a step
  std::optional<double> optimal_return;                    ///< expected, undiscounted, of a best policy
  std::size_t step_limit = 0;                              ///< after which it truncates episodes; 0: none
  std::string description;                                 ///< of the task, for people and prompts
  bool legal_actions = false;                              ///< whether answers say which actions are legal
  bool set_state = false;                                  ///< whether a state can be set
};

}  // namespace icpi
