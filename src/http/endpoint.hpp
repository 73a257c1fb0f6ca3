// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "icpi/http/language_model.hpp"
#include "rate_limits.hpp"
#include "url.hpp"
#include "wire.hpp"

namespace icpi::http {

/// How many requests a server gets at once: doubles while throughput grows with it, steps back when it stops growing,
/// halves on 429.
class ConcurrencyControl {
 public:
  /// `start` and `most` > 0; start == most: a fixed number.
  ConcurrencyControl(std::size_t start, std::size_t most);

  [[nodiscard]] std::size_t limit() const noexcept { return limit_; }
  /// A request is under way; `in_flight` includes it.
  void on_start(std::size_t in_flight) noexcept { saturated_ = saturated_ || in_flight >= limit_; }
  void on_answer(Clock::time_point now);
  /// `started`: when the refused request was sent; refusals of one crowd halve once.
  void on_refusal(Clock::time_point started, Clock::time_point now);

 private:
  void begin_window(Clock::time_point now);

  std::size_t limit_;
  std::size_t most_;
  std::size_t last_good_;     ///< the limit before the last growth
  double last_rate_ = 0;      ///< answers per second under last_good_
  std::size_t answered_ = 0;  ///< in this window
  std::size_t rest_ = 0;      ///< windows to wait before growing again
  bool grew_ = false;         ///< this window tries a larger limit
  bool saturated_ = false;    ///< the limit was reached in this window
  std::optional<Clock::time_point> window_start_;
  Clock::time_point last_halving_;
};

/// Which slot of a llama-server keeps which prefix: the least recently used one goes to a new prefix.
class SlotTable {
 public:
  explicit SlotTable(std::size_t slots) : slots_(slots) {}
  [[nodiscard]] std::size_t assign(std::uint64_t prefix);

 private:
  struct Slot {
    std::uint64_t prefix = 0;
    std::uint64_t used = 0;
  };
  std::vector<Slot> slots_;
  std::uint64_t time_ = 0;
};

/// Requests with one prefix at one server. Invariant: `waiting` is empty unless something is in flight.
struct Lane {
  bool warm = false;  ///< an answer came: the server has the prefix
  std::size_t in_flight = 0;
  std::deque<std::uint64_t> waiting;  ///< jobs
};

/// One server: where it is, how it feels, what it keeps.
struct Endpoint {
  Endpoint(BaseUrl base, const Options& options);

  /// Whether a request may be sent now.
  [[nodiscard]] bool available(Clock::time_point now) const noexcept {
    return in_flight < (down_since ? 1 : control.limit()) && !retired && !rests(now);
  }
  /// Whether it is left alone for a time.
  [[nodiscard]] bool rests(Clock::time_point now) const noexcept { return now < blocked_until || now < closed_until; }
  /// Whether it is listed and not known to fail.
  [[nodiscard]] bool healthy() const noexcept { return !retired && !down_since; }
  void on_success(Clock::time_point now);
  /// The server did not take a request on; it is left alone until `until`.
  void block(Clock::time_point until) noexcept { blocked_until = std::max(blocked_until, until); }

  // What every choice among all servers looks at stands together.
  bool retired = false;  ///< no longer listed: what is in flight may end, and that is all
  std::size_t in_flight = 0;
  ConcurrencyControl control;
  std::uint64_t tokens_under_way = 0;  ///< of prompts and of the limits of answers
  std::uint64_t place = 0;             ///< stands for where it is
  Clock::time_point blocked_until{};
  Clock::time_point closed_until{};             ///< it asked to wait for longer than anybody is willing to
  std::optional<Clock::time_point> down_since;  ///< nothing but failures since then

  BaseUrl base;
  std::string request_url;
  ServerDescription description;
  std::optional<SlotTable> slots;
  std::size_t refusals_in_a_row = 0;  ///< 429 and 503 since the last answer
  std::size_t failures_in_a_row = 0;  ///< attempts that failed after it took them on, since the last answer
  int times_held_back = 0;            ///< since the last answer
  RateLimits rates;                   ///< what is left of them
  std::string wait_reason;            ///< why it is left alone until blocked_until
  CompletionError closed_because;     ///< what every question ends with until closed_until
  std::optional<Clock::time_point> failing_since;  ///< nothing but failed attempts since then
  bool trouble_told = false;                       ///< about that
  std::string last_problem;
  std::unordered_map<std::uint64_t, Lane> lanes;  ///< by slot where slots are pinned, else by prefix identity
};

/// Rank of `endpoint` for a prefix: the highest one gets it (rendezvous hashing, Thaler and Ravishankar 1998), so a
/// prefix keeps its server when others come and go.
[[nodiscard]] std::uint64_t affinity(const Endpoint& endpoint, std::uint64_t prefix) noexcept;

/// What stands for a prefix: its identity, else a hash of its text; 0: there is none.
[[nodiscard]] std::uint64_t prefix_key(const PromptPrefix& prefix) noexcept;

}  // namespace icpi::http
