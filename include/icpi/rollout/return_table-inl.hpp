// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

#include "icpi/rollout/return_table.hpp"

namespace icpi {

ICPI_INLINE ReturnTable::ReturnTable() noexcept = default;
ICPI_INLINE ReturnTable::ReturnTable(const ReturnTable&) = default;
ICPI_INLINE ReturnTable::ReturnTable(ReturnTable&&) noexcept = default;
ICPI_INLINE ReturnTable& ReturnTable::operator=(const ReturnTable&) = default;
ICPI_INLINE ReturnTable& ReturnTable::operator=(ReturnTable&&) noexcept = default;
ICPI_INLINE ReturnTable::~ReturnTable() = default;

ICPI_INLINE void ReturnTable::resize(std::size_t actions, std::size_t rollouts) {
  values_.resize(actions * rollouts);
  actions_ = actions;
  rollouts_ = rollouts;
}

ICPI_INLINE std::span<const double> ReturnTable::values() const noexcept { return values_; }

ICPI_INLINE double ReturnTable::mean(std::size_t action) const {
  double sum = 0;
  std::size_t known = 0;
  for (std::size_t rollout = 0; rollout < rollouts_; ++rollout) {
    const double value = (*this)(action, rollout);
    if (std::isnan(value)) continue;
    sum += value;
    ++known;
  }
  return sum / static_cast<double>(known);
}

ICPI_INLINE bool operator==(const ReturnTable& left, const ReturnTable& right) {
  return left.actions_ == right.actions_ && left.rollouts_ == right.rollouts_ && left.values_ == right.values_;
}

}  // namespace icpi
