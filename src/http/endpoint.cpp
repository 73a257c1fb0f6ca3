// SPDX-License-Identifier: MIT
#include "endpoint.hpp"

#include <algorithm>

#include "icpi/core/hash.hpp"
#include "icpi/core/random.hpp"

namespace icpi::http {

namespace {

constexpr std::size_t first_limit = 8;
constexpr std::size_t smallest_window = 16;     // answers; fewer say little about a rate
constexpr std::size_t rest_after_setback = 16;  // windows
constexpr double growth_that_helps = 1.05;

}  // namespace

ConcurrencyControl::ConcurrencyControl(std::size_t start, std::size_t most)
    : limit_(std::min(start, most)), most_(most), last_good_(limit_) {}

void ConcurrencyControl::begin_window(Clock::time_point now) {
  window_start_ = now;
  answered_ = 0;
  saturated_ = false;
}

void ConcurrencyControl::on_answer(Clock::time_point now) {
  if (!window_start_) begin_window(now);
  if (++answered_ < std::max(2 * limit_, smallest_window)) return;
  const double seconds = std::chrono::duration<double>(now - *window_start_).count();
  const double rate = static_cast<double>(answered_) / std::max(seconds, 1e-9);
  const bool saturated = saturated_;
  begin_window(now);
  if (rest_ > 0) --rest_;
  if (!saturated) return;
  if (grew_ && rate < last_rate_ * growth_that_helps) {
    grew_ = false;
    limit_ = last_good_;
    rest_ = rest_after_setback;
    return;
  }
  grew_ = false;
  if (rest_ > 0 || limit_ == most_) return;
  last_good_ = limit_;
  last_rate_ = rate;
  limit_ = std::min(most_, 2 * limit_);
  grew_ = true;
}

void ConcurrencyControl::on_refusal(Clock::time_point started, Clock::time_point now) {
  if (started < last_halving_) return;
  last_halving_ = now;
  limit_ = std::max<std::size_t>(1, limit_ / 2);
  last_good_ = limit_;
  grew_ = false;
  rest_ = rest_after_setback;
  begin_window(now);
}

std::size_t SlotTable::assign(std::uint64_t prefix) {
  auto chosen = std::find_if(slots_.begin(), slots_.end(), [&](const Slot& s) { return s.prefix == prefix; });
  if (chosen == slots_.end()) {
    chosen =
        std::min_element(slots_.begin(), slots_.end(), [](const Slot& a, const Slot& b) { return a.used < b.used; });
    chosen->prefix = prefix;
  }
  chosen->used = ++time_;
  return static_cast<std::size_t>(chosen - slots_.begin());
}

Endpoint::Endpoint(BaseUrl url, const Options& options)
    : control(options.adaptive_concurrency ? first_limit : options.concurrency, options.concurrency),
      base(std::move(url)) {
  description.base_url = base.text();
  place = detail::fnv1a(description.base_url);
}

void Endpoint::on_success(Clock::time_point now) {
  refusals_in_a_row = 0;
  failures_in_a_row = 0;
  times_held_back = 0;
  down_since.reset();
  blocked_until = {};
  closed_until = {};
  control.on_answer(now);
}

std::uint64_t affinity(const Endpoint& endpoint, std::uint64_t prefix) noexcept {
  return RandomKey(endpoint.place).child(prefix).seed();
}

std::uint64_t prefix_key(const PromptPrefix& prefix) noexcept {
  if (prefix.identity != 0) return prefix.identity;
  return prefix.text.empty() ? 0 : detail::fnv1a(prefix.text);
}

}  // namespace icpi::http
