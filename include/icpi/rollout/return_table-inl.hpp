// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

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

ICPI_INLINE double ReturnTable::mean(std::size_t action) const {
  double sum = 0;
  for (std::size_t rollout = 0; rollout < rollouts_; ++rollout) sum += (*this)(action, rollout);
  return sum / static_cast<double>(rollouts_);
}

ICPI_INLINE bool operator==(const ReturnTable& left, const ReturnTable& right) {
  return left.actions_ == right.actions_ && left.rollouts_ == right.rollouts_ && left.values_ == right.values_;
}

}  // namespace icpi
