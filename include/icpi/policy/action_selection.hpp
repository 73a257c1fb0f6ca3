// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "icpi/core/export.hpp"
#include "icpi/core/owned.hpp"
#include "icpi/core/random.hpp"
#include "icpi/core/strategy.hpp"

namespace icpi {

/// Chooses an action by the values of all legal ones whose value is known, which come in the environment's order.
/// Optional: `check()`.
///
/// Laws: returns an index into `values`, which is not empty and holds no NaN; what is random draws from `stream`.
template <class T>
concept SelectsActions = std::copyable<T> && DescribesItself<T> &&
                         requires(T& strategy, std::span<const double> values, RandomStream& stream) {
                           { strategy.select(values, stream) } -> std::same_as<std::size_t>;  // select(values, stream)
                         };

/// The calls behind ActionSelection.
struct ICPI_API ActionSelectionCalls : StrategyCalls {
  /// Which types are strategies of this kind.
  template <class T>
  static constexpr bool accepts = SelectsActions<T>;

  /// See SelectsActions.
  [[nodiscard]] virtual std::size_t select(std::span<const double> values, RandomStream& stream) = 0;
  /// A copy of what is held.
  [[nodiscard]] virtual Owned<ActionSelectionCalls> clone() const = 0;

  /// A strategy of type T.
  template <class T>
  struct ICPI_API Of final : HeldStrategy<ActionSelectionCalls, Of<T>, T> {
    using HeldStrategy<ActionSelectionCalls, Of<T>, T>::HeldStrategy;
    std::size_t select(std::span<const double> values, RandomStream& stream) override {
      return this->strategy.select(values, stream);
    }
  };
};

/// Any action selection: Greedy, Softmax or a user's own.
using ActionSelection = Strategy<ActionSelectionCalls>;

/// The best action (paper, section 3); ties are broken uniformly at random.
struct ICPI_API Greedy {
  /// See SelectsActions.
  [[nodiscard]] ICPI_API std::size_t select(std::span<const double> values, RandomStream& stream) const;
  /// Name and parameters.
  [[nodiscard]] ICPI_API std::string description() const;
};

/// Each action with probability proportional to exp(value / temperature) (Boltzmann).
struct ICPI_API Softmax {
  double temperature = 1;  ///< in units of value; above 0, finite

  /// See SelectsActions.
  [[nodiscard]] ICPI_API std::size_t select(std::span<const double> values, RandomStream& stream) const;
  /// Name and parameters.
  [[nodiscard]] ICPI_API std::string description() const;
  /// Throws InvalidArgument for parameters out of range.
  ICPI_API void check() const;
};

#if !defined(ICPI_HEADER_ONLY)
// Compiled once, in the library.
extern template struct HeldStrategy<ActionSelectionCalls, ActionSelectionCalls::Of<Greedy>, Greedy>;
extern template struct ActionSelectionCalls::Of<Greedy>;
extern template struct HeldStrategy<ActionSelectionCalls, ActionSelectionCalls::Of<Softmax>, Softmax>;
extern template struct ActionSelectionCalls::Of<Softmax>;
#endif

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/policy/action_selection-inl.hpp"
#endif
