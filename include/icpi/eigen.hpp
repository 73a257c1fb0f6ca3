// SPDX-License-Identifier: MIT
#pragma once

#include <Eigen/Core>
#include <span>

#include "icpi/rollout/return_table.hpp"

namespace icpi {

/// One value an action. A view, of no use after what it shows has changed.
[[nodiscard]] inline Eigen::Map<const Eigen::ArrayXd> as_eigen(std::span<const double> values) {
  return {values.data(), static_cast<Eigen::Index>(values.size())};
}

/// Actions x rollouts. A view, of no use after what it shows has changed.
[[nodiscard]] inline Eigen::Map<const Eigen::ArrayXXd> as_eigen(const ReturnTable& returns) {
  return {returns.values().data(), static_cast<Eigen::Index>(returns.actions()),
          static_cast<Eigen::Index>(returns.rollouts())};
}

}  // namespace icpi
