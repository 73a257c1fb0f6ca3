// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "icpi/concepts/replay_buffer.hpp"
#include "icpi/core/random.hpp"

namespace icpi {

/// The examples that qualify for a prompt, grouped into the classes that are balanced against each other. Holds views
/// into the replay buffer; reused from query to query without allocation.
/// Thread-safety: one object by one thread at a time.
class ExampleClasses {
 public:
  /// Examples that count as alike.
  struct Class {
    double key = 0;           ///< what the members have in common: a termination (0 or 1) or a reward
    bool terminated = false;  ///< of whole transitions: their termination
    std::size_t size = 0;     ///< examples in it
    std::vector<std::span<const TransitionId>> parts;  ///< where they are

    /// Whether this is what its members have in common.
    [[nodiscard]] bool named(double other_key, bool other_terminated) const noexcept {
      return key == other_key && terminated == other_terminated;
    }

    /// Member number `index`, 0 <= index < size.
    [[nodiscard]] TransitionId operator[](std::size_t index) const {
      std::size_t part = 0;
      while (index >= parts[part].size()) index -= parts[part++].size();
      return parts[part][index];
    }
  };

  /// Forgets all classes.
  void clear() noexcept {
    used_ = 0;
    terminated_ = {};
  }

  /// Adds members to the class of this key and, for whole transitions, termination. Nothing happens when there are none.
  void add(double key, std::span<const TransitionId> members, bool terminated = false) {
    if (members.empty()) return;
    auto& target = find(key, terminated);
    target.size += members.size();
    target.parts.push_back(members);
  }

  /// In the order of their addition.
  [[nodiscard]] std::span<const Class> classes() const noexcept { return {classes_.data(), used_}; }
  /// Whether no class has an example.
  [[nodiscard]] bool empty() const noexcept { return used_ == 0; }
  /// Classes of the termination of number `index`, itself among them; of separate questions, all.
  [[nodiscard]] std::size_t siblings(std::size_t index) const noexcept {
    return terminated_[classes_[index].terminated ? 1 : 0];
  }

 private:
  Class& find(double key, bool terminated) {
    for (std::size_t i = 0; i < used_; ++i) {
      if (classes_[i].named(key, terminated)) return classes_[i];
    }
    if (used_ == classes_.size()) classes_.emplace_back();
    ++terminated_[terminated ? 1 : 0];
    auto& added = classes_[used_++];
    added.key = key;
    added.terminated = terminated;
    added.size = 0;
    added.parts.clear();
    return added;
  }

  std::vector<Class> classes_;
  std::size_t used_ = 0;
  std::array<std::size_t, 2> terminated_{};  ///< how many have `terminated` off and on
};

/// A random permutation of 0 .. n - 1 that is drawn element by element: time and memory grow with what was drawn, not
/// with n (Fisher-Yates on a sparse array).
/// Thread-safety: one object by one thread at a time.
class SparsePermutation {
 public:
  /// Begins a permutation of 0 .. size - 1.
  void start(std::size_t size) {
    left_ = size;
    if (moved_ != 0) std::fill(slots_.begin(), slots_.end(), Slot{});
    moved_ = 0;
  }

  /// How many are still to be drawn.
  [[nodiscard]] std::size_t left() const noexcept { return left_; }

  /// The next element. Precondition: left() > 0.
  std::size_t draw(RandomStream& stream) {
    const std::size_t position = stream.index(left_--);
    const std::size_t drawn = value(position);
    if (position != left_) set(position, value(left_));
    return drawn;
  }

 private:
  struct Slot {
    std::uint32_t position = empty;
    std::uint32_t value = 0;
  };
  static constexpr std::uint32_t empty = ~std::uint32_t{0};

  [[nodiscard]] std::size_t home(std::uint32_t position) const {
    return (position * std::size_t{0x9E3779B97F4A7C15}) >> 20 & (slots_.size() - 1);
  }

  [[nodiscard]] std::size_t value(std::size_t position) const {
    if (moved_ == 0) return position;
    const auto wanted = static_cast<std::uint32_t>(position);
    for (std::size_t at = home(wanted);; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].position == wanted) return slots_[at].value;
      if (slots_[at].position == empty) return position;
    }
  }

  void set(std::size_t position, std::size_t value) {
    if (2 * (moved_ + 1) > slots_.size()) grow();
    const auto wanted = static_cast<std::uint32_t>(position);
    std::size_t at = home(wanted);
    while (slots_[at].position != empty && slots_[at].position != wanted) at = (at + 1) & (slots_.size() - 1);
    if (slots_[at].position == empty) ++moved_;
    slots_[at] = {wanted, static_cast<std::uint32_t>(value)};
  }

  void grow() {
    const auto old = std::move(slots_);
    slots_.assign(std::max<std::size_t>(64, 2 * old.size()), Slot{});
    moved_ = 0;
    for (const auto& slot : old) {
      if (slot.position != empty) set(slot.position, slot.value);
    }
  }

  std::size_t left_ = 0;
  std::size_t moved_ = 0;
  std::vector<Slot> slots_;
};

/// Draws examples one after the other from the shuffled, balanced multiset of the paper (section 3): every member of
/// every class once, members of the smaller classes repeated by random choice until all classes are as large as the
/// largest; those of whole transitions, until both terminations have equally many, and all rewards of a termination have.
/// What is drawn is distributed as an equally long part of the whole shuffled multiset, at a cost that grows
/// with the number drawn and not with the history.
/// Thread-safety: one object by one thread at a time.
class ExampleSampler {
 public:
  /// One drawn example.
  struct Example {
    TransitionId id = 0;          ///< the transition
    std::size_t class_index = 0;  ///< the class it was drawn from
  };

  /// Begins a new multiset. `examples` must outlive the draws. Without `balance` nothing is repeated.
  void start(const ExampleClasses& examples, bool balance) {
    examples_ = &examples;
    const auto classes = examples.classes();
    if (states_.size() < classes.size()) states_.resize(classes.size());
    std::size_t wanted = 0;  // of a termination
    for (std::size_t i = 0; i < classes.size(); ++i) wanted = std::max(wanted, classes[i].size * examples.siblings(i));
    slots_ = 0;
    for (std::size_t i = 0; i < classes.size(); ++i) {
      states_[i].slots = balance ? wanted / examples.siblings(i) : classes[i].size;
      states_[i].originals.start(classes[i].size);
      slots_ += states_[i].slots;
    }
  }

  /// Examples not drawn yet.
  [[nodiscard]] std::size_t left() const noexcept { return slots_; }

  /// The next example; nullopt when the multiset is exhausted.
  std::optional<Example> next(RandomStream& stream) {
    if (slots_ == 0) return std::nullopt;
    std::size_t slot = stream.index(slots_--);
    std::size_t chosen = 0;
    while (slot >= states_[chosen].slots) slot -= states_[chosen++].slots;
    auto& state = states_[chosen];
    const auto& members = examples_->classes()[chosen];
    const bool original = slot < state.originals.left();
    --state.slots;
    return Example{members[original ? state.originals.draw(stream) : stream.index(members.size)], chosen};
  }

 private:
  struct State {
    std::size_t slots = 0;
    SparsePermutation originals;
  };

  const ExampleClasses* examples_ = nullptr;
  std::vector<State> states_;
  std::size_t slots_ = 0;
};

}  // namespace icpi
