// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "icpi/concepts/environment.hpp"
#include "icpi/core/random.hpp"
#include "icpi/domains/domain.hpp"
#include "icpi/domains/domain_facts.hpp"

namespace icpi {

/// What the two chains do.
enum class ChainAction : std::uint8_t { left, try_goal, right };

/// Options of Chain; the defaults are the paper's.
struct ChainOptions {
  int length = 8;         ///< states 0 .. length - 1
  int goal = 4;           ///< the state in which try_goal is rewarded
  int time_limit = 8;     ///< steps of an episode; 0: none
  double discount = 0.8;  ///< for planning
};

/// A row of states. `left` and `right` move by one and stop at the ends; `try_goal` ends the episode, with reward 1 at
/// the goal and 0 elsewhere. Starts anywhere. The observation is the state's number.
/// Thread-safety: one object by one thread at a time.
class Chain : public Domain<Chain, int, ChainAction> {
 public:
  static constexpr std::string_view name = "chain";                                                      ///< of facts()
  static constexpr std::array action_set{ChainAction::left, ChainAction::try_goal, ChainAction::right};  ///< in order

  /// Throws InvalidArgument for options that make no chain.
  explicit Chain(const ChainOptions& options = {}) : options_(options) { validate(name, options); }

  /// The options of this chain.
  [[nodiscard]] const ChainOptions& options() const noexcept { return options_; }
  /// The planning discount.
  [[nodiscard]] double discount() const noexcept { return options_.discount; }
  /// Steps until truncation; 0: none.
  [[nodiscard]] int time_limit() const noexcept { return options_.time_limit; }
  /// Facts for experiments.
  [[nodiscard]] DomainFacts facts() const noexcept {
    return {.name = name, .horizon = 80, .rollout_limit = 6, .evaluation_discount = options_.discount};
  }

  /// What every chain's options must satisfy; `domain` is named in the message.
  static void validate(std::string_view domain, const ChainOptions& options) {
    detail::require(options.length >= 1, "{}: length {} must be at least 1", domain, options.length);
    detail::require(options.goal >= 0 && options.goal < options.length, "{}: goal {} must be in 0..{}", domain,
                    options.goal, options.length - 1);
    detail::require_time_limit(domain, options.time_limit);
    detail::require_discount(domain, options.discount);
  }

  /// The state after `action`.
  static constexpr int move(int state, ChainAction action, int length) noexcept {
    const int offset = static_cast<int>(action) - static_cast<int>(ChainAction::try_goal);
    const int next = state + offset;  // without std::clamp: <algorithm> costs a user's unit 10 MB
    return next < 0 ? 0 : next < length ? next : length - 1;
  }

 private:
  friend Domain;

  [[nodiscard]] static constexpr std::size_t noise_values() noexcept { return 1; }

  [[nodiscard]] int draw_start(RandomStream& stream) const noexcept {
    return static_cast<int>(stream.index(static_cast<std::size_t>(options_.length)));
  }

  void check(int state) const {
    detail::require(state >= 0 && state < options_.length, "{}: state {} must be in 0..{}", name, state,
                    options_.length - 1);
  }

  [[nodiscard]] Step<int> advance(int state, ChainAction action, std::size_t) const noexcept {
    const bool tried = action == ChainAction::try_goal;
    const bool reached = tried && state == options_.goal;
    return {move(state, action, options_.length), reached ? 1.0 : 0.0, tried, false};
  }

  ChainOptions options_;
};

static_assert(StateSettable<Chain> && Enumerable<Chain>);

}  // namespace icpi
