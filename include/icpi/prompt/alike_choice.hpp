// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "icpi/concepts/replay_buffer.hpp"

namespace icpi {

/// A record that a prompt may show because its question is like the one that is asked. Equal records count as one.
struct AlikeRecord {
  double unlikeness = 0;     ///< of its question and the one asked
  std::uint64_t hash = 0;    ///< of its text
  std::size_t times = 1;     ///< how often it was seen
  std::uint32_t kind = 0;    ///< its class: records of equal termination and reward
  std::uint32_t tokens = 0;  ///< of its text
  TransitionId id = 0;       ///< one of the transitions that it is made of
  bool equal = false;        ///< whether its question is the one asked
};

/// Chooses among alike records: what it chooses depends on the records alone, and not on their order. Reused without
/// allocation. Thread-safety: one object by one thread at a time.
class AlikeChoice {
 public:
  /// How often the only answer to an equal question is shown. SmolLM2 135M repeats it in 69 % of questions of the chain that
  /// show it once, in 92 % twice, in all four times.
  static constexpr std::size_t copies = 4;

  /// Chooses at most `count` examples that take at most `room` tokens together. In this order, while they find room: the
  /// answers to equal questions, the most often seen first; of each class that is not among them the most alike; the
  /// answers to equal questions again, an only one up to `copies` times, unequal ones in proportion to how often they were
  /// seen and no more often; where no question was equal, the most alike of the rest. Equally alike ones come in the order
  /// of their hashes.
  void choose(std::span<const AlikeRecord> records, std::size_t count, std::size_t room) {
    count_ = count;
    room_ = room;
    order_.clear();
    for (const AlikeRecord& each : records) order_.push_back({&each, 0});
    std::sort(order_.begin(), order_.end(), before);
    const auto others =
        std::find_if(order_.begin(), order_.end(), [](const Chosen& each) { return !each.record->equal; });
    const std::span answers(order_.begin(), others);
    for (Chosen& each : answers) take(each);
    take_classes();
    if (!answers.empty()) return take_in_proportion(answers);
    for (Chosen& each : order_)
      if (each.times == 0) take(each);
  }

  /// Calls show(record) for each example, the least alike first. Of answers to the question itself the most often seen stand
  /// last.
  template <class Show>
  void for_each(Show&& show) const {
    for (auto each = order_.rbegin(); each != order_.rend(); ++each)
      for (std::size_t i = 0; i < each->times; ++i) show(*each->record);
  }

 private:
  struct Chosen {
    const AlikeRecord* record;
    std::size_t times;  ///< how often it is shown
  };

  /// The most alike come first.
  static bool before(const Chosen& left, const Chosen& right) {
    const AlikeRecord& one = *left.record;
    const AlikeRecord& other = *right.record;
    if (one.unlikeness != other.unlikeness) return one.unlikeness < other.unlikeness;
    if (one.equal != other.equal) return one.equal;
    if (one.equal && one.times != other.times) return one.times > other.times;
    return one.hash < other.hash;
  }

  bool take(Chosen& each) {
    if (count_ == 0 || each.record->tokens > room_) return false;
    --count_;
    room_ -= each.record->tokens;
    ++each.times;
    return true;
  }

  void take_classes() {
    classes_.clear();
    for (const Chosen& each : order_)
      if (each.times > 0) classes_.push_back(each.record->kind);
    for (Chosen& each : order_) {
      const std::uint32_t kind = each.record->kind;
      if (std::find(classes_.begin(), classes_.end(), kind) == classes_.end() && take(each)) classes_.push_back(kind);
    }
  }

  /// By the method of Webster and Sainte-Lague: the next one is that of which the fewest are shown for the times it was seen.
  void take_in_proportion(std::span<Chosen> answers) {
    const auto share = [&](const Chosen& each) {
      const std::size_t most = answers.size() == 1 ? copies : each.record->times;
      const bool all = each.times == 0 || each.times == most;
      return all ? 0 : static_cast<double>(each.record->times) / static_cast<double>(2 * each.times + 1);
    };
    while (true) {
      const auto next = std::max_element(answers.begin(), answers.end(), [&](const Chosen& left, const Chosen& right) {
        return share(left) < share(right);
      });
      if (share(*next) == 0 || !take(*next)) return;
    }
  }

  std::size_t count_ = 0;
  std::size_t room_ = 0;
  std::vector<Chosen> order_;
  std::vector<std::uint32_t> classes_;
};

}  // namespace icpi
