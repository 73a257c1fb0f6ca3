// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "icpi/replay/reward_classes.hpp"

namespace icpi {

ICPI_INLINE void RewardClasses::add(TransitionId id, double reward) {
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

ICPI_INLINE void RewardClasses::truncate(TransitionId first) {
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

ICPI_INLINE RewardClasses RewardClasses::without(TransitionIds leaving) const {
  RewardClasses left;
  auto next = leaving.begin();
  for (std::size_t i = 0; i < ids_.size(); ++i) {
    while (next != leaving.end() && *next < ids_[i]) ++next;
    if (next == leaving.end() || *next != ids_[i]) left.add(ids_[i], rewards_[i]);
  }
  return left;
}

ICPI_INLINE bool RewardClasses::is_new_value(double reward) const {
  return std::find(keys_.begin(), keys_.end(), reward) == keys_.end();
}

ICPI_INLINE double RewardClasses::key(double reward) const {
  switch (kind_) {
    case Kind::value: return reward;
    case Kind::sign: return reward < 0 ? -1 : reward > 0 ? 1 : 0;
    case Kind::quantile: break;
  }
  return static_cast<double>(std::upper_bound(cuts_.begin(), cuts_.end(), reward) - cuts_.begin());
}

ICPI_INLINE void RewardClasses::insert(TransitionId id, double reward) {
  const double wanted = key(reward);
  const auto found = static_cast<std::size_t>(std::find(keys_.begin(), keys_.end(), wanted) - keys_.begin());
  if (found == keys_.size()) {
    keys_.push_back(wanted);
    classes_.push_back({reward, {}});
  }
  classes_[found].members.push_back(id);
}

ICPI_INLINE void RewardClasses::regroup() {
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

}  // namespace icpi
