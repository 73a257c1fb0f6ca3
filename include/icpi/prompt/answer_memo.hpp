// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "icpi/concepts/rollout_model.hpp"

namespace icpi {

/// Answers that were given to stable prompts, so that an identical query is not put twice. Open addressing; clearing
/// keeps the memory.
/// Thread-safety: one object by one thread at a time.
class AnswerMemo {
 public:
  /// What makes two queries identical. Prompts of equal identity and length are equal.
  struct Key {
    QueryKind kind = QueryKind::termination;  ///< of the question
    bool terminated = false;                  ///< of a reward question
    std::uint32_t action = 0;                 ///< of the question; of one for an action, the number of what is legal
    ObservationId observation = 0;            ///< of the question
    std::uint32_t sample = 0;                 ///< of the question
    std::uint32_t attempt = 0;                ///< of the question
    bool want_logprob = false;                ///< of the question
    bool drawn = false;                       ///< of the question
    /// 0 for greedy queries and for what is drawn: their answers hold beyond the decision.
    std::uint64_t decision = 0;
    std::uint64_t prefix_identity = 0;  ///< of the prompt
    std::uint64_t prefix_length = 0;    ///< of the prompt, in bytes

    friend bool operator==(const Key&, const Key&) = default;
  };

  /// Either the answer, or the number of the request that will bring it.
  struct Entry {
    static constexpr std::uint32_t none = ~std::uint32_t{0};  ///< no request
    std::uint32_t pending = none;                             ///< number of the request
    Answer answer;                                            ///< when none is pending
  };

  /// The entry of `key`, and whether it is new. Valid until the next call.
  std::pair<Entry*, bool> find_or_add(const Key& key) {
    if (2 * (used_ + 1) > slots_.size()) grow();
    auto& slot = find(key);
    const bool added = !slot.used;
    if (added) {
      slot = {true, key, {}};
      ++used_;
    }
    return {&slot.entry, added};
  }

  /// Answers kept.
  [[nodiscard]] std::size_t size() const noexcept { return used_; }

  /// Forgets all answers.
  void clear() noexcept {
    if (used_ != 0) std::fill(slots_.begin(), slots_.end(), Slot{});
    used_ = 0;
  }

 private:
  struct Slot {
    bool used = false;
    Key key;
    Entry entry;
  };

  static std::size_t hash(const Key& key) noexcept {
    std::uint64_t value = key.prefix_identity * 0x9E3779B97F4A7C15 + key.prefix_length;
    const auto mix = [&value](std::uint64_t word) {
      value = (value ^ word) * 0xBF58476D1CE4E5B9;
      value ^= value >> 29;
    };
    mix(static_cast<std::uint64_t>(key.kind) << 1 | (key.terminated ? 1 : 0));
    mix(std::uint64_t{key.action} << 32 | key.observation);
    mix(std::uint64_t{key.sample} << 32 | key.attempt);
    mix(key.decision << 2 | (key.drawn ? 2 : 0) | (key.want_logprob ? 1 : 0));
    return static_cast<std::size_t>(value);
  }

  Slot& find(const Key& key) {
    std::size_t at = hash(key) & (slots_.size() - 1);
    while (slots_[at].used && !(slots_[at].key == key)) at = (at + 1) & (slots_.size() - 1);
    return slots_[at];
  }

  void grow() {
    const auto old = std::move(slots_);
    slots_.assign(std::max<std::size_t>(256, 2 * old.size()), Slot{});
    for (const auto& slot : old) {
      if (slot.used) find(slot.key) = slot;
    }
  }

  std::vector<Slot> slots_;
  std::size_t used_ = 0;
};

}  // namespace icpi
