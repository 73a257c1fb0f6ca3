// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "icpi/core/error.hpp"
#include "icpi/models/budget_account.hpp"

namespace icpi {

namespace detail {

constexpr double first_tokens_a_byte = 0.5;   // until answers tell
constexpr double estimate_margin = 1.1;       // above what was counted so far
constexpr std::uint64_t wrapper_tokens = 16;  // that a server may put around a prompt

inline std::size_t prompt_bytes(const CompletionRequest& request) {
  return request.prefix.text.size() + request.query.size();
}

/// More than any budget, and still small enough to be added up.
inline constexpr std::uint64_t no_token_limit = std::uint64_t{1} << 40U;

inline std::uint64_t token_limit(const CompletionRequest& request) {
  const auto& limit = request.sampling.max_tokens;
  return limit ? static_cast<std::uint64_t>(std::max(0, *limit)) : no_token_limit;
}

inline std::uint64_t beyond(std::uint64_t taken, std::uint64_t reserved) {
  return taken > reserved ? taken - reserved : 0;
}

}  // namespace detail

ICPI_INLINE double TokenPrices::cost(const Usage& usage) const noexcept {
  const std::uint64_t kept = std::min(usage.cached_tokens, usage.prompt_tokens);
  const std::uint64_t written = std::min(usage.written_tokens, usage.prompt_tokens - kept);
  const auto fresh = static_cast<double>(usage.prompt_tokens - kept - written);
  return (prompt * fresh + cached.value_or(prompt) * static_cast<double>(kept) +
          cache_write.value_or(prompt) * static_cast<double>(written) +
          completion * static_cast<double>(usage.completion_tokens)) /
         1e6;
}

/// @cond internals
struct BudgetAccount::State {
  explicit State(const Spending& spent_before) : spent(spent_before) {}

  mutable std::mutex mutex;
  std::condition_variable answered;
  // Guarded by `mutex`:
  Spending spent;
  Usage reserved;
  std::uint64_t open_calls = 0;        ///< reservations that end by themselves
  std::uint64_t open_submissions = 0;  ///< reservations that end when somebody collects
  Overrun overrun;
  double tokens_a_byte = detail::first_tokens_a_byte;
  double lowest_tokens_a_byte = detail::first_tokens_a_byte;
  bool told = false;    ///< an answer told how many tokens a byte has
  std::string refused;  ///< the limit for which a question was refused
};
/// @endcond

ICPI_INLINE BudgetAccount::BudgetAccount(const Budget& budget, const Spending& spent_before)
    : budget_(budget), state_(make_owned<State>(spent_before)) {
  const auto usable = [](double value) { return std::isfinite(value) && value >= 0; };
  const TokenPrices& prices = budget.prices;
  if (!usable(budget.money)) throw InvalidArgument("Budget::money must be finite and >= 0");
  if (!usable(prices.prompt) || !usable(prices.completion) || !usable(prices.cached.value_or(0)) ||
      !usable(prices.cache_write.value_or(0)))
    throw InvalidArgument("TokenPrices must be finite and >= 0");
  if (budget.money > 0 && prices.cost({1'000'000, 0, 1'000'000}) == 0)
    throw InvalidArgument("Budget::money needs TokenPrices: without them nothing costs anything");
}

ICPI_INLINE BudgetAccount::~BudgetAccount() = default;

ICPI_INLINE Reservation BudgetAccount::estimate(std::size_t prompt_bytes, std::uint64_t completion_tokens,
                                                double tokens_a_byte) const {
  if (budget_.tokens == 0 && budget_.money == 0) return {0, completion_tokens, prompt_bytes};
  const double rate = std::min(1.0, tokens_a_byte * detail::estimate_margin);
  const auto tokens = static_cast<std::uint64_t>(std::ceil(static_cast<double>(prompt_bytes) * rate));
  return {tokens + detail::wrapper_tokens, completion_tokens + budget_.thought_tokens, prompt_bytes};
}

ICPI_INLINE Reservation BudgetAccount::estimate(const CompletionRequest& request) const {
  const std::lock_guard lock(state_->mutex);
  return estimate(detail::prompt_bytes(request), detail::token_limit(request), state_->tokens_a_byte);
}

ICPI_INLINE Reservation BudgetAccount::estimate(const ScoreRequest& request) const {
  std::size_t bytes = request.prefix.text.size() + request.query.size();
  for (const std::string_view continuation : request.continuations) bytes += continuation.size();
  const std::lock_guard lock(state_->mutex);
  return estimate(bytes, 0, state_->tokens_a_byte);
}

/// Which limit the spending has come to - `passed`: which one it goes beyond with what is set aside -, with its value;
/// empty: none.
ICPI_INLINE std::string BudgetAccount::reached(bool passed) const {
  const Spending& spent = state_->spent;
  const Usage reserved = passed ? state_->reserved : Usage{};
  const auto comes_to = [passed](auto sum, auto limit) { return limit > 0 && (passed ? sum > limit : sum >= limit); };
  if (comes_to(spent.calls, budget_.calls)) return fmt::format("{} calls", budget_.calls);
  if (comes_to(spent.tokens() + reserved.prompt_tokens + reserved.completion_tokens, budget_.tokens))
    return fmt::format("{} tokens", budget_.tokens);
  TokenPrices dearest = budget_.prices;  // what is to come may have to be written into a cache
  dearest.prompt = std::max(dearest.prompt, dearest.cache_write.value_or(0));
  if (comes_to(budget_.prices.cost(spent.usage) + dearest.cost(reserved), budget_.money))
    return fmt::format("{} of money", budget_.money);
  return {};
}

ICPI_INLINE BudgetAccount::Admission BudgetAccount::reserve(const Reservation& reservation) {
  const std::lock_guard lock(state_->mutex);
  State& state = *state_;
  if (!state.refused.empty()) return Admission::refused;
  const Usage reserved_before = state.reserved;
  ++state.spent.calls;
  state.reserved += {reservation.prompt_tokens, 0, reservation.completion_tokens};
  std::string limit = reached(true);
  if (limit.empty()) {
    ++(reservation.submitted ? state.open_submissions : state.open_calls);
    return Admission::granted;
  }
  --state.spent.calls;
  state.reserved = reserved_before;
  const std::uint64_t others = state.open_calls + (reservation.submitted ? state.open_submissions : 0);
  const bool no_call_left = budget_.calls > 0 && state.spent.calls >= budget_.calls;
  if (others > 0 && !no_call_left) return Admission::later;
  state.refused = std::move(limit);
  return Admission::refused;
}

ICPI_INLINE void BudgetAccount::add(const Reservation& reservation, const Usage& usage) {
  State& state = *state_;
  state.spent.usage += usage;
  if (budget_.tokens == 0 && budget_.money == 0) return;
  state.overrun.completion_tokens += detail::beyond(usage.completion_tokens, reservation.completion_tokens);
  state.overrun.prompt_tokens += detail::beyond(usage.prompt_tokens, reservation.prompt_tokens);
  if (reservation.prompt_bytes == 0 || usage.prompt_tokens == 0) return;
  const double counted = static_cast<double>(usage.prompt_tokens) / static_cast<double>(reservation.prompt_bytes);
  state.tokens_a_byte = state.told ? std::max(state.tokens_a_byte, counted) : counted;
  state.told = true;
  state.lowest_tokens_a_byte = std::min(state.lowest_tokens_a_byte, state.tokens_a_byte);
}

ICPI_INLINE void BudgetAccount::settle(const Reservation& reservation, const Usage& usage) {
  const std::lock_guard lock(state_->mutex);
  State& state = *state_;
  state.reserved.prompt_tokens -= reservation.prompt_tokens;
  state.reserved.completion_tokens -= reservation.completion_tokens;
  --(reservation.submitted ? state.open_submissions : state.open_calls);
  add(reservation, usage);
  state.answered.notify_all();
}

ICPI_INLINE bool BudgetAccount::book_attempt(const CompletionRequest& request, const Usage& usage) {
  const std::lock_guard lock(state_->mutex);
  State& state = *state_;
  // What was set aside for it is not known here: no less than the lowest estimate so far.
  add(estimate(detail::prompt_bytes(request), detail::token_limit(request), state.lowest_tokens_a_byte), usage);
  if (state.refused.empty()) state.refused = reached(true);
  return state.refused.empty();
}

ICPI_INLINE void BudgetAccount::wait_for_answers(std::chrono::milliseconds wait) {
  constexpr std::chrono::milliseconds moment{50};
  std::unique_lock lock(state_->mutex);
  if (state_->open_calls + state_->open_submissions > 0) state_->answered.wait_for(lock, std::min(wait, moment));
}

ICPI_INLINE Spending BudgetAccount::spent() const {
  const std::lock_guard lock(state_->mutex);
  return state_->spent;
}

ICPI_INLINE Overrun BudgetAccount::overrun() const {
  const std::lock_guard lock(state_->mutex);
  return state_->overrun;
}

ICPI_INLINE std::string BudgetAccount::exhausted_limit() const {
  const std::lock_guard lock(state_->mutex);
  return state_->refused.empty() ? reached(false) : state_->refused;
}

}  // namespace icpi
