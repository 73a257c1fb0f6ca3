// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "icpi/concepts/replay_buffer.hpp"

namespace icpi {

/// Sorts transitions into the classes that balanced reward prompts draw from equally (paper, section 3).
///
/// Up to `value_limit` distinct rewards, every value is a class. Beyond that rewards are treated as continuous: classes
/// are negative, zero and positive where at least two of these occur, else the four quantile ranges of the values,
/// which are computed anew whenever the number of transitions has doubled.
/// Thread-safety: const members may be called concurrently.
class RewardClasses {
 public:
  static constexpr std::size_t value_limit = 8;  ///< most classes by value

  /// Adds a transition; ids must come in ascending order. Amortised constant time.
  void add(TransitionId id, double reward) {
    rewards_.push_back(reward);
    ids_.push_back(id);
    if (kind_ == Kind::value && is_new_value(reward) && classes_.size() == value_limit) {
      regroup();
    } else if (kind_ != Kind::value && rewards_.size() >= regroup_at_) {
      regroup();
    } else {
      insert(id, reward);
    }
  }

  /// Forgets every transition from `first` on.
  void truncate(TransitionId first) {
    if (ids_.empty() || ids_.back() < first) return;
    while (!ids_.empty() && ids_.back() >= first) {
      ids_.pop_back();
      rewards_.pop_back();
    }
    kind_ = Kind::value;
    classes_.clear();
    keys_.clear();
    const auto ids = std::move(ids_);
    const auto rewards = std::move(rewards_);
    ids_.clear();
    rewards_.clear();
    for (std::size_t i = 0; i < ids.size(); ++i) add(ids[i], rewards[i]);
  }

  /// Classes with at least one member each, in the order of their first appearance; members ascending.
  [[nodiscard]] std::span<const RewardClass> classes() const noexcept { return classes_; }

 private:
  enum class Kind { value, sign, quantile };

  [[nodiscard]] bool is_new_value(double reward) const {
    return std::find(keys_.begin(), keys_.end(), reward) == keys_.end();
  }

  [[nodiscard]] double key(double reward) const {
    switch (kind_) {
      case Kind::value: return reward;
      case Kind::sign: return reward < 0 ? -1 : reward > 0 ? 1 : 0;
      case Kind::quantile: break;
    }
    return static_cast<double>(std::upper_bound(cuts_.begin(), cuts_.end(), reward) - cuts_.begin());
  }

  void insert(TransitionId id, double reward) {
    const double wanted = key(reward);
    const auto found = static_cast<std::size_t>(std::find(keys_.begin(), keys_.end(), wanted) - keys_.begin());
    if (found == keys_.size()) {
      keys_.push_back(wanted);
      classes_.push_back({reward, {}});
    }
    classes_[found].members.push_back(id);
  }

  void regroup() {
    const bool negative = std::any_of(rewards_.begin(), rewards_.end(), [](double reward) { return reward < 0; });
    const bool positive = std::any_of(rewards_.begin(), rewards_.end(), [](double reward) { return reward > 0; });
    const bool zero = std::any_of(rewards_.begin(), rewards_.end(), [](double reward) { return reward == 0; });
    kind_ = int{negative} + int{positive} + int{zero} >= 2 ? Kind::sign : Kind::quantile;
    if (kind_ == Kind::quantile) {
      auto sorted = rewards_;
      std::sort(sorted.begin(), sorted.end());
      for (std::size_t i = 0; i < cuts_.size(); ++i) cuts_[i] = sorted[(i + 1) * sorted.size() / 4];
    }
    regroup_at_ = 2 * rewards_.size();
    classes_.clear();
    keys_.clear();
    for (std::size_t i = 0; i < ids_.size(); ++i) insert(ids_[i], rewards_[i]);
  }

  Kind kind_ = Kind::value;
  std::size_t regroup_at_ = 0;
  std::array<double, 3> cuts_{};
  std::vector<double> keys_;
  std::vector<RewardClass> classes_;
  std::vector<TransitionId> ids_;
  std::vector<double> rewards_;
};

}  // namespace icpi
