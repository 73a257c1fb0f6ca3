// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "icpi/core/export.hpp"

namespace icpi {

/// The returns of imagined rollouts: actions x rollouts per action. icpi/eigen.hpp shows them as an Eigen array.
/// Thread-safety: const members may be called concurrently.
class ICPI_API ReturnTable {
 public:
  // Defined out of line, so that users' units need not make them.
  ReturnTable() noexcept;
  ReturnTable(const ReturnTable&);                 ///< a copy
  ReturnTable(ReturnTable&&) noexcept;             ///< takes over
  ReturnTable& operator=(const ReturnTable&);      ///< a copy
  ReturnTable& operator=(ReturnTable&&) noexcept;  ///< takes over
  ~ReturnTable();

  /// How many actions and rollouts per action. What it held is undefined then; memory is kept.
  void resize(std::size_t actions, std::size_t rollouts);

  /// The return of rollout number `rollout` of `action`.
  [[nodiscard]] double& operator()(std::size_t action, std::size_t rollout) {
    return values_[rollout * actions_ + action];
  }
  /// The return of rollout number `rollout` of `action`.
  [[nodiscard]] double operator()(std::size_t action, std::size_t rollout) const {
    return values_[rollout * actions_ + action];
  }

  /// Of the returns of `action`; NaN where there are no rollouts.
  [[nodiscard]] double mean(std::size_t action) const;

  [[nodiscard]] std::size_t actions() const noexcept { return actions_; }     ///< first dimension
  [[nodiscard]] std::size_t rollouts() const noexcept { return rollouts_; }   ///< second dimension
  [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }  ///< of both together
  [[nodiscard]] bool empty() const noexcept { return values_.empty(); }       ///< no returns were asked for
  /// All of them: first those of every action's first rollout, then of every second one, and so on.
  [[nodiscard]] std::span<const double> values() const noexcept;

  friend ICPI_API bool operator==(const ReturnTable& left, const ReturnTable& right);

 private:
  std::vector<double> values_;
  std::size_t actions_ = 0;
  std::size_t rollouts_ = 0;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/rollout/return_table-inl.hpp"
#endif
