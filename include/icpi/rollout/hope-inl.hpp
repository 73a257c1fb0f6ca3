// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <vector>

#include "icpi/rollout/hope.hpp"

namespace icpi {

ICPI_INLINE void Hope::discounted(int horizon, double discount, std::vector<double>& worth) const {
  worth.assign(1, 0);
  for (int steps = 1; steps <= horizon; ++steps)
    worth.push_back(steps == 1 ? std::max(step, last) : std::max(last, step + discount * worth.back()));
}

}  // namespace icpi
