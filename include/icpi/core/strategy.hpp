// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "icpi/core/export.hpp"
#include "icpi/core/owned.hpp"

namespace icpi {

/// Says what it is: name and parameters, in one line. Equal descriptions mean equal behaviour; records compare them.
template <class T>
concept DescribesItself = requires(const T& strategy) {
  { strategy.description() } -> std::convertible_to<std::string>;  // description(): name and parameters
};

/// Working memory inside a value, made at its first use. No part of the value: a copy begins with none.
/// Thread-safety: one object by one thread at a time.
template <class T>
class WorkingMemory {
 public:
  WorkingMemory() noexcept = default;
  WorkingMemory(const WorkingMemory&) noexcept {}                            ///< empty
  WorkingMemory(WorkingMemory&&) noexcept = default;                         ///< takes over
  WorkingMemory& operator=(const WorkingMemory&) noexcept { return *this; }  ///< keeps its own
  WorkingMemory& operator=(WorkingMemory&&) noexcept = default;              ///< takes over
  ~WorkingMemory() = default;

  /// What is kept.
  [[nodiscard]] T& get() {
    if (!held_) held_ = make_owned<T>();
    return *held_;
  }
  /// What is kept; null before the first use.
  [[nodiscard]] const T* peek() const noexcept { return held_.get(); }

 private:
  Owned<T> held_;
};

/// What every kind of strategy can be asked, behind the seam.
struct ICPI_API StrategyCalls {
  virtual ~StrategyCalls() = default;
  /// See DescribesItself.
  [[nodiscard]] virtual std::string description() const = 0;
  /// Throws InvalidArgument for parameters out of range: the strategy's own check(), where it has one.
  virtual void check() const = 0;
  /// The strategy, when it is of this type; else null.
  [[nodiscard]] virtual const void* find(const std::type_info& type) const noexcept = 0;
};

/// Holds a strategy of type T behind the calls of its kind; `Self` is the class that derives from this one.
template <class Calls, class Self, class T>
struct ICPI_API HeldStrategy : Calls {
  /// Takes the strategy.
  explicit HeldStrategy(T held) : strategy(std::move(held)) {}

  /// See StrategyCalls.
  std::string description() const final { return std::string(strategy.description()); }
  /// See StrategyCalls.
  void check() const final {
    if constexpr (requires { strategy.check(); }) strategy.check();
  }
  /// See StrategyCalls.
  const void* find(const std::type_info& type) const noexcept final {
    return type == typeid(T) ? std::addressof(strategy) : nullptr;
  }
  /// A copy of what is held.
  Owned<Calls> clone() const final { return make_owned<Self>(static_cast<const Self&>(*this)); }

  T strategy;  ///< what is held
};

/// Any strategy of one kind, by value: copies copy what is held. `Calls` says what the kind can be asked, which types
/// belong to it (`accepts<T>`) and how one is held (`Of<T>`). One indirect call each.
/// Thread-safety: that of what is held; one object by one thread at a time.
template <class Calls>
class Strategy {
 public:
  /// Holds a strategy of the user's or of the library's.
  template <class T>
    requires(!std::same_as<std::remove_cvref_t<T>, Strategy> && Calls::template accepts<std::remove_cvref_t<T>>)
  Strategy(T&& strategy)  // NOLINT(google-explicit-constructor): options are written as the strategy itself
      : held_(make_owned<typename Calls::template Of<std::remove_cvref_t<T>>>(std::forward<T>(strategy))) {}

  Strategy(const Strategy& other) : held_(other.held_->clone()) {}  ///< copies what is held
  Strategy(Strategy&&) noexcept = default;                          ///< leaves nothing behind that may be used
  Strategy& operator=(Strategy other) noexcept {                    ///< as construction
    held_ = std::move(other.held_);
    return *this;
  }
  ~Strategy() = default;

  /// Name and parameters.
  [[nodiscard]] std::string description() const { return held_->description(); }
  /// What can be asked of it.
  [[nodiscard]] Calls* operator->() const noexcept { return held_.get(); }
  /// What is held, when it is of type T; else null.
  template <class T>
  [[nodiscard]] const T* get_if() const noexcept {
    return static_cast<const T*>(held_->find(typeid(T)));
  }
  /// What is held, to change its parameters, when it is of type T; else null.
  template <class T>
  [[nodiscard]] T* get_if() noexcept {
    return const_cast<T*>(std::as_const(*this).template get_if<T>());
  }

  /// Equal descriptions.
  friend bool operator==(const Strategy& left, const Strategy& right) {
    return left.description() == right.description();
  }

 private:
  Owned<Calls> held_;
};

}  // namespace icpi
