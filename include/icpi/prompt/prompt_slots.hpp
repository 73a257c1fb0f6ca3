// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "icpi/concepts/query_kind.hpp"

namespace icpi {

/// Numbers the kinds of world-model prompts: those of an action lie together, those of all actions share the first ones
/// where examples need not be of the same action.
struct PromptSlots {
  static constexpr std::size_t per_action = 5;  ///< of separate questions four, and one of whole transitions

  bool constraints = true;  ///< see PromptOptions

  /// How many there are.
  [[nodiscard]] static constexpr std::size_t count(std::size_t actions) noexcept { return actions * per_action; }

  /// That of a question.
  [[nodiscard]] constexpr std::size_t operator()(QueryKind kind, std::size_t action, bool terminated) const noexcept {
    const std::size_t first = constraints ? action * per_action : 0;
    switch (kind) {
      case QueryKind::termination: return first;
      case QueryKind::observation: return first + 1;
      case QueryKind::transition: return first + 4;
      default: return first + 2 + (terminated && constraints ? 1 : 0);
    }
  }

  /// Whether transitions that `ended` are examples of questions of this kind; `terminated` is that of a reward's.
  [[nodiscard]] constexpr bool qualifies(QueryKind kind, bool terminated, bool ended) const noexcept {
    if (!constraints) return true;
    if (kind == QueryKind::observation) return !ended;
    return kind != QueryKind::reward || ended == terminated;
  }

  /// What it asks for.
  [[nodiscard]] static constexpr QueryKind kind(std::size_t slot) noexcept {
    switch (slot % per_action) {
      case 0: return QueryKind::termination;
      case 1: return QueryKind::observation;
      case 4: return QueryKind::transition;
      default: return QueryKind::reward;
    }
  }
};

}  // namespace icpi
