// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "icpi/rollout/decision_task.hpp"
#include "icpi/rollout/return_table.hpp"

namespace icpi {

/// Makes `values` those of a result, by action: the estimator's own, or means of returns; `actions` times NaN where it has
/// neither.
inline void take_values(const DecisionResult& result, std::size_t actions, std::vector<double>& values) {
  values = result.values;
  if (!values.empty()) return;
  values.resize(result.returns.empty() ? actions : result.returns.actions());
  for (std::size_t action = 0; action < values.size(); ++action) values[action] = result.returns.mean(action);
}

/// The actions that may be selected, ascending: those of a known value.
/// Thread-safety: one object by one thread at a time.
class Candidates {
 public:
  /// Those of these values, by action; NaN: not known.
  void take(std::span<const double> values) {
    actions_.clear();
    values_.clear();
    for (std::uint32_t action = 0; action < values.size(); ++action) {
      if (values[action] != values[action]) continue;  // NaN
      actions_.push_back(action);
      values_.push_back(values[action]);
    }
  }

  [[nodiscard]] std::span<const std::uint32_t> actions() const noexcept { return actions_; }  ///< numbers
  [[nodiscard]] std::span<const double> values() const noexcept { return values_; }           ///< of the same actions

 private:
  std::vector<std::uint32_t> actions_;
  std::vector<double> values_;
};

}  // namespace icpi
