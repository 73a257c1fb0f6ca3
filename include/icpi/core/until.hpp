// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <concepts>
#include <memory>
#include <utility>

#include "icpi/core/export.hpp"

namespace icpi {

/// Is told to stop: std::stop_token, or whatever else can be asked the same.
template <class T>
concept TellsToStop = std::copy_constructible<T> && requires(const T& token) {
  { token.stop_requested() } -> std::convertible_to<bool>;  // stop_requested(): whether it was told to stop
  { token.stop_possible() } -> std::convertible_to<bool>;   // stop_possible(): whether it ever may be
};

/// A std::stop_token, or any other token, whose type is not known here: the standard header brings threads along, which users'
/// units then compile. Copies ask the same token.
/// Thread-safety: const members may be called concurrently.
class StopToken {
 public:
  StopToken() noexcept = default;  ///< is never told
  /// Asks a copy of `token`, concurrently where it is asked by several threads.
  template <class Token>
    requires(!std::same_as<Token, StopToken> && TellsToStop<Token>)
  StopToken(Token token)  // NOLINT(google-explicit-constructor): options are written as the token itself
      : asked_(new Held<Token>(std::move(token))) {}

  /// Whether it was told to stop.
  [[nodiscard]] bool stop_requested() const noexcept { return asked_ && asked_->requested(); }
  /// Whether it ever may be.
  [[nodiscard]] bool stop_possible() const noexcept { return asked_ && asked_->possible(); }

 private:
  struct ICPI_API Asked {
    virtual ~Asked();
    [[nodiscard]] virtual bool requested() const noexcept = 0;
    [[nodiscard]] virtual bool possible() const noexcept = 0;
  };
  template <class Token>
  struct Held final : Asked {
    explicit Held(Token held) : token(std::move(held)) {}
    bool requested() const noexcept override { return token.stop_requested(); }
    bool possible() const noexcept override { return token.stop_possible(); }
    Token token;
  };

  std::shared_ptr<const Asked> asked_;
};

/// When work must end: at a point in time, when it is told to, or both; unless set, never. What is under way then is
/// cancelled, and what came so far is used. Results that were cut short by time are not reproducible.
/// Thread-safety: a value; the stop may be requested by any thread.
struct ICPI_API Until {
  using Clock = std::chrono::steady_clock;  ///< of deadlines

  Clock::time_point deadline = Clock::time_point::max();  ///< the last moment
  StopToken stop{};                                       ///< told to end, for instance a std::stop_token

  /// This long from now.
  [[nodiscard]] static Until after(std::chrono::nanoseconds time);

  /// The same, but no longer than this from now.
  [[nodiscard]] Until at_most(std::chrono::nanoseconds time) const;

  /// Whether it may ever end work.
  [[nodiscard]] bool limits() const noexcept;
  /// Whether work must end now.
  [[nodiscard]] bool over() const noexcept;
  /// How long may be waited before asking again, at most `longest`: a stop is seen within 50 ms. Milliseconds are
  /// rounded up, so that nobody waits for nothing again and again.
  [[nodiscard]] std::chrono::milliseconds wait(std::chrono::milliseconds longest) const;
};

}  // namespace icpi

#if defined(ICPI_HEADER_ONLY)
#include "icpi/core/until-inl.hpp"
#endif
