// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_set>

#include "icpi/concepts/language_model.hpp"

namespace icpi {

/// Which prefixes a model has, because it answered something behind them. Those of long ago are forgotten.
/// Thread-safety: one object by one thread at a time.
class PrimedPrefixes {
 public:
  static constexpr std::size_t most = 4096;  ///< that are remembered

  /// Takes note of what came behind the prefix of this identity: nothing, if it is no answer.
  void note(std::uint64_t identity, const Completion& completion) {
    if (completion.error) return;
    if (known_.size() >= most) known_.clear();
    known_.insert(identity);
  }

  /// Whether the model has it.
  [[nodiscard]] bool contains(std::uint64_t identity) const { return known_.contains(identity); }
  /// How many are remembered.
  [[nodiscard]] std::size_t size() const noexcept { return known_.size(); }

 private:
  std::unordered_set<std::uint64_t> known_;
};

}  // namespace icpi
