// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>

namespace icpi {

/// What an experiment needs to know about a domain besides its dynamics (Brooks et al. 2023, appendix and figures).
struct DomainFacts {
  std::string_view name;           ///< as the program spells it, for instance "mini-catch"
  int horizon = 0;                 ///< environment steps of a run in the paper's figure
  int rollout_limit = 0;           ///< simulated steps of one rollout
  double evaluation_discount = 1;  ///< of returns and regrets that are reported; planning uses Environment::discount()
  double return_scale = 1;         ///< reported returns are divided by this
  double success_threshold = 0;    ///< a trajectory with a higher return counts as successful
  std::optional<double> highest_reward{};  ///< of a step, where it is stated

  friend bool operator==(const DomainFacts&, const DomainFacts&) = default;
};

}  // namespace icpi
