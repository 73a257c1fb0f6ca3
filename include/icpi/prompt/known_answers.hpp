// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace icpi {

/// A small set of texts, in the order of their arrival. It becomes empty until it is cleared when it would exceed
/// `limit`: then the set counts as open.
/// Thread-safety: const members may be called concurrently.
class KnownAnswers {
 public:
  static constexpr std::size_t limit = 64;  ///< most answers kept

  KnownAnswers() = default;
  KnownAnswers(const KnownAnswers&) = delete;  // the views point into the texts
  KnownAnswers& operator=(const KnownAnswers&) = delete;

  /// Adds an answer, unless it is known or there are too many.
  void add(std::string_view answer) {
    if (open_ || std::find(views_.begin(), views_.end(), answer) != views_.end()) return;
    if (views_.size() == limit) {
      open_ = true;
      views_.clear();
      return;
    }
    views_.push_back(texts_.emplace_back(answer));
  }

  /// Forgets all, so that the set is not open any more.
  void clear() noexcept {
    open_ = false;
    views_.clear();
    texts_.clear();
  }

  /// In the order of their arrival.
  [[nodiscard]] std::span<const std::string_view> texts() const noexcept { return views_; }

 private:
  bool open_ = false;
  std::deque<std::string> texts_;  ///< a deque: the views stay valid
  std::vector<std::string_view> views_;
};

}  // namespace icpi
