// SPDX-License-Identifier: MIT
#pragma once

#include <Eigen/Core>
#include <span>

#include "icpi/rollout/return_table.hpp"

/// Values and returns as Eigen arrays: views, valid as long as what they show and of no use after it has changed.
namespace icpi {

/// One value an action.
[[nodiscard]] inline Eigen::Map<const Eigen::ArrayXd> as_eigen(std::span<const double> values) {
  return {values.data(), static_cast<Eigen::Index>(values.size())};
}

/// Actions x rollouts.
[[nodiscard]] inline Eigen::Map<const Eigen::ArrayXXd> as_eigen(const ReturnTable& returns) {
  return {returns.values().data(), static_cast<Eigen::Index>(returns.actions()),
          static_cast<Eigen::Index>(returns.rollouts())};
}

}  // namespace icpi
