// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "icpi/concepts/replay_buffer.hpp"
#include "icpi/core/export.hpp"

namespace icpi {

/// Sorts transitions into the classes that balanced reward prompts draw from equally (paper, section 3).
///
/// Up to `value_limit` distinct rewards, every value is a class. Beyond that rewards are treated as continuous: classes
/// are negative, zero and positive where at least two of these occur, else the four quantile ranges of the values,
/// which are computed anew whenever the number of transitions has doubled.
/// Thread-safety: const members may be called concurrently.
class ICPI_API RewardClasses {
 public:
  static constexpr std::size_t value_limit = 8;  ///< most classes by value

  /// Adds a transition; ids must come in ascending order. Amortised constant time.
  void add(TransitionId id, double reward);

  /// Forgets every transition from `first` on.
  void truncate(TransitionId first);

  /// Those that are left without some of them (`leaving`, ascending), sorted as if the others had never been there.
  [[nodiscard]] RewardClasses without(TransitionIds leaving) const;

  /// Classes with at least one member each, in the order of their first appearance; members ascending.
  [[nodiscard]] std::span<const RewardClass> classes() const noexcept { return classes_; }

 private:
  enum class Kind { value, sign, quantile };

  [[nodiscard]] bool is_new_value(double reward) const;

  [[nodiscard]] double key(double reward) const;

  void insert(TransitionId id, double reward);

  void regroup();

  Kind kind_ = Kind::value;
  std::size_t regroup_at_ = 0;
  std::array<double, 3> cuts_{};
  std::vector<double> keys_;
  std::vector<RewardClass> classes_;
  std::vector<TransitionId> ids_;
  std::vector<double> rewards_;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/replay/reward_classes-inl.hpp"
#endif
